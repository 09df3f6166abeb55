package ghapp

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/sendby"
)

// How often and how fast the failures of a server are tried again.
const (
	transientRetries = 3
	transientBackoff = 500 * time.Millisecond
)

// askAgainAfter is how long a request may have waited for its turn and be sent without
// asking again whether it may be (see sendby.Unless).
const askAgainAfter = time.Second

// errAttemptTimeout is not context.DeadlineExceeded, which would read as if the
// caller's own time were over.
var errAttemptTimeout = errors.New("no complete answer within the time of one attempt")

// preparer is what a wrapped transport has to do before a request may take its
// turn: refuse it, or fetch a token. Done later, it would bunch up requests
// that were let go at a distance, or hold places in flight while waiting.
type preparer interface {
	prepare(req *http.Request) error
}

// Wrap returns a transport that sends through next what the governor lets pass.
//
// GET, HEAD and OPTIONS are sent again after a limit, and up to three times
// after a 5xx or a failed connection. Other methods are sent again only after a
// limit refused them. Where next holds a token that GitHub no longer accepts and
// can have a new one, the request is sent once more with that: a 401 means that
// nothing was done. Its errors are those of next, *PausedError, or, when the
// context ends while waiting, an error that wraps the context's; NotSent tells
// whether the request can have been done.
func (g *Governor) Wrap(next http.RoundTripper) http.RoundTripper {
	return &governed{governor: g, next: next}
}

type governed struct {
	governor *Governor
	next     http.RoundTripper
}

// RoundTrip sends req when its turn comes.
func (t *governed) RoundTrip(req *http.Request) (*http.Response, error) {
	g := t.governor
	c := &call{write: !safe(req)}
	failures, renewals := 0, 0
	for attempt := 1; ; attempt++ {
		if err := t.turn(req, c, attempt > 1); err != nil {
			closeBody(req)
			return nil, err
		}
		if attempt > 1 {
			g.countRetry()
		}
		resp, v, err := t.send(req, c, attempt)
		switch {
		case (v == verdictPrimary || v == verdictSecondary) && replayable(req):
			discard(resp)
		case c.renewed && renewals == 0 && replayable(req):
			renewals++
			discard(resp)
		case v == verdictTransient && !c.write && failures < transientRetries && replayable(req) && req.Context().Err() == nil:
			failures++
			wait, ok := g.transientWait(req.Context(), resp, failures)
			if !ok {
				return resp, err
			}
			discard(resp) // before the wait, which must not hold a place in flight
			if err := g.sleep(req.Context(), wait); err != nil {
				return nil, err
			}
		default:
			return resp, err
		}
		again, err := rewound(req)
		if err != nil {
			return nil, err
		}
		req = again
	}
}

// turn waits for the request's turn. After a wait it asks whether the request may
// still be sent, and so it does when it is sent again.
func (t *governed) turn(req *http.Request, c *call, again bool) error {
	began := t.governor.clock.Now()
	if p, ok := t.next.(preparer); ok {
		if err := p.prepare(req); err != nil {
			return err
		}
	}
	if err := t.governor.admit(req.Context(), c); err != nil {
		return err
	}
	if sendby.Age(t.governor.clock.Now(), began) < askAgainAfter && !again {
		return nil
	}
	if err := sendby.Stopped(req.Context()); err != nil {
		t.governor.release()
		return err
	}
	return nil
}

// send makes one attempt. The place in flight is given back when the body of
// the answer has been read or closed, and at the latest when the attempt times out.
func (t *governed) send(req *http.Request, c *call, attempt int) (*http.Response, verdict, error) {
	g := t.governor
	c.renewed = false
	ctx, cancel := context.WithTimeoutCause(withCall(req.Context(), c), g.opts.AttemptTimeout, errAttemptTimeout)
	var once sync.Once
	release := func() { once.Do(func() { cancel(); g.release() }) }
	context.AfterFunc(ctx, release)

	started := g.clock.Now()
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	event := Event{
		Method: req.Method, Host: req.URL.Host, Path: req.URL.Path,
		Attempt: attempt, Write: c.write, Waited: started.Sub(c.queuedAt), Took: g.clock.Now().Sub(started),
	}
	v := verdictTransient
	if err != nil {
		release()
		if permanent(err) {
			v = verdictDone
		}
	} else {
		if resp.Body == nil {
			resp.Body = http.NoBody
		}
		var head []byte
		if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests {
			head = peek(resp)
		}
		v = classify(resp.StatusCode, resp.Header, head)
		g.settle(c, resp.Header, v)
		watchBody(resp, release)
		event.Status = resp.StatusCode
		event.Limited = v == verdictPrimary || v == verdictSecondary
	}
	if g.opts.Observe != nil {
		g.opts.Observe(event)
	}
	return resp, v, err
}

// transientWait is how long to wait before a failed request is tried again. ok
// is false when that is longer than allowed.
func (g *Governor) transientWait(ctx context.Context, resp *http.Response, failures int) (wait time.Duration, ok bool) {
	now := g.clock.Now()
	wait = time.Duration(float64(transientBackoff) * float64(int(1)<<(failures-1)) * (1 + g.opts.Jitter()))
	if resp != nil {
		if asked, ok := readRetryAfter(resp.Header, now); ok {
			wait = max(wait, asked)
		}
	}
	return wait, wait <= g.opts.MaxWait && !g.pastDeadline(ctx, now.Add(wait))
}

func (g *Governor) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-g.clock.After(d):
		return nil
	case <-ctx.Done():
		return &unsentError{context.Cause(ctx)}
	}
}

func (g *Governor) countRetry() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Retries++
}

// permanent reports errors that another attempt would only meet again.
func permanent(err error) bool {
	var cert *tls.CertificateVerificationError
	var unsent interface{ NotSent() bool }
	return errors.As(err, &cert) || errors.As(err, &unsent)
}

type callKey struct{}

// withCall lets the transport below say of the attempt that its token was refused.
func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// noteRenewed says that the token was refused and the next attempt has a new one.
func noteRenewed(ctx context.Context) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.renewed = true
	}
}

type repeatableKey struct{}

// repeatable marks requests that change nothing although they are POSTs: asking
// for a token. They are treated as reads, so a failed connection is tried again.
func repeatable(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatableKey{}, true)
}

func safe(req *http.Request) bool {
	return safeMethod(req.Method) || req.Context().Value(repeatableKey{}) != nil
}

// safeMethod reports whether a method only reads. The empty method is GET.
func safeMethod(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}
