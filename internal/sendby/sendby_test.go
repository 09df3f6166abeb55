package sendby_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/sendby"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

func TestAgeCountsTheTimeThatTheMachineSlept(t *testing.T) {
	now := time.Now()
	for name, tc := range map[string]struct {
		now  time.Time
		want time.Duration
	}{
		"nothing has passed":      {now, 0},
		"a minute has passed":     {now.Add(time.Minute), time.Minute},
		"the machine slept":       {testclock.Asleep(now, time.Hour), time.Hour},
		"the clock was set back":  {testclock.Asleep(now, -time.Hour), 0},
		"only the wall is known":  {now.Round(0).Add(time.Minute), time.Minute},
		"it slept, then a minute": {testclock.Asleep(now, time.Hour).Add(time.Minute), time.Hour + time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sendby.Age(tc.now, now); got != tc.want {
				t.Errorf("age %s, want %s", got, tc.want)
			}
		})
	}
}

func TestWhatForbidsARequestIsAsked(t *testing.T) {
	if err := sendby.Stopped(t.Context()); err != nil {
		t.Errorf("nothing forbids it: %v", err)
	}
	why := errors.New("the switch is on")
	on := false
	ctx := sendby.Unless(t.Context(), func(context.Context) error {
		if on {
			return why
		}
		return nil
	})
	if err := sendby.Stopped(ctx); err != nil {
		t.Errorf("the switch is off: %v", err)
	}
	on = true
	err := sendby.Stopped(ctx)
	var stopped *sendby.StoppedError
	if !errors.As(err, &stopped) || !errors.Is(err, why) || !stopped.NotSent() {
		t.Errorf("%v, want that it was stopped, and why", err)
	}
}
