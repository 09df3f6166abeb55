package ghapp

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// recorder keeps what the governor says of itself: its attempts, and its limits
// each time that one can have changed.
type recorder struct {
	governor  *Governor
	overdrawn string

	mu       sync.Mutex
	attempts []attempt
	samples  []sample
}

type attempt struct {
	name                    string
	write                   bool
	queuedAt, sentAt, endAt time.Time
}

type sample struct {
	at    time.Time
	stats Stats
}

func (r *recorder) sample() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, sample{time.Now(), r.governor.Stats()})
}

func (r *recorder) observe(e Event) {
	now := time.Now()
	r.sample()
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := now.Add(-e.Took)
	r.attempts = append(r.attempts, attempt{
		name: fmt.Sprintf("%s %s attempt %d", e.Method, e.Path, e.Attempt), write: e.Write,
		queuedAt: sent.Add(-e.Waited), sentAt: sent, endAt: now,
	})
}

// The property, exactly: at every instant at which an attempt waits, after
// everything that happens at that instant, at least one of these holds.
//
//  1. A refusal's wait is in force.
//  2. A known quota, less the requests in flight, is down to the reserve.
//  3. As many requests are in flight as may be.
//  4. It is a write, and the last one was sent less than the spacing ago.
//  5. With its points, the last 61 seconds would exceed the points per minute.
//  6. An attempt of its kind waits that came before it.
//  7. Points are shared, it is a read, and a write that came before it waits for points.
//
// All of them only change at the instants collected in moments.
func TestGovernorIsNeverIdleWithoutAReason(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawScenario(rt)
		_, _, rec := s.play(t)
		c := newConserving(s.opts, rec)
		for _, a := range rec.attempts {
			for _, now := range c.moments {
				if !now.Before(a.queuedAt) && now.Before(a.sentAt) && !c.excused(a, now) {
					rt.Fatalf("%s waited from %s to %s without a reason at %s: %+v", a.name, a.queuedAt, a.sentAt, now, c.at(now))
				}
			}
		}
	})
}

type conserving struct {
	opts     GovernorOptions
	attempts []attempt // in the order in which requests of one kind must leave
	samples  []sample
	moments  []time.Time
}

func newConserving(opts GovernorOptions, rec *recorder) *conserving {
	c := &conserving{opts: opts, attempts: slices.Clone(rec.attempts), samples: rec.samples}
	slices.SortStableFunc(c.attempts, func(a, b attempt) int { return a.sentAt.Compare(b.sentAt) })
	for _, a := range c.attempts {
		c.moments = append(c.moments, a.queuedAt, a.sentAt, a.endAt, a.sentAt.Add(pointsWindow))
	}
	var lastWrite time.Time
	writes := slices.DeleteFunc(slices.Clone(c.attempts), func(a attempt) bool { return !a.write })
	for _, s := range c.samples {
		for len(writes) > 0 && !writes[0].sentAt.After(s.at) {
			lastWrite, writes = writes[0].sentAt, writes[1:]
		}
		c.moments = append(c.moments, s.at, s.stats.PausedUntil, lastWrite.Add(spacingOf(s.stats)))
		for _, q := range s.stats.Quotas {
			c.moments = append(c.moments, q.Reset.Add(resetMargin))
		}
	}
	slices.SortFunc(c.moments, time.Time.Compare)
	c.moments = slices.CompactFunc(c.moments, time.Time.Equal)
	return c
}

func spacingOf(s Stats) time.Duration {
	if s.WriteRate == 0 {
		return 0
	}
	return time.Duration(float64(time.Second)/s.WriteRate) + 1
}

// state is what the record says of one instant.
type state struct {
	limits        Stats
	inFlight      int
	lastWrite     time.Time
	reads, writes int // points
}

func (c *conserving) at(now time.Time) state {
	var s state
	for _, sample := range c.samples {
		if sample.at.After(now) {
			break
		}
		s.limits = sample.stats
	}
	for _, a := range c.attempts {
		if a.sentAt.After(now) {
			break
		}
		if a.endAt.After(now) {
			s.inFlight++
		}
		recent := now.Sub(a.sentAt) < pointsWindow
		switch {
		case a.write:
			s.lastWrite = a.sentAt
			if recent {
				s.writes += writePoints
			}
		case recent:
			s.reads += readPoints
		}
	}
	return s
}

func (c *conserving) excused(a attempt, now time.Time) bool {
	s := c.at(now)
	if s.limits.PausedUntil.After(now) || s.inFlight >= s.limits.Concurrency {
		return true
	}
	for _, q := range s.limits.Quotas {
		reserve := q.Limit * max(0, c.opts.ReservePercent) / 100
		if q.Reset.Add(resetMargin).After(now) && q.Remaining-s.inFlight <= reserve {
			return true
		}
	}
	if a.write && s.lastWrite.Add(spacingOf(s.limits)).After(now) {
		return true
	}
	if c.short(s, a.write) {
		return true
	}
	for _, b := range c.attempts {
		if b.queuedAt.After(now) || !now.Before(b.sentAt) || b.queuedAt.After(a.queuedAt) {
			continue
		}
		// Of two that came at one instant, the record does not say which was
		// first; of one kind, the one that left first must have been.
		if b.write == a.write && (b.queuedAt.Before(a.queuedAt) || b.sentAt.Before(a.sentAt)) {
			return true
		}
		if b.write && !a.write && s.limits.SharedPoints && c.short(s, true) {
			return true
		}
	}
	return false
}

// short reports whether a request's points do not fit in.
func (c *conserving) short(s state, write bool) bool {
	spent, cost := s.reads, readPoints
	if write {
		spent, cost = s.writes, writePoints
	}
	if s.limits.SharedPoints {
		spent = s.reads + s.writes
	}
	return spent+cost > c.opts.PointsPerMinute
}
