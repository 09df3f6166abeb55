package faults

import (
	"errors"
	"sync"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// tenWorkers lets ten workers of this process share a budget in a state file.
func tenWorkers(*testing.T, *workshop) func(*Case) {
	return func(c *Case) {
		l, limits := shared(c)
		w := newWorld(c, l, limits)
		db, err := openState(w)
		w.Must(err)
		w.on(db)
		w.tenAtOnce(func() *line { return w.newLine(db) })
	}
}

// tenOnDynamoDB lets ten workers with clients of their own share one on the AWS ledger.
func tenOnDynamoDB(t *testing.T, _ *workshop, env *awstest.Env) func(*Case) {
	ts := &tables{env: env, t: t}
	return func(c *Case) {
		l, limits := shared(c)
		w, table := c.onDynamoDB(ts, l, limits)
		w.tenAtOnce(func() *line { return w.newLine(ts.open(table, nil)) })
	}
}

// shared is an owner with a budget that may not take all that goes.
func shared(c *Case) (layout, retention.Limits) {
	l, limits := draw(c.Rand.Uint64N(64)), roomy()
	limits.DeletesPerDay = 1 + c.Rand.IntN(len(l.doomed))
	return l, limits
}

// tenAtOnce has ten workers plan one after the other and apply all at once.
func (w *world) tenAtOnce(worker func() *line) {
	var all sync.WaitGroup
	for range 10 {
		line := worker()
		plan, err := line.plan()
		w.Must(err)
		all.Go(func() {
			res, err := line.apply(w.Context(), plan)
			if err == nil {
				err = res.StoppedBy
			}
			if err != nil && !errors.Is(err, enforce.ErrApplied) {
				w.Errorf("a worker: %v", err)
			}
		})
	}
	all.Wait()
	w.check("after all workers", false)
	// What they reserved for one another's deletions may have left room for others.
	last := worker()
	plan, err := last.plan()
	w.Must(err)
	w.applied(last, plan)
	w.exact(w.limits.DeletesPerDay)
}
