package enforce_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// nthLooker does something right before the n-th look at a version.
type nthLooker struct {
	enforce.Looker
	n    int
	hook func()
}

func (l *nthLooker) GetVersion(ctx context.Context, o retention.Owner, t retention.PackageType, name string, id retention.ID) (retention.Version, error) {
	if l.n--; l.n == 0 {
		l.hook()
	}
	return l.Looker.GetVersion(ctx, o, t, name, id)
}

// GitHub answers a deletion with 500, shows the version for a while, and then the
// deletion happens all the same: it is this run's, and its undo brings it back.
func TestADeletionThatHappensLateIsTheRunsOwn(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0")
	plan := w.plan(judge)
	targets := w.acme()
	targets[0].Looker = &nthLooker{Looker: targets[0].Looker, n: 2, hook: func() { w.handDelete("web", "w0") }}
	w.faults(githubsim.Fault{Match: "DELETE /**", Status: 500, Times: 1})
	res := w.apply(plan, judge, targets...)
	diff(t, "outcomes", map[string]string{"web w0": "done"}, outcomes(res.Items))
	if len(w.byHand) == 0 {
		t.Error("nothing happened late")
	}
	diff(t, "what is gone", []string{"web w0"}, w.gone())
	w.apply(w.undo(plan), nil)
	diff(t, "what is gone after the undo", []string{}, w.gone())
}

// The same across a crash: the call was made, GitHub still shows the version when the
// run is taken up, and then the version goes.
func TestADeletionThatHappensAfterACrashIsTheRunsOwn(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0")
	plan := w.plan(judge)
	if w.applyUntil(5, plan, judge) { // start, begin: two steps each; the call
		t.Fatal("it was not killed")
	}
	if open, err := w.ledger().Open(w.ctx(), "acme"); err != nil || len(open) != 1 || len(w.gone()) != 0 {
		t.Fatalf("%d intents are open, %v is gone: %v", len(open), w.gone(), err)
	}
	targets := w.acme()
	targets[0].Looker = &nthLooker{Looker: targets[0].Looker, n: 1, hook: func() { w.handDelete("web", "w0") }}
	res := w.apply(plan, judge, targets...)
	diff(t, "outcomes", map[string]string{"web w0": "done"}, outcomes(res.Items))
	if len(w.byHand) == 0 {
		t.Error("nothing happened late")
	}
	w.apply(w.undo(plan), nil)
	diff(t, "what is gone after the undo", []string{}, w.gone())
}

// Undoing a run twice does not bring back what was deleted again in between.
func TestASecondUndoLeavesWhatWentLater(t *testing.T) {
	for name, again := range map[string]func(*world){
		"by a person": func(w *world) { w.handDelete("web", "w0") },
		"by another run": func(w *world) {
			later := w.plan(expire("w0"))
			w.apply(later, expire("w0"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := expire("w0", "w1")
			plan := w.plan(judge)
			w.apply(plan, judge)
			w.apply(w.undo(plan), nil)
			diff(t, "what is gone after the undo", []string{}, w.gone())
			w.clock.Advance(time.Hour)
			again(w)
			second := w.undo(plan)
			diff(t, "statuses", map[string]string{"web w0": "blocked: restore_window", "web w1": "kept: restore_window"}, statuses(second.Items()))
			w.apply(second, nil)
			diff(t, "what is gone after the second undo", []string{"web w0"}, w.gone())
		})
	}
}

// A deletion that GitHub has wait for a few seconds is not sent once somebody has
// stopped the run meanwhile.
func TestARunThatIsStoppedDuringAWaitSendsNothingMore(t *testing.T) {
	for _, name := range []string{"w0", "1.0.0"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := expire(name)
			plan := w.plan(judge)
			why := errors.New("the switch is on")
			on := false
			w.waiting = func(d time.Duration) { on = on || d >= 3*time.Second }
			w.faults(githubsim.Fault{Match: "DELETE /**", Kind: githubsim.FaultSecondary, RetryAfter: 5, Times: 1})
			req := w.request(plan, judge)
			req.Stop = func(context.Context) error {
				if on {
					return why
				}
				return nil
			}
			res, err := w.enforcer().Apply(w.ctx(), req)
			w.must(err)
			if !errors.Is(res.StoppedBy, why) || !on {
				t.Errorf("stopped by %v, want the switch", res.StoppedBy)
			}
			diff(t, "what is gone", []string{}, w.gone())
			w.faults()
			if res = w.apply(plan, judge); res.StoppedBy != nil || !res.Clean() || len(w.gone()) != 1 {
				t.Errorf("taken up again: stopped by %v, gone %v", res.StoppedBy, w.gone())
			}
			w.audit(plan)
		})
	}
}

// onRead does something right after the first reading of a package.
type onRead struct {
	enforce.Reader
	hook func()
}

func (r *onRead) Read(ctx context.Context, o retention.Owner, p retention.Package, opts inventory.Options) (retention.Inventory, error) {
	inv, err := r.Reader.Read(ctx, o, p, opts)
	if r.hook != nil {
		r.hook()
		r.hook = nil
	}
	return inv, err
}

// What another process has ended is not done once more: its record would not hold.
func TestAnIntentThatEndsElsewhereIsNotCarriedOut(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0")
	plan := w.plan(judge)
	if w.applyUntil(5, plan, judge) {
		t.Fatal("it was not killed")
	}
	targets := w.acme()
	targets[0].Reader = &onRead{Reader: targets[0].Reader, hook: func() {
		open, err := w.ledger().Open(w.ctx(), "acme")
		w.must(err)
		for _, a := range open {
			w.must(w.ledger().Finish(w.ctx(), a.Intent, ledger.Result{Outcome: retention.OutcomeFailed}))
		}
	}}
	if _, err := w.enforcer().Apply(w.ctx(), w.request(plan, judge, targets...)); !errors.Is(err, enforce.ErrElsewhere) {
		t.Errorf("%v, want that another process is at it", err)
	}
	diff(t, "what is gone", []string{}, w.gone())
}

// A run that was killed after a call and then undone does not delete again what the
// undo brought back, nor anything else, when it is taken up.
func TestARunThatWasUndoneIsNotTakenUpAgain(t *testing.T) {
	for _, step := range []int{6, 7} { // after the call, before its outcome
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := expire("w0", "w1")
			plan := w.plan(judge)
			if w.applyUntil(step, plan, judge) {
				t.Fatal("it was not killed")
			}
			w.apply(w.undo(plan), nil)
			diff(t, "what is gone after the undo", []string{}, w.gone())
			w.clock.Advance(time.Minute)
			res := w.apply(plan, judge)
			diff(t, "what is gone when it is taken up again", []string{}, w.gone())
			for name, outcome := range outcomes(res.Items) {
				if outcome == "" {
					t.Errorf("%s has no outcome", name)
				}
			}
			if res.StoppedBy != nil {
				t.Errorf("stopped by %v", res.StoppedBy)
			}
			if _, err := w.enforcer().Apply(w.ctx(), w.request(plan, judge)); !errors.Is(err, enforce.ErrApplied) {
				t.Errorf("%v, want that the run is over", err)
			}
			if open, err := w.ledger().Open(w.ctx(), "acme"); err != nil || len(open) != 0 {
				t.Errorf("%d intents are open: %v", len(open), err)
			}
		})
	}
}
