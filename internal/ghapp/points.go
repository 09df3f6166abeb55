package ghapp

import "time"

// points is the budget of points per minute. GitHub's documentation allows 900
// to "a single endpoint". Reading and deleting a version have the same path and
// different methods; whether they are one endpoint or two, it does not say.
//
// All reads together are kept under the bound, and all writes together,
// whatever their paths, which is stricter than per endpoint when the method
// counts as part of it. The first secondary limit proves nothing but is taken
// as a sign that it does not: from then on everything shares one budget. On
// that reading, a delete with the read before it costs six points, so that no
// more than 150 a minute are possible.
type points struct {
	reads, writes, all bucket
	shared             bool
}

func newPoints(perMinute int, shared bool) points {
	b := bucket{perWindow: perMinute}
	return points{reads: b, writes: b, all: b, shared: shared}
}

func (p *points) class(write bool) (own *bucket, cost int) {
	if write {
		return &p.writes, writePoints
	}
	return &p.reads, readPoints
}

// readyAt returns when a request fits in: now or later.
func (p *points) readyAt(now time.Time, write bool) time.Time {
	own, cost := p.class(write)
	if p.shared {
		own = &p.all
	}
	return own.readyAt(now, cost)
}

func (p *points) take(now time.Time, write bool) {
	own, cost := p.class(write)
	own.take(now, cost)
	p.all.take(now, cost)
}

// spent returns the points of the last window.
func (p *points) spent(now time.Time) (reads, writes int) {
	return p.reads.spentBy(now), p.writes.spentBy(now)
}
