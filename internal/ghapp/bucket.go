package ghapp

import "time"

// pointsWindow is one second longer than the minute GitHub counts over, so that
// requests that travel at different speeds do not meet in one of its minutes.
const pointsWindow = 61 * time.Second

// bucket keeps the points spent in the last window and says when more fit in.
// It remembers every request rather than a level that refills, because a level
// would let twice the bound through in a minute that starts with it full.
type bucket struct {
	perWindow int // 0 or less: no bound
	spent     []spending
	total     int
}

type spending struct {
	at     time.Time
	points int
}

// readyAt returns when points fit into the window: now or later.
func (b *bucket) readyAt(now time.Time, points int) time.Time {
	if b.perWindow <= 0 {
		return now
	}
	b.forget(now)
	free := b.perWindow - b.total
	for _, s := range b.spent {
		if points <= free {
			break
		}
		free += s.points
		now = s.at.Add(pointsWindow)
	}
	return now
}

func (b *bucket) take(now time.Time, points int) {
	if b.perWindow <= 0 {
		return
	}
	b.forget(now)
	b.spent = append(b.spent, spending{at: now, points: points})
	b.total += points
}

// spentBy returns the points of the window that ends now; 0 without a bound,
// when nothing is counted.
func (b *bucket) spentBy(now time.Time) int {
	b.forget(now)
	return b.total
}

func (b *bucket) forget(now time.Time) {
	old := 0
	for old < len(b.spent) && now.Sub(b.spent[old].at) >= pointsWindow {
		b.total -= b.spent[old].points
		old++
	}
	b.spent = b.spent[old:]
}
