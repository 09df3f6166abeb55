package ghapp

import (
	"math"
	"net/http"
	"sync"
	"time"
)

// What a request costs in GitHub's points.
const (
	readPoints  = 1
	writePoints = 5
)

// firstBackoff is the wait after a refusal that says nothing of how long, as
// GitHub's documentation asks; it doubles each time.
const firstBackoff = time.Minute

// Governor bounds everything that one credential sends: requests in flight,
// points per minute, the rate of writes, a reserve of the hourly quota, and the
// waits that GitHub asks for. All transports made by Wrap share its state;
// Governors finds the one that a credential already has. It is safe for
// concurrent use.
//
// It is work-conserving: a request waits only while GitHub asked for a wait, a
// quota is down to its reserve or could be once the requests in flight are
// counted, no place in flight is free, the pace of writes or the points do not
// allow it, or an earlier request of its kind waits. As soon as none of these
// is true any more, it is sent.
type Governor struct {
	opts  GovernorOptions
	clock Clock

	mu       sync.Mutex
	queue    queue
	inFlight int
	lanes    lanes
	points   points
	writes   pacer
	quotas   quotas
	pause    pause
	stats    Stats
}

// pause is what a refusal leaves behind. One episode may refuse several
// requests in flight: only those sent since it was last noticed start a new one.
type pause struct {
	until   time.Time
	reason  Reason
	episode int
	streak  int // episodes without a good answer in between
}

// call is one attempt of one request, from the queue to its settling.
type call struct {
	write     bool
	arrival   int           // place in the order of arrival
	wake      chan struct{} // made when it has to wait
	queuedAt  time.Time
	heldSince time.Time // first time a limit held the request, over all its attempts
	slowed    bool      // a limit made this attempt wait, not only the queue
	episode   int
	renewed   bool // by the transport below: the token was refused, and a new one can be had
}

// look makes the call, if it waits, look again.
func (c *call) look() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// NewGovernor checks the options and returns a governor.
func NewGovernor(opts GovernorOptions) (*Governor, error) {
	opts, err := opts.normalized()
	if err != nil {
		return nil, err
	}
	return &Governor{
		opts:   opts,
		clock:  opts.Clock,
		lanes:  lanes{open: opts.MaxInFlight, most: opts.MaxInFlight, recoverAfter: opts.RecoverAfter},
		points: newPoints(opts.PointsPerMinute, opts.SharePoints),
		writes: pacer{fixed: opts.WriteSpacing, rate: opts.WriteStart, floor: opts.WriteFloor, ceiling: opts.WriteCeiling},
		quotas: quotas{reservePercent: opts.ReservePercent, known: map[string]Quota{}},
	}, nil
}

// release gives back the place in flight of a call.
func (g *Governor) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	g.queue.wakeHeads()
}

// settle takes in what the answer to c said. It is called once per answer,
// before the place in flight is given back.
func (g *Governor) settle(c *call, h http.Header, v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	paused := g.pause.until.After(now)
	q, hasQuota := readQuota(h)
	if hasQuota {
		g.quotas.learn(q)
	}
	switch v {
	case verdictPrimary:
		g.stats.PrimaryLimits++
		if !hasQuota || !q.Reset.After(now) {
			g.backOff(c, h, now, ReasonPrimary)
			break
		}
		g.holdUntil(q.Reset.Add(resetMargin), ReasonPrimary)
		if wait, ok := readRetryAfter(h, now); ok {
			g.holdUntil(now.Add(wait), ReasonPrimary)
		}
	case verdictSecondary:
		g.stats.SecondaryLimits++
		g.backOff(c, h, now, ReasonSecondary)
	case verdictDone:
		if c.episode == g.pause.episode {
			g.pause.streak = 0
			g.lanes.success()
			if c.write {
				g.writes.success()
			}
		}
	}
	if !paused && g.pause.until.After(now) {
		g.stats.Pauses++
	}
	if w := g.held(now); !w.until.IsZero() {
		g.queue.wakeAll()
		return
	}
	g.queue.wakeHeads()
}

// backOff pauses everything after a refusal: for as long as it says, or, when it
// does not, for a minute that doubles with every further episode.
func (g *Governor) backOff(c *call, h http.Header, now time.Time, reason Reason) {
	fresh := c.episode == g.pause.episode
	if fresh {
		g.pause.episode++
		g.pause.streak++
		g.lanes.halve()
		if reason == ReasonSecondary {
			g.writes.halve()
			g.points.shared = true
		}
	}
	if wait, ok := readRetryAfter(h, now); ok {
		// A wait of nothing would be a loop as fast as the network.
		g.holdUntil(now.Add(max(wait, time.Second)), reason)
		return
	}
	if !fresh {
		// Another of the same episode may have named a shorter wait. Not to
		// name one asks for a minute all the same.
		g.holdUntil(now.Add(firstBackoff), reason)
		return
	}
	wait := float64(firstBackoff) * math.Pow(2, float64(g.pause.streak-1)) * (1 + g.opts.Jitter()/4)
	g.holdUntil(now.Add(time.Duration(min(wait, float64(longestWait)))), reason)
}

func (g *Governor) holdUntil(until time.Time, reason Reason) {
	if until.After(g.pause.until) {
		g.pause.until, g.pause.reason = until, reason
	}
}
