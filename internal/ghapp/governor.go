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
// points per minute, spacing of writes, a reserve of the hourly quota, and the
// waits that GitHub asks for. All transports made by Wrap share its state. It
// is safe for concurrent use.
type Governor struct {
	opts  GovernorOptions
	clock Clock

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever those who wait should look again
	queue    []*call       // waiting, in order of arrival
	inFlight int
	lanes    lanes
	points   bucket
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
	points    int
	queuedAt  time.Time
	heldSince time.Time // first time a limit held the request, over all its attempts
	slowed    bool      // a limit made this attempt wait, not only the queue
	episode   int
}

// NewGovernor checks the options and returns a governor.
func NewGovernor(opts GovernorOptions) (*Governor, error) {
	opts, err := opts.normalized()
	if err != nil {
		return nil, err
	}
	return &Governor{
		opts:    opts,
		clock:   opts.Clock,
		changed: make(chan struct{}),
		lanes:   lanes{open: opts.MaxInFlight, most: opts.MaxInFlight, recoverAfter: opts.RecoverAfter},
		points:  bucket{perWindow: opts.PointsPerMinute},
		writes:  pacer{spacing: opts.WriteSpacing},
		quotas:  quotas{reservePercent: opts.ReservePercent, known: map[string]Quota{}},
	}, nil
}

// wake makes everybody who waits look again. The lock must be held.
func (g *Governor) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// release gives back the place in flight of a call.
func (g *Governor) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	g.wake()
}

// settle takes in what the answer to c said. It is called once per answer,
// before the place in flight is given back.
func (g *Governor) settle(c *call, h http.Header, v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
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
		}
	}
	g.wake()
}

// backOff pauses everything after a refusal: for as long as it says, or, when it
// does not, for a minute that doubles with every further episode.
func (g *Governor) backOff(c *call, h http.Header, now time.Time, reason Reason) {
	fresh := c.episode == g.pause.episode
	if fresh {
		g.pause.episode++
		g.pause.streak++
		g.lanes.halve()
	}
	if wait, ok := readRetryAfter(h, now); ok {
		// A wait of nothing would be a loop as fast as the network.
		g.holdUntil(now.Add(max(wait, time.Second)), reason)
		return
	}
	if fresh || !g.pause.until.After(now) {
		wait := float64(firstBackoff) * math.Pow(2, float64(g.pause.streak-1)) * (1 + g.opts.Jitter()/4)
		g.holdUntil(now.Add(time.Duration(min(wait, float64(longestWait)))), reason)
	}
}

func (g *Governor) holdUntil(until time.Time, reason Reason) {
	if until.After(g.pause.until) {
		g.pause.until, g.pause.reason = until, reason
	}
}
