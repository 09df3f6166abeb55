package ghapp

import (
	"math"
	"time"
)

// How fast the write rate rises, in writes a second for every write that went
// well: from two to three within some 20 writes as long as GitHub never
// complained, and a fifth as fast once it did.
const (
	rateStep         = 0.05
	rateStepRecovery = 0.01
)

// pacer spaces writes, by a rate that adapts or by a fixed time.
type pacer struct {
	fixed          time.Duration // above 0: instead of the rate; below: no spacing
	rate           float64       // writes a second, at present
	floor, ceiling float64
	limited        bool // a secondary limit was met
	last           time.Time
}

// spacing is the shortest time between the starts of two writes.
func (p *pacer) spacing() time.Duration {
	if p.fixed != 0 {
		return max(0, p.fixed)
	}
	return time.Duration(math.Ceil(float64(time.Second) / p.rate))
}

// current is the rate at present, in writes a second; 0 when there is no bound.
func (p *pacer) current() float64 {
	if s := p.spacing(); p.fixed != 0 && s > 0 {
		return float64(time.Second) / float64(s)
	} else if s == 0 {
		return 0
	}
	return p.rate
}

// readyAt returns when the next write may start: now or later.
func (p *pacer) readyAt(now time.Time) time.Time {
	if next := p.last.Add(p.spacing()); !p.last.IsZero() && next.After(now) {
		return next
	}
	return now
}

func (p *pacer) take(now time.Time) { p.last = now }

// success raises the rate by a step.
func (p *pacer) success() {
	step := rateStep
	if p.limited {
		step = rateStepRecovery
	}
	p.rate = min(p.ceiling, p.rate+step)
}

// halve lowers the rate after a secondary limit.
func (p *pacer) halve() {
	p.rate = max(p.floor, p.rate/2)
	p.limited = true
}
