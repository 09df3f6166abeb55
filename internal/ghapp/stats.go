package ghapp

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Stats is what a governor has done so far.
type Stats struct {
	Reads           int           `json:"reads"`  // attempts sent, retries included
	Writes          int           `json:"writes"` // attempts sent, retries included
	Retries         int           `json:"retries"`
	Waits           int           `json:"waits"`  // attempts that had to wait for a limit
	Waited          time.Duration `json:"waited"` // their time together, in nanoseconds
	PrimaryLimits   int           `json:"primary_limits"`
	SecondaryLimits int           `json:"secondary_limits"`
	Paused          int           `json:"paused"`                // requests given up with PausedError
	Pauses          int           `json:"pauses"`                // times that a refusal made everything stop
	PausedUntil     time.Time     `json:"paused_until,omitzero"` // end of the one in force; zero when none is
	InFlight        int           `json:"in_flight"`
	Concurrency     int           `json:"concurrency"`   // in flight at most, at present
	WriteRate       float64       `json:"write_rate"`    // writes a second at most, at present; 0: no bound
	ReadPoints      int           `json:"read_points"`   // spent in the last 61 seconds; 0 when PointsPerMinute is Off
	WritePoints     int           `json:"write_points"`  // likewise
	SharedPoints    bool          `json:"shared_points"` // both are under one bound
	Quotas          []Quota       `json:"quotas"`        // as last heard, sorted by resource; none before the first answer
}

// Stats returns a copy of the figures.
func (g *Governor) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.InFlight = g.inFlight
	s.Concurrency = g.lanes.open
	now := g.clock.Now()
	if g.pause.until.After(now) {
		s.PausedUntil = g.pause.until
	}
	s.WriteRate = g.writes.current()
	s.ReadPoints, s.WritePoints = g.points.spent(now)
	s.SharedPoints = g.points.shared
	s.Quotas = slices.SortedFunc(maps.Values(g.quotas.known), func(a, b Quota) int {
		return cmp.Compare(a.Resource, b.Resource)
	})
	return s
}

// Event is one attempt at one request, for progress and figures. It holds no
// query and no header.
type Event struct {
	Method  string
	Host    string
	Path    string
	Status  int // 0 when there was no answer
	Attempt int // from 1
	Write   bool
	Limited bool          // refused for a rate limit: not done
	Waited  time.Duration // before it was sent
	Took    time.Duration // until the header of the answer
}
