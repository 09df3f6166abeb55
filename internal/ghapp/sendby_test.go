package ghapp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shelflife-dev/shelflife/internal/sendby"
)

func TestARequestIsNotSentAfterItsTime(t *testing.T) {
	for name, c := range map[string]struct {
		within   time.Duration // that it may be sent in
		arrivals int           // with the attempt that GitHub refused
		late     bool
	}{
		"a limit that is over in time":       {31 * time.Second, 2, false},
		"a limit that ends just then":        {30 * time.Second, 2, false},
		"a limit that is over too late":      {29 * time.Second, 1, true},
		"a time that is over from the start": {-time.Second, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				m := &model{answer: once(answer{status: 429, header: map[string]string{"Retry-After": "30"}})}
				err := fetch(sendby.In(t.Context(), begin.Add(c.within)), testGovernor(t, GovernorOptions{}).Wrap(m), "DELETE", "/x")
				if len(m.arrivals) != c.arrivals {
					t.Errorf("%d attempts, want %d", len(m.arrivals), c.arrivals)
				}
				if !c.late {
					if err != nil || time.Since(begin) != 30*time.Second {
						t.Errorf("%v after %s, want an answer after 30 s", err, time.Since(begin))
					}
					return
				}
				var late *sendby.LateError
				var paused *PausedError
				if !errors.As(err, &late) || !errors.As(err, &paused) || !NotSent(err) || !time.Now().Equal(begin) {
					t.Errorf("%v after %s, want to be told at once that it is late, and until when", err, time.Since(begin))
				}
				if c.arrivals > 0 && paused != nil && !paused.Until.Equal(begin.Add(30*time.Second)) {
					t.Errorf("paused until %s, want 30 s from the start", paused.Until)
				}
			})
		})
	}
}

// What forbids a request is asked again when it has waited, or is sent once more; a
// request that goes at once costs no question more.
func TestAStoppedRequestIsNotSentAfterItsWait(t *testing.T) {
	for name, c := range map[string]struct {
		wait     string // that GitHub asks for, "" for none
		arrivals int
		asked    int
	}{
		"it goes at once":        {"", 1, 0},
		"GitHub asks for a wait": {"5", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &model{answer: once()}
				if c.wait != "" {
					m.answer = once(answer{status: 429, header: map[string]string{"Retry-After": c.wait}})
				}
				why, asked := errors.New("the switch is on"), 0
				ctx := sendby.Unless(t.Context(), func(context.Context) error { asked++; return why })
				g := testGovernor(t, GovernorOptions{})
				err := fetch(ctx, g.Wrap(m), "DELETE", "/x")
				if len(m.arrivals) != c.arrivals || asked != c.asked {
					t.Errorf("%d attempts and %d questions, want %d and %d", len(m.arrivals), asked, c.arrivals, c.asked)
				}
				if stopped := errors.Is(err, why) && NotSent(err); stopped != (c.asked > 0) {
					t.Errorf("error: %v", err)
				}
				if g.inFlight != 0 {
					t.Errorf("%d in flight afterwards", g.inFlight)
				}
			})
		})
	}
}
