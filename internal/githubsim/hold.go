package githubsim

import (
	"net/http"
	"sync"
)

// Hold says which call is stopped, and where.
type Hold struct {
	Match string // as a Fault's
	Skip  int    // lets this many matching calls pass first
	// AfterEffect stops the call when it has been carried out and before it is
	// answered; without it, before anything has happened.
	AfterEffect bool
}

// Held is a hold that waits for its call.
type Held struct {
	hold    Fault // only what of it matches
	skip    int
	after   bool
	seen    int // guarded by Server.mu
	reached chan struct{}
	end     sync.Once
	dropped bool
	done    chan struct{}
}

// Hold stops one call, once, until it is released or dropped, so that what
// happens to the caller in that very moment can be decided by somebody else. The
// call is carried out on release even when its caller is gone by then, as GitHub
// would: it came late, not never.
func (s *Server) Hold(h Hold) (*Held, error) {
	f := Fault{Match: h.Match, Kind: FaultReset, Skip: h.Skip}
	if err := f.check(); err != nil {
		return nil, err
	}
	held := &Held{hold: f, skip: h.Skip, after: h.AfterEffect, reached: make(chan struct{}), done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = append(s.holds, held)
	return held, nil
}

// Reached is closed when the call stands still.
func (h *Held) Reached() <-chan struct{} { return h.reached }

// Release lets the call go on; one that has not come yet is not held any more.
func (h *Held) Release() { h.end.Do(func() { close(h.done) }) }

// Drop cuts the call's connection where it stands; one that has not come yet is
// not held any more.
func (h *Held) Drop() {
	h.end.Do(func() {
		select {
		case <-h.reached:
			h.dropped = true
		default:
		}
		close(h.done)
	})
}

// takeHolds returns the holds whose call this is.
func (s *Server) takeHolds(q *request) (before, after []*Held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.holds {
		if !h.hold.Fits(*q.call) {
			continue
		}
		h.seen++
		switch {
		case h.seen != h.skip+1:
		case h.after:
			after = append(after, h)
		default:
			before = append(before, h)
		}
	}
	return before, after
}

// stand waits for the holds; false means that the call is dropped.
func stand(w http.ResponseWriter, holds []*Held) bool {
	for _, h := range holds {
		close(h.reached)
		<-h.done
		if h.dropped {
			reset(w)
			return false
		}
	}
	return true
}
