package sweep_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
)

func TestAHeldOwnerIsNotSwept(t *testing.T) {
	w := newWorld(t)
	w.due()
	release, err := w.eng.Hold(t.Context(), "ACME", "other", "acme")
	w.must(err)
	item, err := w.queue.Receive(t.Context())
	w.must(err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.eng.Handle(ended, item); !errors.Is(err, context.Canceled) || len(w.steps) != 0 {
		t.Fatalf("%v after %v, want to have waited", err, w.steps)
	}
	if _, err := w.eng.Hold(ended, "beta", "acme"); !errors.Is(err, context.Canceled) {
		t.Fatalf("held twice: %v", err)
	}
	release()
	w.must(w.eng.Handle(t.Context(), item))
	w.work()
	if diff := cmp.Diff(swept(), w.gone()); diff != "" {
		t.Errorf("after the release (-want +got):\n%s", diff)
	}
	release, err = w.eng.Hold(t.Context(), "beta") // the hold that failed kept nothing
	w.must(err)
	release()
}

func TestAHoldWaitsForTheSliceAtHand(t *testing.T) {
	w := newWorld(t)
	w.due()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	asked := 0
	w.hook = func(step string) error {
		if _, err := w.eng.Hold(ended, "acme"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: held meanwhile: %v", step, err)
		}
		asked++
		return nil
	}
	w.work()
	if asked == 0 {
		t.Error("the sweep took no step")
	}
	release, err := w.eng.Hold(t.Context(), "acme")
	w.must(err)
	release()
}

func TestWithoutPoliciesWorkIsHeld(t *testing.T) {
	w := newWorld(t)
	none := errors.New("the bundle is stale")
	w.eng.Judge, w.eng.Policies = nil, func() (enforce.Judge, guard.Bundle, error) {
		if none != nil {
			return nil, guard.Bundle{}, none
		}
		return w.judge, w.bundle, nil
	}
	w.due()
	w.must(w.one())
	if len(w.steps) != 0 || len(w.gone()) != 0 {
		t.Fatalf("without policies: %v", w.steps)
	}
	none = nil
	w.clock.Advance(time.Minute)
	w.tick()
	w.work()
	if diff := cmp.Diff(swept(), w.gone()); diff != "" {
		t.Errorf("with policies (-want +got):\n%s", diff)
	}
}
