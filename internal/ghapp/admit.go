package ghapp

import (
	"context"
	"errors"
	"slices"
	"time"
)

// admit waits until c may be sent and counts it. It returns a *PausedError at
// once when the wait is known to be longer than allowed.
func (g *Governor) admit(ctx context.Context, c *call) error {
	if ctx.Err() != nil {
		return &unsentError{context.Cause(ctx)}
	}
	g.mu.Lock()
	c.queuedAt, c.slowed = g.clock.Now(), false
	g.queue = append(g.queue, c)
	g.mu.Unlock()
	for {
		g.mu.Lock()
		now := g.clock.Now()
		w := g.look(now, c)
		err := g.tooLong(ctx, now, c, w)
		if err != nil || w.none {
			g.leave(now, c, err)
			g.mu.Unlock()
			return err
		}
		changed := g.changed
		g.mu.Unlock()

		var timer <-chan time.Time
		if !w.until.IsZero() {
			c.slowed = true
			timer = g.clock.After(w.until.Sub(now))
		}
		select {
		case <-changed:
		case <-timer:
		case <-ctx.Done():
			err := &unsentError{context.Cause(ctx)}
			g.mu.Lock()
			g.leave(g.clock.Now(), c, err)
			g.mu.Unlock()
			return err
		}
	}
}

// wait is what stands between a call and its sending: nothing, a time, or (the
// zero wait) another request that has to move first.
type wait struct {
	none   bool
	until  time.Time
	reason Reason
	hold   bool // a limit that GitHub imposed, rather than our own pace
}

// look decides whether c may go now. Calls go in order of arrival, except that
// others overtake a write which waits for its spacing.
func (g *Governor) look(now time.Time, c *call) wait {
	until, reason, busy := g.quotas.hold(now, g.inFlight)
	if g.pause.until.After(now) && g.pause.until.After(until) {
		until, reason = g.pause.until, g.pause.reason
	}
	if !until.IsZero() {
		return wait{until: until, reason: reason, hold: true}
	}
	spaced := g.writes.readyAt(now)
	for _, first := range g.queue {
		if first == c {
			break
		}
		if !first.write || !spaced.After(now) {
			return wait{}
		}
	}
	if c.write && spaced.After(now) {
		return wait{until: spaced, reason: ReasonSpacing}
	}
	if busy || g.inFlight >= g.lanes.open {
		return wait{}
	}
	if at := g.points.readyAt(now, c.points); at.After(now) {
		return wait{until: at, reason: ReasonPoints}
	}
	return wait{none: true}
}

// tooLong turns a wait that is not worth starting into a PausedError. A request
// spends no more than MaxWait under holds, over all its attempts.
func (g *Governor) tooLong(ctx context.Context, now time.Time, c *call, w wait) error {
	if w.until.IsZero() {
		return nil
	}
	since := now
	if w.hold {
		if c.heldSince.IsZero() {
			c.heldSince = now
		}
		since = c.heldSince
	}
	deadline, bounded := ctx.Deadline()
	if w.until.Sub(since) > g.opts.MaxWait || bounded && w.until.After(deadline) {
		return &PausedError{Until: w.until, Reason: w.reason}
	}
	return nil
}

// leave takes c out of the queue, sent when err is nil. The lock must be held.
func (g *Governor) leave(now time.Time, c *call, err error) {
	if i := slices.Index(g.queue, c); i >= 0 {
		g.queue = slices.Delete(g.queue, i, i+1)
	}
	if c.slowed {
		g.stats.Waits++
		g.stats.Waited += now.Sub(c.queuedAt)
	}
	if err == nil {
		g.inFlight++
		g.points.take(now, c.points)
		c.episode = g.pause.episode
		if c.write {
			g.writes.take(now)
			g.stats.Writes++
		} else {
			g.stats.Reads++
		}
	} else if paused := (*PausedError)(nil); errors.As(err, &paused) {
		g.stats.Paused++
	}
	g.wake()
}
