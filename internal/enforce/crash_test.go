package enforce_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// killed is what a fuse panics with: the process is gone between two steps.
type killed struct{}

// fuse counts steps and kills at the n-th; 0 never does.
type fuse struct{ n, at int }

func (f *fuse) step() {
	if f.n++; f.n == f.at {
		panic(killed{})
	}
}

// fusedStore kills before or after a commit of the ledger.
type fusedStore struct {
	ledger.Store
	fuse *fuse
}

func (s fusedStore) Commit(ctx context.Context, b ledger.Batch) error {
	s.fuse.step()
	defer s.fuse.step()
	return s.Store.Commit(ctx, b)
}

// fusedWriter kills before or after a call to GitHub.
type fusedWriter struct {
	enforce.Writer
	fuse *fuse
}

func (w fusedWriter) DeleteVersion(ctx context.Context, o retention.Owner, t retention.PackageType, name string, id retention.ID) (packages.Receipt, error) {
	w.fuse.step()
	defer w.fuse.step()
	return w.Writer.DeleteVersion(ctx, o, t, name, id)
}

func (w fusedWriter) RestoreVersion(ctx context.Context, o retention.Owner, t retention.PackageType, name string, id retention.ID) (packages.Receipt, error) {
	w.fuse.step()
	defer w.fuse.step()
	return w.Writer.RestoreVersion(ctx, o, t, name, id)
}

func (w fusedWriter) DeletePackage(ctx context.Context, o retention.Owner, t retention.PackageType, name string) (packages.Receipt, error) {
	w.fuse.step()
	defer w.fuse.step()
	return w.Writer.DeletePackage(ctx, o, t, name)
}

// applyUntil applies a plan in a process that is killed at the n-th step.
func (w *world) applyUntil(n int, p guard.Plan, j enforce.Judge) (finished bool) {
	w.t.Helper()
	f := &fuse{at: n}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	targets := w.acme()
	targets[0].Writer = fusedWriter{targets[0].Writer, f}
	_, err := w.enforcerOn(fusedStore{w.store, f}).Apply(w.ctx(), w.request(p, j, targets...))
	w.must(err)
	return true
}

// crashJudge asks for two units, single versions of two packages, and one whole
// package.
func crashJudge() rules {
	names := expire("v1", "plain", "w0", "w1")
	return rules{decide: func(inv retention.Inventory) []retention.Decision {
		if inv.Package.Name != "lib" {
			return names.decide(inv)
		}
		return []retention.Decision{{Policy: "retire", Rule: "retire", Action: retention.Delete, Target: retention.TargetPackage, Reason: "old", Severity: "low", Mode: retention.Enforce}}
	}}
}

func crashWorld(t *testing.T) *world {
	seed := acmeSeed()
	// A second package of its type: without it a listing without lib proves nothing.
	other := seed.Owners[0].Packages[2]
	other.Name = "tool"
	seed.Owners[0].Packages = append(seed.Owners[0].Packages, other)
	return newWorld(t, seed)
}

func judgeButTool(j rules) rules {
	return rules{deleted: j.deleted, decide: func(inv retention.Inventory) []retention.Decision {
		if inv.Package.Name == "tool" {
			return nil
		}
		return j.decide(inv)
	}}
}

func TestRunKilledAtAnyStepIsTakenUpToTheSameEnd(t *testing.T) {
	judge := judgeButTool(crashJudge())
	calm := crashWorld(t)
	plan := calm.plan(judge)
	calm.apply(plan, judge)
	want := calm.gone()
	if len(want) != 9 {
		t.Fatalf("an undisturbed run leaves %v", want)
	}
	for n := 1; ; n++ {
		finished := false
		t.Run(fmt.Sprintf("step %d", n), func(t *testing.T) {
			w := crashWorld(t)
			plan := w.plan(judge)
			finished = w.applyUntil(n, plan, judge)
			w.audit(plan)
			if !finished {
				w.resumeAfterKill(plan, judge)
			}
			diff(t, "what is gone in the end", want, w.gone())
			w.audit(plan)
			if open, err := w.ledger().Open(t.Context(), "acme"); err != nil || len(open) != 0 {
				t.Errorf("open intents: %v, %v", open, err)
			}
		})
		if finished {
			if n < 30 {
				t.Errorf("only %d steps: the fuse is not in the line", n)
			}
			return
		}
	}
}

// resumeAfterKill applies the plan again, and a third time must be refused.
func (w *world) resumeAfterKill(plan guard.Plan, judge enforce.Judge) {
	w.t.Helper()
	res, err := w.enforcer().Apply(w.ctx(), w.request(plan, judge))
	if res.Run == "" {
		w.t.Fatalf("resume: %v", err)
	}
	runs, err := w.ledger().Run(w.ctx(), plan.ID())
	w.must(err)
	if len(runs) != 1 || runs[0].FinishedAt.IsZero() {
		w.t.Errorf("the run is not closed: %+v", runs)
	}
}

func TestWhatAKilledRunLeftOpenIsClosedByALaterRun(t *testing.T) {
	judge := judgeButTool(crashJudge())
	for n := 1; ; n++ {
		w := crashWorld(t)
		plan := w.plan(judge)
		if w.applyUntil(n, plan, judge) {
			return
		}
		w.clock.Advance(2 * time.Hour)
		later := expire("w2", "w3")
		next := w.plan(later)
		if res := w.apply(next, later); !res.Clean() || res.Resumed {
			t.Errorf("killed at step %d, the later run: %v, stopped by %v", n, outcomes(res.Items), res.StoppedBy)
		}
		if open, err := w.ledger().Open(t.Context(), "acme"); err != nil || len(open) != 0 {
			t.Errorf("killed at step %d, still open: %v, %v", n, open, err)
		}
		w.audit(plan, next)
	}
}

