package faults

import (
	"fmt"
	"slices"
	"sync"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

// layouts is how many different owners the cases in this process are drawn from.
const layouts = 64

// rehearsal is what an undisturbed run of an owner asks of GitHub.
type rehearsal struct{ plan, apply []githubsim.Call }

// rehearsals plays each owner undisturbed once, so that a fault can be aimed at
// calls that will come.
type rehearsals struct {
	mu   sync.Mutex
	kept map[string]rehearsal
}

func newRehearsals() *rehearsals { return &rehearsals{kept: map[string]rehearsal{}} }

func (r *rehearsals) of(l layout, c *Case) rehearsal {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := fmt.Sprintf("%+v", l.packages)
	if _, ok := r.kept[key]; !ok {
		r.kept[key] = c.rehearse(l)
	}
	return r.kept[key]
}

func (c *Case) rehearse(l layout) rehearsal {
	store := ledgertest.NewMemory()
	w := newWorld(c, l, roomy()).on(store)
	line := w.newLine(store)
	plan, err := line.plan()
	w.Must(err)
	got := rehearsal{plan: w.sim.Calls()}
	w.sim.ResetCalls()
	w.applied(line, plan)
	got.apply = w.sim.Calls()
	w.Found("undisturbed", checkFinal(w.evidence.start, w.sim.State(), l.doomed))
	return got
}

// aim draws what the fault strikes, among the calls that come when nothing is in
// the way, and how many of those pass before.
func (w *world) aim(f *githubsim.Fault, calls []githubsim.Call) {
	could := slices.DeleteFunc(matches(), func(match string) bool { return hits(match, calls) == 0 })
	f.Match = could[w.Rand.IntN(len(could))]
	f.Skip, f.Times = w.Rand.IntN(hits(f.Match, calls)), 1+w.Rand.IntN(12)
}

// hits counts the calls that a fault could strike.
func hits(match string, calls []githubsim.Call) (n int) {
	for _, call := range calls {
		if (githubsim.Fault{Match: match}).Fits(call) {
			n++
		}
	}
	return n
}
