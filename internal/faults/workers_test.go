package faults

import (
	"errors"
	"sync"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/enforce"
)

// tenWorkers lets ten workers of this process apply overlapping plans at once,
// with a budget that does not take them all.
func tenWorkers(*testing.T, *workshop) func(*Case) {
	return func(c *Case) {
		l := draw(c.Rand.Uint64N(64))
		limits := roomy()
		limits.DeletesPerDay = 1 + c.Rand.IntN(len(l.doomed))
		w := newWorld(c, l, limits)
		db, err := openState(w)
		w.Must(err)
		w.on(db)
		var all sync.WaitGroup
		for range 10 {
			line := w.newLine(db)
			plan, err := line.plan()
			w.Must(err)
			all.Go(func() {
				_, err := line.apply(w.Context(), plan)
				if err != nil && !errors.Is(err, enforce.ErrApplied) {
					w.Errorf("a worker: %v", err)
				}
			})
		}
		all.Wait()
		w.check("after all workers", false)
		w.exact(limits.DeletesPerDay)
	}
}