func TestOpenIntentsOfAWorkerThatMayBeAliveAreLeftToIt(t *testing.T) {
	w := crashWorld(t)
	first, later := expire("w0", "w1"), expire("w2")
	plan := w.plan(first)
	w.applyUntil(7, plan, first) // after the first deletion, before its outcome
	before, err := w.ledger().Open(t.Context(), "acme")
	w.must(err)
	w.apply(w.plan(later), later)
	after, err := w.ledger().Open(t.Context(), "acme")
	w.must(err)
	if len(before) == 0 {
		t.Fatal("the kill left nothing open")
	}
	diff(t, "open intents", before, after)
}

func TestAnIntentThatCannotBeLookedAtStaysOpenAndHoldsNobodyUp(t *testing.T) {
	w := crashWorld(t)
	first, later := expire("w0"), expire("1.0.0")
	plan := w.plan(first)
	w.applyUntil(5, plan, first) // the intent is written, nothing is deleted
	w.clock.Advance(2 * time.Hour)
	next := w.plan(later)
	w.faults(githubsim.Fault{Match: "GET /orgs/acme/packages/*/web/versions/*", Status: 403})
	res := w.apply(next, later)
	diff(t, "outcomes", map[string]string{"lib 1.0.0": "done", "tool 1.0.0": "done"}, outcomes(res.Items))
	if open, err := w.ledger().Open(t.Context(), "acme"); err != nil || len(open) != 1 {
		t.Errorf("open: %v, %v; want the one that could not be looked at", open, err)
	}
	w.audit(next)
}

func TestResumedRunRefusesWhatHasChangedAndStillCloses(t *testing.T) {
	w := crashWorld(t)
	judge := expire("w0", "w1")
	plan := w.plan(judge)
	w.applyUntil(5, plan, judge) // the intents are written, nothing is deleted
	if got := w.gone(); len(got) != 0 {
		t.Fatalf("gone before the resume: %v", got)
	}
	w.retag("web", "w0", "wanted")
	res := w.apply(plan, judge)
	diff(t, "outcomes", map[string]string{"web w0": "changed", "web w1": "done"}, outcomes(res.Items))
	diff(t, "what is gone", []string{"web w1"}, w.gone())
	w.audit(plan)
	runs, err := w.ledger().Run(t.Context(), plan.ID())
	w.must(err)
	if len(runs) != 1 || runs[0].FinishedAt.IsZero() {
		t.Errorf("the run is not closed: %+v", runs)
	}
}

func TestUndoKilledAtAnyStepIsTakenUpToTheSameEnd(t *testing.T) {
	judge := expire("v1", "w0")
	for n := 1; ; n++ {
		w := newWorld(t, acmeSeed())
		plan := w.plan(judge)
		w.apply(plan, judge)
		undo, err := w.enforcer().PlanUndo(t.Context(), plan.ID(), w.acme())
		w.must(err)
		finished := w.applyUntil(n, undo, nil)
		w.checkWhole("the kill")
		if !finished {
			w.resumeAfterKill(undo, nil)
		}
		diff(t, fmt.Sprintf("killed at step %d, what is gone", n), []string{}, w.gone())
		w.audit(plan, undo)
		if finished {
			return
		}
	}
}

func TestInterruptedRunIsUndoneInOrder(t *testing.T) {
	judge := expire("v1", "w0")
	for n := 1; ; n++ {
		w := newWorld(t, acmeSeed())
		plan := w.plan(judge)
		if w.applyUntil(n, plan, judge) {
			return
		}
		undo, err := w.enforcer().PlanUndo(t.Context(), plan.ID(), w.acme())
		if n <= 2 {
			continue // the run has written nothing yet, or only that it began
		}
		w.must(err)
		res := w.apply(undo, nil)
		if res.StoppedBy != nil || !res.Clean() {
			t.Errorf("killed at step %d, the undo: %v, stopped by %v", n, outcomes(res.Items), res.StoppedBy)
		}
		diff(t, fmt.Sprintf("killed at step %d, what is gone", n), []string{}, w.gone())
		w.checkWhole("the undo")
	}
}

func TestCancelledRunStopsCleanlyAndIsTakenUp(t *testing.T) {
	judge := sweeping("v1", "plain", "w0", "1.0.0")
	calm := newWorld(t, acmeSeed())
	calm.apply(calm.plan(judge), judge)
	want := calm.gone()
	for n := 1; n <= len(want); n++ {
		for name, after := range map[string]bool{"before a call": false, "after a call": true} {
			t.Run(fmt.Sprintf("%s, number %d", name, n), func(t *testing.T) {
				w := newWorld(t, acmeSeed())
				plan := w.plan(judge)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				targets := w.acme()
				targets[0].Writer = &cancelling{Writer: targets[0].Writer, cancel: cancel, left: n, after: after}
				res, err := w.enforcer().Apply(ctx, w.request(plan, judge, targets...))
				w.must(err)
				if n < len(want) && !errors.Is(res.StoppedBy, context.Canceled) {
					t.Errorf("stopped by %v", res.StoppedBy)
				}
				w.audit(plan)
				w.resumeAfterKill(plan, judge)
				diff(t, "what is gone in the end", want, w.gone())
				w.audit(plan)
			})
		}
	}
}
