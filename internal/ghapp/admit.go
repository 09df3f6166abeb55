package ghapp

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/shelflife-dev/shelflife/internal/sendby"
)

// admit waits until c may be sent and counts it. It returns a *PausedError at
// once when the wait is known to be longer than allowed, and a *sendby.LateError
// when c would be sent after its time.
func (g *Governor) admit(ctx context.Context, c *call) error {
	if ctx.Err() != nil {
		return &unsentError{context.Cause(ctx)}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	c.queuedAt, c.slowed = now, false
	g.queue.add(c)
	for {
		w := g.next(now, c)
		err := late(ctx, now, w)
		if err == nil {
			err = g.tooLong(ctx, now, c, w)
		}
		if err != nil || w.none {
			g.leave(now, c, err)
			return err
		}
		if err := g.await(ctx, now, c, w); err != nil {
			g.leave(g.clock.Now(), c, err)
			return err
		}
		now = g.clock.Now()
	}
}

// await gives the lock away until c should look again.
func (g *Governor) await(ctx context.Context, now time.Time, c *call, w wait) error {
	if c.wake == nil {
		c.wake = make(chan struct{}, 1)
	}
	g.mu.Unlock()
	defer g.mu.Lock()
	var timer <-chan time.Time
	if !w.until.IsZero() {
		c.slowed = true
		timer = g.clock.After(w.until.Sub(now))
	}
	select {
	case <-c.wake:
	case <-timer:
	case <-ctx.Done():
		return &unsentError{context.Cause(ctx)}
	}
	return nil
}

// wait is what stands between a call and its sending: nothing, a time, or (the
// zero wait) another request that has to move first.
type wait struct {
	none   bool
	until  time.Time
	reason Reason
	hold   bool // a limit that GitHub imposed, rather than our own pace
}

// next decides whether c may go now.
//
// Reads go in order of arrival, and so do writes. Of the two that are first,
// the earlier goes first, unless it waits for its own pace or its own points:
// then the other overtakes it. Only while reads and writes share their points
// does a read wait for an earlier write that waits for points, since it would
// otherwise take them away, one by one and for ever.
func (g *Governor) next(now time.Time, c *call) wait {
	if w := g.held(now); !w.until.IsZero() {
		return w
	}
	if g.queue.head(c.write) != c {
		return wait{}
	}
	own := g.allowed(now, c)
	other := g.queue.head(!c.write)
	if other == nil || other.arrival > c.arrival {
		return own
	}
	switch theirs := g.allowed(now, other); {
	case theirs.none:
		return wait{} // it is on its way, and wakes this one when it leaves
	case theirs.reason == ReasonPoints && g.points.shared && own.until.Before(theirs.until):
		return theirs
	}
	return own
}

// held says until when nothing at all may be sent.
func (g *Governor) held(now time.Time) wait {
	until, reason, _ := g.quotas.hold(now, g.inFlight)
	if g.pause.until.After(now) && g.pause.until.After(until) {
		until, reason = g.pause.until, g.pause.reason
	}
	return wait{until: until, reason: reason, hold: true}
}

// allowed decides whether c could go now if it were alone in the queue.
func (g *Governor) allowed(now time.Time, c *call) wait {
	until, reason := now, Reason("")
	if c.write {
		until, reason = g.writes.readyAt(now), ReasonSpacing
	}
	if at := g.points.readyAt(now, c.write); at.After(until) {
		until, reason = at, ReasonPoints
	}
	if until.After(now) {
		return wait{until: until, reason: reason}
	}
	if _, _, busy := g.quotas.hold(now, g.inFlight); busy || g.inFlight >= g.lanes.open {
		return wait{}
	}
	return wait{none: true}
}

// late reports whether a request with a time to be sent by can't be sent by then.
func late(ctx context.Context, now time.Time, w wait) error {
	by, bounded := sendby.Of(ctx)
	if !bounded || sendby.Age(now, by) <= 0 && sendby.Age(w.until, by) <= 0 {
		return nil
	}
	until := now
	if w.until.After(now) {
		until = w.until
	}
	return &sendby.LateError{Err: &PausedError{Until: until, Reason: cmp.Or(w.reason, ReasonQueue)}}
}

// tooLong turns a wait that is not worth starting into a PausedError: one
// beyond MaxWait, or one that leaves less than the margin before the context's
// deadline. A request spends no more than MaxWait under holds, over all its attempts.
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
	if w.until.Sub(since) > g.opts.MaxWait || g.pastDeadline(ctx, w.until) {
		return &PausedError{Until: w.until, Reason: w.reason}
	}
	return nil
}

// pastDeadline reports whether a request sent at the given time would have less
// than the margin left.
func (g *Governor) pastDeadline(ctx context.Context, at time.Time) bool {
	deadline, bounded := ctx.Deadline()
	return bounded && at.Add(g.opts.DeadlineMargin).After(deadline)
}

// leave takes c out of the queue, sent when err is nil. The lock must be held.
func (g *Governor) leave(now time.Time, c *call, err error) {
	g.queue.remove(c)
	if c.slowed {
		g.stats.Waits++
		g.stats.Waited += now.Sub(c.queuedAt)
	}
	if err == nil {
		g.inFlight++
		g.points.take(now, c.write)
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
	g.queue.wakeHeads()
}
