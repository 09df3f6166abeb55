package packages

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// What is read of one answer at most. 100 packages or versions are far below the
// first; the second keeps an error page of a proxy from filling the memory.
const (
	maxBody      = 32 << 20
	maxErrorBody = 64 << 10
)

var errBodyTooLong = errors.New("the answer is longer than 32 MiB")

// boundedBodies limits how much of an answer can be read. It has to be done in
// the transport: go-github reads error bodies to their end by itself.
type boundedBodies struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b boundedBodies) RoundTrip(req *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		if w, ok := req.Context().Value(watchKey{}).(*sendWatch); ok {
			w.failed.Store(&err)
		}
		return resp, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		resp.Body = &limitedBody{body: resp.Body, left: maxBody}
		return resp, nil
	}
	// The status says what happened; the body only says it in words, so what
	// can be read of it is enough, and a failure to read the rest changes nothing.
	words, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(words))
	return resp, nil
}

// limitedBody fails, rather than ending early, when the body is too long: a
// listing cut off in silence would look whole.
type limitedBody struct {
	body io.ReadCloser
	left int64
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		if n, err := l.body.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errBodyTooLong
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.body.Read(p)
	l.left -= int64(n)
	return n, err
}

func (l *limitedBody) Close() error { return l.body.Close() }

// stayOnHost follows redirects of reads within one host only. The transport
// adds the credentials to every request, so another host would be given them;
// and a redirected DELETE becomes a GET, whose success would look like a deletion.
func stayOnHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) >= 5 ||
		req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// sendWatch tells whether a request can have left this machine, and what the
// transport said of it.
type sendWatch struct {
	asked, got atomic.Bool
	failed     atomic.Pointer[error]
}

type watchKey struct{}

// in returns a context in which a request is watched.
func (w *sendWatch) in(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(context.WithValue(ctx, watchKey{}, w), &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.got.Store(true) },
	})
}

// cause adds to a failed call's error what the transport said, which go-github
// drops for the context's error when the context has ended as well.
func (w *sendWatch) cause(err error) error {
	err = withoutURL(err)
	said := w.failed.Load()
	switch {
	case said == nil || errors.Is(err, *said):
		return err
	case errors.Is(*said, err):
		return *said
	}
	return errors.Join(err, *said)
}

// notSent is what a transport's error implements to say that it gave up before
// the request was sent: while pacing, or while fetching a token.
type notSent interface {
	error
	NotSent() bool
}

// gaveUp reports whether the transport declined the request for a reason of its
// own, such as a credential that can't be had, rather than for the network's or
// for want of time.
func gaveUp(err error) bool {
	ns, ok := errors.AsType[notSent](err)
	if !ok || !ns.NotSent() || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	// Every error of the network can tell whether it was a time-out.
	_, network := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return !network
}

// surelyNotSent reports whether a call that failed with err can't have reached
// GitHub. In doubt it says false.
func (w *sendWatch) surelyNotSent(err error) bool {
	if ns, ok := errors.AsType[notSent](err); ok {
		return ns.NotSent()
	}
	if w.got.Load() {
		return false
	}
	if w.asked.Load() {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
