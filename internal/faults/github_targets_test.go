package faults

import (
	"slices"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// onStateFile keeps each case's ledger in a state file.
func onStateFile(*testing.T) func(*world) ledger.Store {
	return func(w *world) ledger.Store {
		db, err := openState(w)
		w.Must(err)
		return db
	}
}

// onTables keeps each case's ledger in a table of its own.
func onTables(start func(testing.TB) *awstest.Env) stores {
	return func(t *testing.T) func(*world) ledger.Store {
		ts := &tables{env: start(t), t: t}
		return func(*world) ledger.Store { return ts.open(ts.create(), nil) }
	}
}

// impatient are faults that the real binary, whose waits are real, is soon over.
func impatient() map[string]githubsim.Fault {
	return map[string]githubsim.Fault{
		"500-before": {Status: 500}, "500-after": {Status: 500, AfterEffect: true}, "502-before": {Status: 502}, "502-after": {Status: 502, AfterEffect: true},
		"reset-before": {Kind: githubsim.FaultReset}, "reset-after": {Kind: githubsim.FaultReset, AfterEffect: true},
		"truncated": {Kind: githubsim.FaultTruncate}, "404": {Status: 404}, "403": {Status: 403},
		"secondary": {Kind: githubsim.FaultSecondary, RetryAfter: 1},
	}
}

// misbehavingCLI is the campaign against the real binary: a run while GitHub
// misbehaves, and runs when it does not.
func misbehavingCLI(_ *testing.T, ws *workshop) func(*Case) {
	undisturbed := newRehearsals()
	return func(c *Case) {
		faults := impatient()
		var kinds []string
		for kind := range faults {
			kinds = append(kinds, kind)
		}
		slices.Sort(kinds)
		f := faults[kinds[c.Rand.IntN(len(kinds))]]
		l := draw(c.Rand.Uint64N(variants))
		usual := undisturbed.of(l, c)
		w := newWorld(c, l, roomy())
		w.extra = oneOwner
		w.configure()
		w.aim(&f, slices.Concat(usual.plan, usual.apply))
		f.Times = min(f.Times, 4)
		w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
		if code := w.run(ws, []int{0, 1, 3, 4, 5}, "run", "--yes"); code != 0 {
			c.Count("not done at once")
		}
		if w.sim.FaultsFired() > 0 {
			c.Count("struck")
		}
		w.check("while it lasts", true)
		w.Must(w.sim.SetFaults(nil))
		w.finishCLI(ws, "cli-run", calm{gone: l.doomed}, 0, []string{"run", "--yes"})
		if w.ahead.Load() == 0 && c.Rand.IntN(4) == 0 {
			w.undoAll(ws)
		}
	}
}
