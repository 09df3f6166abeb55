package e2e

import (
	"net/http"
	"net/http/httptest"
	"sync"
)

// taps lets a test see every call that the functions make, to AWS and to GitHub, at
// the moment it arrives, and have it go wrong. The zero taps let everything pass.
type taps struct {
	mu sync.Mutex
	on func(call string) tap
}

// tap is what happens to one call. The zero tap lets it pass.
type tap struct {
	drop bool            // it is not carried out, and the connection is cut
	lose bool            // it is carried out, and the connection is cut
	hang <-chan struct{} // the connection is cut when this is closed
	then func()          // before the cut
}

// set replaces what is asked about each call; calls are named "AmazonSQS.SendMessage",
// "S3.PUT" or "GitHub DELETE /orgs/acme/…". It may be called from several goroutines,
// and wait.
func (t *taps) set(on func(call string) tap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on = on
}

func (t *taps) ask(call string) tap {
	t.mu.Lock()
	on := t.on
	t.mu.Unlock()
	if on == nil {
		return tap{}
	}
	return on(call)
}

func (t *taps) serve(w http.ResponseWriter, r *http.Request, call string, next http.HandlerFunc) {
	is := t.ask(call)
	switch {
	case is.drop:
	case is.lose:
		next(httptest.NewRecorder(), r)
	default:
		next(w, r)
		return
	}
	if is.hang != nil {
		<-is.hang
	}
	if is.then != nil {
		is.then()
	}
	panic(http.ErrAbortHandler)
}
