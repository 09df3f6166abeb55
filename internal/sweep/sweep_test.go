package sweep_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/config"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

func diff(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func (w *world) state() sweep.State {
	w.t.Helper()
	b, ok, err := w.db.LoadSweep(w.t.Context(), "acme")
	w.must(err)
	var s sweep.State
	if ok {
		w.must(json.Unmarshal(b, &s))
	}
	return s
}

// ended demands that the sweep is done, its run closed and nothing left open.
func (w *world) ended(want []string) {
	w.t.Helper()
	s := w.state()
	diff(w.t, "phase", sweep.Done, s.Phase)
	diff(w.t, "what is gone", want, w.gone())
	runs, err := w.ledger().Run(w.t.Context(), s.Run)
	w.must(err)
	if len(want) > 0 && (len(runs) != 1 || runs[0].FinishedAt.IsZero()) {
		w.t.Errorf("the run is not closed: %+v", runs)
	}
	open, err := w.ledger().Open(w.t.Context(), "acme")
	if err != nil || len(open) != 0 {
		w.t.Errorf("open intents: %v, %v", open, err)
	}
	if _, err := w.ledger().Verify(w.t.Context(), "acme"); err != nil {
		w.t.Error(err)
	}
}

func TestTickStartsASweepWhenItIsDueAndOnce(t *testing.T) {
	w := newWorld(t)
	w.due()
	w.tick()
	diff(t, "items queued", 1, w.queue.Len())
	w.work()
	w.ended(swept())
	diff(t, "run", "20310506T030000Z-", w.state().Run[:17])
	w.clock.Advance(23 * time.Hour)
	w.tick()
	diff(t, "items before it is due again", 0, w.queue.Len())

	w.judge = expire("w2")
	w.boot()
	w.clock.Advance(72 * time.Hour) // three times were missed
	w.tick()
	w.work()
	w.tick()
	diff(t, "items after one sweep has made up", 0, w.queue.Len())
	diff(t, "what is gone", 18, len(w.gone()))
}

func TestAnOwnerWithoutAScheduleIsNotSwept(t *testing.T) {
	w := newWorld(t)
	w.cfg.Owners[0].Schedule = config.Cron{}
	w.boot()
	for range 3 {
		w.tick()
		w.clock.Advance(24 * time.Hour)
	}
	diff(t, "items", 0, w.queue.Len())
}

// Every reading from GitHub and every deletion takes longer than half a slice.
func TestSlicesGoOnWhereTheOneBeforeEnded(t *testing.T) {
	for name, seen := range map[string]bool{"packages never seen": false, "snapshots of the day before": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.due()
			if seen {
				w.mode = retention.Observe
				w.work()
				w.mode = retention.Enforce
				w.clock.Advance(24 * time.Hour)
				w.tick()
				w.handled, w.plans = nil, nil
			}
			readings := 0
			w.hook = func(step string) error {
				_, kept, err := w.db.Snapshot(t.Context(), retention.PackageRef{Owner: "acme", Type: retention.Container, Name: step[5:]})
				reads := strings.HasPrefix(step, "read ") || strings.HasPrefix(step, "look ") && !kept
				if reads || strings.HasPrefix(step, "deleted ") {
					w.clock.Advance(35 * time.Second)
				}
				if reads && w.state().Phase == sweep.Planning {
					readings++
				}
				return err
			}
			w.hook = onlyPackages(w.hook)
			w.work()
			w.ended(swept())
			if n := len(w.handled); n < 7 {
				t.Errorf("only %d slices: %v", n, w.handled)
			}
			diff(t, "readings to plan", packagesOfAcme, readings)
			diff(t, "deletions", 12, w.times("delete "))
			diff(t, "plans recorded", 1, len(w.plans))
		})
	}
}

// onlyPackages leaves out the steps that name no package.
func onlyPackages(hook func(string) error) func(string) error {
	return func(step string) error {
		if !strings.Contains(step, " ") {
			return nil
		}
		return hook(step)
	}
}

func TestASliceThatIsTooShortForAnythingGrows(t *testing.T) {
	w := newWorld(t)
	w.hook = func(step string) error {
		if step == "list" {
			w.clock.Advance(3 * time.Minute) // a slice is one
		}
		return nil
	}
	w.due()
	w.work()
	w.ended(swept())
	diff(t, "slices", []string{"#0", "#1", "#2"}, w.handled)
}

