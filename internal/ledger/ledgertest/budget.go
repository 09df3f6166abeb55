package ledgertest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// wantBudget makes sure that err is that budget error.
func wantBudget(t *testing.T, err error, want ledger.BudgetError) {
	t.Helper()
	var got *ledger.BudgetError
	if !errors.As(err, &got) {
		t.Errorf("%v, want %v", err, &want)
	} else if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("budget error (-want +got)\n%s", diff)
	}
}

func testAllOrNothing(t *testing.T, in Instance) {
	b := newBench(t, in)
	costly := deletion(b.run, 1)
	costly.VersionID, costly.Target, costly.Cost = 0, retention.TargetPackage, 7
	if _, err := b.Begin(b.ctx, b.run, perRun(10), []ledger.Intent{costly}); err != nil {
		t.Fatal(err)
	}
	before := b.whole()
	_, err := b.Begin(b.ctx, b.run, perRun(10), deletions(b.run, 1, 4))
	wantBudget(t, err, ledger.BudgetError{Which: retention.GuardDeletesPerRun, Limit: 10, Used: 7, Asked: 4})
	_, err = b.Begin(b.ctx, b.run, perDay(9), deletions(b.run, 1, 3))
	wantBudget(t, err, ledger.BudgetError{Which: retention.GuardDeletesPerDay, Limit: 9, Used: 7, Asked: 3})
	if diff := cmp.Diff(before, b.whole()); diff != "" {
		t.Errorf("a refused reservation left something (-before +after)\n%s", diff)
	}
	if _, err := b.Begin(b.ctx, b.run, perRun(10), deletions(b.run, 1, 3)); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	// What the run holds already asks for nothing, whatever the limit is now.
	if _, err := b.Begin(b.ctx, b.run, perRun(0), deletions(b.run, 1, 3)); err != nil {
		t.Errorf("begun before: %v", err)
	}
	if got, want := b.used(), (ledger.Used{Run: 10, Day: 10}); got != want {
		t.Errorf("used %+v, want %+v", got, want)
	}
}

func testZeroLimits(t *testing.T, in Instance) {
	b := newBench(t, in)
	for _, tt := range []struct {
		limits retention.Limits
		want   retention.GuardCode
	}{
		{retention.Limits{}, retention.GuardDeletesPerRun},
		{perRun(0), retention.GuardDeletesPerRun},
		{perRun(-5), retention.GuardDeletesPerRun},
		{perDay(0), retention.GuardDeletesPerDay},
	} {
		_, err := b.Begin(b.ctx, b.run, tt.limits, deletions(b.run, 1, 1))
		wantBudget(t, err, ledger.BudgetError{Which: tt.want, Asked: 1})
	}
	if u := b.used(); u != (ledger.Used{}) {
		t.Errorf("used %+v, want nothing", u)
	}
}

func testRestoresAreFree(t *testing.T, in Instance) {
	b := newBench(t, in)
	g, err := b.Begin(b.ctx, b.run, retention.Limits{}, []ledger.Intent{restore(b.run, 1), restore(b.run, 2)})
	if err != nil || len(g.New) != 2 {
		t.Errorf("restores under zero limits: %d, %v; want 2", len(g.New), err)
	}
	if u := b.used(); u != (ledger.Used{}) {
		t.Errorf("used %+v, want nothing", u)
	}
	b.whole()
}

func testDayBoundary(t *testing.T, in Instance) {
	b := newBench(t, in) // at 23:30 UTC
	if _, err := b.Begin(b.ctx, b.run, perDay(2), deletions(b.run, 1, 2)); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(29 * time.Minute)
	_, err := b.Begin(b.ctx, b.run, perDay(2), deletions(b.run, 3, 3))
	wantBudget(t, err, ledger.BudgetError{Which: retention.GuardDeletesPerDay, Limit: 2, Used: 2, Asked: 1})
	b.clock.Advance(time.Minute)
	if got, want := b.used(), (ledger.Used{Run: 2}); got != want {
		t.Errorf("used after midnight %+v, want %+v", got, want)
	}
	if _, err := b.Begin(b.ctx, b.run, perDay(2), deletions(b.run, 3, 4)); err != nil {
		t.Errorf("after midnight: %v", err)
	}
	_, err = b.Begin(b.ctx, b.run, perRun(4), deletions(b.run, 5, 5))
	wantBudget(t, err, ledger.BudgetError{Which: retention.GuardDeletesPerRun, Limit: 4, Used: 4, Asked: 1})
	b.whole()
}

func testTenWorkers(t *testing.T, in Instance) {
	const workers, each, limit = 10, 8, 57
	b := newBench(t, in)
	var granted, refused atomic.Int64
	together(t, workers, func(w int) error {
		l := ledger.New(in.Another(t), b.clock.Now)
		run := aRun("acme", "plan-of-worker-"+retention.ID(w+1).String())
		if _, err := l.Start(b.ctx, run); err != nil {
			return err
		}
		for i := range each {
			g, err := l.Begin(b.ctx, run, perDay(limit), deletions(run, retention.ID(i+1), retention.ID(i+1)))
			if budget := (*ledger.BudgetError)(nil); errors.As(err, &budget) {
				refused.Add(1)
				continue
			}
			if err != nil {
				return err
			}
			granted.Add(int64(len(g.New)))
			if err := l.Finish(b.ctx, g.New[0], ledger.Result{Outcome: retention.OutcomeDone}); err != nil {
				return err
			}
		}
		return nil
	})
	if granted.Load() != limit || refused.Load() != workers*each-limit {
		t.Errorf("granted %d, refused %d; want %d and %d", granted.Load(), refused.Load(), limit, workers*each-limit)
	}
	if u := b.used(); u.Day != limit {
		t.Errorf("used %+v, want %d in the day", u, limit)
	}
	if v := b.whole(); v.Actions != limit || v.Open != 0 {
		t.Errorf("verification %+v, want %d actions, none open", v, limit)
	}
}

func testBatchSize(t *testing.T, in Instance) {
	b := newBench(t, in)
	_, err := b.Begin(b.ctx, b.run, perRun(99), deletions(b.run, 1, ledger.MaxIntents+1))
	if !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("one too many: %v, want ErrInvalid", err)
	}
	g, err := b.Begin(b.ctx, b.run, perRun(ledger.MaxIntents), deletions(b.run, 1, ledger.MaxIntents))
	if err != nil || len(g.New) != ledger.MaxIntents {
		t.Errorf("a full batch: %d, %v", len(g.New), err)
	}
	if v := b.whole(); v.Records != 1+ledger.MaxIntents {
		t.Errorf("%d records, want %d", v.Records, 1+ledger.MaxIntents)
	}
}
