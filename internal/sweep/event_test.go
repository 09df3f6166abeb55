package sweep_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// observe notes every event from then on.
func (w *world) observe() *[]string {
	var heard []string
	w.eng.Observe = func(e sweep.Event) {
		text := map[sweep.EventKind]string{
			sweep.Began: "began", sweep.Ended: "ended", sweep.GivenUp: "given up", sweep.QueueFailed: "queue failed",
			sweep.PlanMade: fmt.Sprintf("plan of %d deletes", e.Summary.Delete), sweep.RunEnded: fmt.Sprintf("run of %d items", len(e.Result.Items)),
		}[e.Kind]
		heard = append(heard, e.Owner+" "+text)
	}
	return &heard
}

func TestARunIsHeardOnceHoweverManySlicesItTakes(t *testing.T) {
	w := newWorld(t)
	w.due()
	heard := w.observe()
	w.failOnce("delete p2", &ghapp.PausedError{Until: w.clock.Now().Add(10 * time.Minute), Reason: ghapp.ReasonPrimary})
	w.work()
	w.clock.Advance(10 * time.Minute)
	w.tick()
	w.work()
	w.ended(swept())
	diff(t, "heard", []string{"acme began", "acme plan of 12 deletes", "acme run of 12 items", "acme ended"}, *heard)
}

func TestPausesRightBehindOneAnotherAreOne(t *testing.T) {
	w := newWorld(t)
	w.due()
	start := w.clock.Now()
	pause := func(at string, d time.Duration) {
		t.Helper()
		w.failOnce(at, &ghapp.PausedError{Until: w.clock.Now().Add(d), Reason: ghapp.ReasonPrimary})
		w.tick()
		w.work()
	}
	pause("connect", time.Hour)
	diff(t, "paused at first", time.Duration(0), w.state().PausedFor(w.clock.Now()))
	w.clock.Advance(50 * time.Minute)
	diff(t, "paused for", 50*time.Minute, w.state().PausedFor(w.clock.Now()))
	w.clock.Advance(11 * time.Minute)
	diff(t, "paused when it is over", time.Duration(0), w.state().PausedFor(w.clock.Now()))
	pause("connect", time.Hour)
	diff(t, "since", start.UTC(), w.state().PausedSince)
	diff(t, "paused for in all", 61*time.Minute, w.state().PausedFor(w.clock.Now()))

	w.clock.Advance(2 * time.Hour)
	again := w.clock.Now()
	pause("connect", time.Hour)
	diff(t, "since, after a while without", again.UTC(), w.state().PausedSince)
}

func TestAnItemThatIsPutOffIsSentByTheTick(t *testing.T) {
	w := newWorld(t)
	w.must(w.eng.PutOff(t.Context(), webhookItem("p1")))
	diff(t, "steps", 0, len(w.steps))
	for _, item := range []retention.WorkItem{
		retention.NewSweepWork("run", "acme", "0"), // the tick sends sweeps by itself
		retention.NewPackageWork(retention.PackageRef{Owner: "mallory", Type: retention.NPM, Name: "x"}, retention.Trigger{Kind: retention.TriggerWebhook}, ""),
	} {
		w.must(w.eng.PutOff(t.Context(), item))
	}
	diff(t, "put off", 1, len(w.state().Deferred))
	w.tick()
	w.work()
	diff(t, "put off in the end", 0, len(w.state().Deferred))
	diff(t, "gone", 2, len(w.gone()))
}

func TestWhatAnAlarmHoldsIsKeptForAPerson(t *testing.T) {
	w := newWorld(t)
	w.limits.PercentOfOwner = 10
	w.due()
	w.work()
	s := w.state()
	if s.Phase != sweep.Done || s.Note == "nothing to do" {
		t.Errorf("%+v, want that it is done and says that all is held", s)
	}
	if _, ok, err := w.db.LoadPlan(t.Context(), "acme", s.Run); !ok || err != nil {
		t.Errorf("the plan is kept: %v, %v", ok, err)
	}
	diff(t, "gone", 0, len(w.gone()))
}