func TestAWebhookOvertakesTheRestOfASweep(t *testing.T) {
	w := newWorld(t)
	w.hook = w.slowly(20 * time.Second)
	w.due()
	w.must(w.queue.Send(t.Context(), webhookItem("p5")))
	for range 2 {
		w.must(w.one())
	}
	diff(t, "order", []string{"#0", "p5"}, w.handled)
	diff(t, "gone before the sweep has planned", []string{"p5 w0", "p5 w1"}, w.gone())
	w.work()
	w.ended(swept())
}

func TestAKilledSweepEndsAsAnUndisturbedOne(t *testing.T) {
	for n := 1; ; n++ {
		finished := false
		t.Run(fmt.Sprintf("step %d", n), func(t *testing.T) {
			w := newWorldOf(t, 3)
			w.slice = time.Second
			w.boot()
			w.due()
			finished = w.workUntil(n)
			if !finished {
				w.boot()
				w.clock.Advance(time.Minute)
				w.tick()
				w.work()
			}
			w.ended(sweptOf(3))
			diff(t, "deletions in the ledger", 6, w.done())
		})
		if finished {
			if n < 20 {
				t.Errorf("only %d steps: the fuse is not in the line", n)
			}
			return
		}
	}
}

type killed struct{}

// workUntil works in a process that is killed at the n-th step.
func (w *world) workUntil(n int) (finished bool) {
	w.t.Helper()
	defer func() {
		w.hook = nil
		if r := recover(); r != nil && r != (any)(killed{}) {
			panic(r)
		}
	}()
	step := 0
	w.hook = func(what string) error {
		w.clock.Advance(600 * time.Millisecond)
		// Readings for the plan are made by goroutines of their own, whose panics
		// nobody can catch: these steps only end the slice.
		if strings.HasPrefix(what, "look") || (strings.HasPrefix(what, "read") && w.state().Phase == sweep.Planning) {
			return nil
		}
		if step++; step == n {
			panic(killed{})
		}
		return nil
	}
	w.work()
	return true
}

// done counts the deletions that the ledger says are done or gone.
func (w *world) done() int {
	actions, err := w.ledger().Actions(w.t.Context(), w.state().Run)
	w.must(err)
	n := 0
	for _, a := range actions {
		if a.Outcome == retention.OutcomeDone || a.Outcome == retention.OutcomeGone {
			n++
		}
	}
	return n
}

func TestAProcessThatEndsBetweenSlicesGoesOnWithTheNext(t *testing.T) {
	w := newWorld(t)
	w.hook = w.slowly(25 * time.Second)
	w.due()
	for slices := 0; ; slices++ {
		w.must(w.one())
		if !w.state().Unfinished() {
			if slices < 5 {
				t.Errorf("only %d slices", slices)
			}
			break
		}
		w.boot()
		w.tick()
	}
	w.ended(swept())
}

func TestObservedOwnersAreOnlyPlanned(t *testing.T) {
	w := newWorld(t)
	w.mode = retention.Observe
	w.boot()
	w.due()
	w.must(w.queue.Send(t.Context(), webhookItem("p0")))
	w.work()
	w.ended(nil)
	diff(t, "writes", 0, w.times("delete"))
	var observed []int
	for _, p := range w.plans {
		observed = append(observed, p.Summary().Observed)
	}
	diff(t, "observed in the sweep and in the package", []int{12, 2}, observed)
}

func TestAPercentageAlarmHoldsASweep(t *testing.T) {
	w := newWorld(t)
	w.limits.PercentOfOwner = 40 // the sweep would take half
	w.boot()
	w.due()
	w.work()
	w.ended(nil)
	diff(t, "held", 12, w.plans[0].Summary().Held)
}

func TestAPlanThatCantBeAppliedAnyMoreIsMadeAnew(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"expired":          func(w *world) { w.clock.Advance(25 * time.Hour) },
		"other policies":   func(w *world) { w.bundle = guard.Bundle{Digest: "sha256:new"} },
		"not there":        func(w *world) { w.must(w.db.SavePlan(w.t.Context(), "acme", "another", []byte("x"))) },
		"other parameters": func(w *world) { w.bundle.ParamsDigest = "sha256:new" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.due()
			w.hook = func(step string) error {
				if strings.HasPrefix(step, "delete") {
					w.off = "now"
				}
				return nil
			}
			w.work()
			first := w.state()
			diff(t, "phase", sweep.Applying, first.Phase)
			w.off, w.hook = "", nil
			w.clock.Advance(time.Minute)
			change(w)
			w.boot()
			w.tick()
			w.work()
			if w.state().Run == first.Run {
				t.Error("the same run goes on")
			}
			diff(t, "phase", sweep.Done, w.state().Phase)
			diff(t, "what is gone", swept(), w.gone())
		})
	}
}
