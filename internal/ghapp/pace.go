package ghapp

import "time"

// pacer spaces writes. It is the place for a rate that adapts: spacing is read
// anew for every write.
type pacer struct {
	spacing time.Duration // 0 or less: none
	last    time.Time
}

// readyAt returns when the next write may start: now or later.
func (p *pacer) readyAt(now time.Time) time.Time {
	if next := p.last.Add(p.spacing); !p.last.IsZero() && next.After(now) {
		return next
	}
	return now
}

func (p *pacer) take(now time.Time) { p.last = now }

// lanes is how many requests may be in flight: halved by a secondary limit, one
// more again after each recoverAfter requests that went well.
type lanes struct {
	open, most   int
	recoverAfter int
	wentWell     int
}

func (l *lanes) halve() {
	l.open = max(1, l.open/2)
	l.wentWell = 0
}

func (l *lanes) success() {
	if l.open >= l.most {
		return
	}
	if l.wentWell++; l.wentWell >= l.recoverAfter {
		l.open++
		l.wentWell = 0
	}
}
