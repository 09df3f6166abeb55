package packages

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// watched tells a call what the transport said of its failure.
type watched struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t watched) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		if w, ok := req.Context().Value(watchKey{}).(*sendWatch); ok {
			w.failed.Store(&err)
		}
	}
	return resp, err
}

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
