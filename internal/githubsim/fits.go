package githubsim

import (
	"net/url"
	"strings"
)

// Fits reports whether the fault is about such a call, wherever it is in the order
// of calls: a campaign works out from an undisturbed run what a fault can strike.
func (f Fault) Fits(c Call) bool {
	method, rest, _ := strings.Cut(f.Match, " ")
	if method != "*" && method != c.Method {
		return false
	}
	glob, query, _ := strings.Cut(rest, "?")
	wanted, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	have, _ := url.ParseQuery(c.Query) // what cannot be read has no parameters
	for key := range wanted {
		if have.Get(key) != wanted.Get(key) {
			return false
		}
	}
	return matchSegments(strings.Split(glob, "/"), strings.Split(c.Path, "/"))
}

// FaultsFired is how often a fault has struck a call since the start, whatever
// faults were set when.
func (s *Server) FaultsFired() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fired
}

// StaleShown is how many lists have shown a deleted version as active.
func (s *Server) StaleShown() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.staleShown
}
