package ghapp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheTimeLeftEndsAMarginBeforeTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		left, margin time.Duration
		paused       bool
	}{
		"enough":                          {31 * time.Second, 0, false},
		"a wait that ends in the margin":  {30*time.Second + 900*time.Millisecond, 0, true},
		"without a margin":                {30*time.Second + 900*time.Millisecond, Off, false},
		"a larger margin":                 {40 * time.Second, 11 * time.Second, true},
		"a larger margin that is kept":    {41 * time.Second, 11 * time.Second, false},
		"a deadline before the wait ends": {20 * time.Second, Off, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				m := &model{answer: once(answer{status: 429, header: map[string]string{"Retry-After": "30"}})}
				ctx, cancel := context.WithTimeout(t.Context(), c.left)
				defer cancel()
				err := fetch(ctx, testGovernor(t, GovernorOptions{DeadlineMargin: c.margin}).Wrap(m), "DELETE", "/x")
				if !c.paused {
					if err != nil || time.Since(begin) != 30*time.Second {
						t.Errorf("%v after %s, want an answer after 30 s", err, time.Since(begin))
					}
					return
				}
				var paused *PausedError
				if !errors.As(err, &paused) || !paused.Until.Equal(begin.Add(30*time.Second)) || !time.Now().Equal(begin) {
					t.Errorf("%v after %s, want a pause of 30 s at once", err, time.Since(begin))
				}
			})
		})
	}
}

func TestAPauseIsToldAtOnceToAllWhoCannotWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := &model{answer: once(answer{status: 429, header: map[string]string{"Retry-After": "30"}, latency: time.Second})}
		transport := testGovernor(t, GovernorOptions{MaxInFlight: 1}).Wrap(m)
		var wg sync.WaitGroup
		for i := range 2 { // the one that is refused, and one that waits first in the queue
			wg.Go(func() {
				if err := fetch(t.Context(), transport, "GET", fmt.Sprint("/patient/", i)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		err := fetch(ctx, transport, "GET", "/hurried")
		var paused *PausedError
		if !errors.As(err, &paused) || !paused.Until.Equal(begin.Add(31*time.Second)) || time.Since(begin) != time.Second {
			t.Errorf("%v after %s, want a pause until the 31st second, told with the refusal", err, time.Since(begin))
		}
		wg.Wait()
	})
}
