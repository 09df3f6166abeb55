package main

import (
	"context"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// switchedOff says that the kill switch is on.
type switchedOff struct{ why string }

func (e *switchedOff) Error() string {
	return fmt.Sprintf("switched off: %s: nothing is deleted; remove the file PAUSE beside the state file, or unset SHELFLIFE_PAUSE, once it is safe", e.why)
}

// stopFor is the kill switch for carrying out a plan; nil where it does not hold.
// Restoring what was deleted is what a person does while the switch is on.
func (s *session) stopFor(plan guard.Plan) func(context.Context) error {
	if plan.Kind() == retention.RunUndo || plan.Kind() == retention.RunManual && plan.Summary().Delete == 0 {
		return nil
	}
	off := s.pauseSwitch()
	return func(ctx context.Context) error {
		if on, why := off.Paused(ctx); on {
			return &switchedOff{why}
		}
		return nil
	}
}
