package faults

import (
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// glance is GitHub at one moment: what is there, and how many writing calls there
// were so far.
type glance struct {
	state  githubsim.State
	writes int
}

func (w *world) glance() glance { return glance{w.sim.State(), w.sim.CallCounts().Mutating} }

// checkQuiet: between two moments nobody tried to change anything, and nothing did.
func checkQuiet(before, after glance) (wrong []string) {
	if n := after.writes - before.writes; n != 0 {
		wrong = append(wrong, fmt.Sprintf("%d writing calls were made, and there was nothing to do", n))
	}
	return append(wrong, checkSame(before.state, after.state)...)
}

// checkIdle: the plan does nothing.
func checkIdle(s retention.Summary) []string {
	if s.Delete+s.Restore+s.Held > 0 {
		return []string{fmt.Sprintf("it still deletes %d, restores %d and holds %d", s.Delete, s.Restore, s.Held)}
	}
	return nil
}
