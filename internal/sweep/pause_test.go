package sweep_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

func webhookItem(name string) retention.WorkItem {
	return retention.NewPackageWork(retention.PackageRef{Owner: "ACME", Type: retention.Container, Name: name},
		retention.Trigger{Kind: retention.TriggerWebhook, Event: "package", Action: "published", Sender: "jane"}, "change-of-"+name)
}

// failOnce fails the first step that begins so.
func (w *world) failOnce(prefix string, err error) {
	w.hook = func(step string) error {
		if strings.HasPrefix(step, prefix) {
			w.hook = nil
			return err
		}
		return nil
	}
}

func TestARateLimitPausesTheSweepAndTheTickResumesIt(t *testing.T) {
	until := func(w *world) time.Time { return w.clock.Now().Add(10 * time.Minute) }
	for name, tc := range map[string]struct {
		at   string
		err  func(w *world) error
		gone int
	}{
		"while connecting": {"connect", func(w *world) error { return &ghapp.PausedError{Until: until(w), Reason: ghapp.ReasonPrimary} }, 0},
		"while listing":    {"list", func(w *world) error { return &ghapp.PausedError{Until: until(w), Reason: ghapp.ReasonPrimary} }, 0},
		"while reading":    {"look p3", func(w *world) error { return &packages.Error{Outcome: packages.RateLimited, Until: until(w)} }, 0},
		"while deleting":   {"delete p2", func(w *world) error { return &packages.Error{Outcome: packages.RateLimited, Until: until(w)} }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.due()
			w.failOnce(tc.at, tc.err(w))
			w.work()
			s := w.state()
			if !s.Unfinished() || s.Cursor != 1 || !s.PausedUntil.Equal(until(w)) || s.Failures != 0 {
				t.Errorf("%+v", s)
			}
			diff(t, "gone when paused", tc.gone, len(w.gone()))

			// A webhook that comes meanwhile is kept, not lost, and asks nothing.
			asked := len(w.steps)
			w.must(w.queue.Send(t.Context(), webhookItem("p5")))
			w.work()
			w.tick()
			diff(t, "items during the pause", 0, w.queue.Len())
			diff(t, "steps during the pause", asked, len(w.steps))
			diff(t, "put off", 1, len(w.state().Deferred))

			w.clock.Advance(10 * time.Minute)
			w.tick()
			w.work()
			w.ended(swept())
			diff(t, "put off in the end", 0, len(w.state().Deferred))
		})
	}
}

func TestARateLimitDuringAReactionPutsThePackageOff(t *testing.T) {
	for _, at := range []string{"connect", "read p1", "delete p1"} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t)
			w.failOnce(at, &packages.Error{Outcome: packages.RateLimited, Until: began.Add(time.Second)})
			w.must(w.queue.Send(t.Context(), webhookItem("p1")))
			w.work()
			diff(t, "put off", 1, len(w.state().Deferred))
			diff(t, "least pause", began.Add(time.Minute), w.state().PausedUntil)
			w.clock.Advance(6 * time.Minute)
			w.tick()
			for range w.queue.Len() {
				w.must(w.one())
			}
			w.work()
			got := w.gone()
			if len(got) < 2 || got[len(got)-1] == "" {
				t.Errorf("gone: %v", got)
			}
			diff(t, "put off in the end", 0, len(w.state().Deferred))
		})
	}
}

func TestTheSwitchStopsBeforeTheNextCall(t *testing.T) {
	w := newWorld(t)
	w.due()
	w.hook = func(step string) error {
		if step == "deleted p1" {
			w.off = "incident"
		}
		return nil
	}
	w.work()
	diff(t, "deletions before it stopped", 3, w.times("delete "))
	diff(t, "phase", sweep.Applying, w.state().Phase)
	diff(t, "note", "switched off: incident", w.state().Note)

	asked := len(w.steps)
	w.must(w.queue.Send(t.Context(), webhookItem("p5")))
	w.clock.Advance(6 * time.Minute)
	w.tick()
	w.work()
	diff(t, "steps while it is on", asked, len(w.steps))

	w.off, w.hook = "", nil
	w.tick()
	w.work()
	w.tick() // the package's id may have been too young for the queue
	w.work()
	w.ended(swept())
}

func TestAReactionIsHeldWhileTheSwitchIsOn(t *testing.T) {
	w := newWorld(t)
	w.off = "incident"
	for range 2 {
		w.must(w.queue.Send(t.Context(), webhookItem("p0")))
	}
	w.work()
	diff(t, "steps", 0, len(w.steps))
	w.off = ""
	w.clock.Advance(6 * time.Minute)
	w.tick()
	w.must(w.one())
	diff(t, "gone", []string{"p0 w0", "p0 w1"}, w.gone())
}

func TestASweepThatKeepsFailingIsGivenUpUntilTheNext(t *testing.T) {
	w := newWorld(t)
	w.due()
	broken := errors.New("the disk is full")
	w.hook = func(step string) error {
		if step == "connect" {
			return broken
		}
		return nil
	}
	for n := 1; n <= 5; n++ {
		if err := w.one(); !errors.Is(err, broken) {
			t.Fatalf("%v, want the failure", err)
		}
		diff(t, "failures", n, w.state().Failures)
		w.clock.Advance(6 * time.Minute) // the queue has forgotten the item's id
		w.tick()
	}
	diff(t, "phase", sweep.Failed, w.state().Phase)
	diff(t, "items", 0, w.queue.Len())
	w.hook = nil
	w.clock.Advance(24 * time.Hour)
	w.tick()
	w.work()
	w.ended(swept())
}

func TestASweepSurvivesAFailureAndALostContinuation(t *testing.T) {
	w := newWorld(t)
	w.due()
	w.failOnce("connect", errors.New("no route to host"))
	if err := w.one(); err == nil {
		t.Fatal("the failure is not told")
	}
	w.engine(fullQueue{}) // continuations can't be sent
	w.hook = w.slowly(25 * time.Second)
	w.must(w.eng.Handle(t.Context(), retention.NewSweepWork(w.state().Run, "acme", "0")))
	diff(t, "cursor", 1, w.state().Cursor)
	diff(t, "failures", 0, w.state().Failures)
	w.boot()
	w.tick()
	w.work()
	w.ended(swept())
}

type fullQueue struct{}

func (fullQueue) Send(context.Context, retention.WorkItem) error { return errors.New("full") }

func TestTheTickClosesWhatAnInterruptionLeftOpen(t *testing.T) {
	w := newWorld(t)
	gone, stop := context.WithCancel(t.Context())
	w.hook = func(step string) error {
		if step == "delete p0" {
			stop()
			return context.Canceled
		}
		return nil
	}
	if err := w.eng.Handle(gone, webhookItem("p0")); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	w.hook = nil
	open := func() int {
		got, err := w.ledger().Open(t.Context(), "acme")
		w.must(err)
		return len(got)
	}
	if open() == 0 {
		t.Fatal("nothing was left open")
	}
	w.mode = retention.Observe
	w.clock.Advance(2 * time.Hour)
	w.boot()
	w.tick()
	w.tick()
	w.work()
	w.clock.Advance(time.Minute)
	w.tick()
	w.work()
	diff(t, "open intents", 0, open())
	diff(t, "gone", 0, len(w.gone()))
}
