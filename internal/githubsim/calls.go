package githubsim

import (
	"net/http"
	"strings"
	"time"
)

// CallKind says which service a call went to.
type CallKind string

// The kinds of call.
const (
	KindREST     CallKind = "rest"
	KindRegistry CallKind = "registry"
	KindToken    CallKind = "token" // the registry's token endpoint
	KindApp      CallKind = "app"
)

// Call is one request that the simulator was asked, in the order of arrival.
type Call struct {
	N         int       `json:"n"`
	At        time.Time `json:"at"`
	Method    string    `json:"method"`
	Path      string    `json:"path"` // escaped, without /api/v3
	Query     string    `json:"query,omitempty"`
	Status    int       `json:"status"` // 0 while it is in flight or when the connection was cut
	Kind      CallKind  `json:"kind"`
	Mutating  bool      `json:"mutating"`         // asks GitHub to delete or restore, whatever came of it
	Caller    string    `json:"caller,omitempty"` // login, or installation and its packages permission
	RequestID string    `json:"request_id"`
	Fault     FaultKind `json:"fault,omitempty"` // that struck it; a truncated answer's status is as good as any
}

// Counts is how many calls of each kind were made.
type Counts struct {
	REST     int `json:"rest"`
	Registry int `json:"registry"`
	Token    int `json:"token"`
	App      int `json:"app"`
	Mutating int `json:"mutating"` // those of the above that delete or restore
}

// Calls returns all calls since the start or the last ResetCalls.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Call, len(s.calls))
	for i, c := range s.calls {
		out[i] = *c
	}
	return out
}

// CallCounts counts the calls since the start or the last ResetCalls.
func (s *Server) CallCounts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n Counts
	for _, c := range s.calls {
		switch c.Kind {
		case KindREST:
			n.REST++
		case KindRegistry:
			n.Registry++
		case KindToken:
			n.Token++
		case KindApp:
			n.App++
		}
		if c.Mutating {
			n.Mutating++
		}
	}
	return n
}

// ResetCalls forgets the calls so far.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

func kindOf(q *request) CallKind {
	seg := q.segments
	switch {
	case seg[0] == "v2":
		return KindRegistry
	case q.path == "/token":
		return KindToken
	case seg[0] == "app":
		return KindApp
	case len(seg) == 3 && (seg[0] == "orgs" || seg[0] == "users") && seg[2] == "installation":
		return KindApp
	}
	return KindREST
}

func isMutating(q *request) bool {
	if kindOf(q) != KindREST {
		return false
	}
	return q.r.Method == http.MethodDelete || q.r.Method == http.MethodPost && strings.HasSuffix(q.path, "/restore")
}
