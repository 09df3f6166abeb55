package faults

import (
	"fmt"
	"slices"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

// unread makes each page and each manifest unreadable, one after the other: the
// seed says which package and which of its parts.
func unread(*testing.T, *workshop) func(*Case) {
	return func(c *Case) {
		l := draw(c.Rand.Uint64N(64))
		w := newWorld(c, l, roomy()).on(ledgertest.NewMemory())
		store, _, _ := w.evidence.look()
		line := w.newLine(store)
		pkg := l.packages[c.Rand.IntN(len(l.packages))]
		f := githubsim.Fault{Match: fmt.Sprintf("GET /orgs/acme/packages/%s/%s/versions", pkg.Type, escaped(pkg.Name))}
		if pkg.Name != "lib" && c.Rand.IntN(2) == 0 {
			f.Match = "GET /v2/acme/" + pkg.Name + "/manifests/*"
			f.Skip, f.Times = c.Rand.IntN(len(pkg.Versions)), 1
		}
		switch c.Rand.IntN(3) {
		case 0:
			f.Status = []int{500, 502, 403}[c.Rand.IntN(3)]
		case 1:
			f.Kind = githubsim.FaultTruncate
		default:
			f.Kind = githubsim.FaultReset
		}
		w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
		plan, err := line.plan()
		w.Must(err)
		w.Must(w.sim.SetFaults(nil))
		_, err = line.apply(w.Context(), plan)
		w.Must(err)
		want := slices.Clone(l.doomed)
		if len(plan.Problems()) > 0 {
			c.Count("unread")
			want = slices.DeleteFunc(want, func(name string) bool { return packageOf(name) == pkg.Name })
		}
		w.check("with a part unread", false)
		w.Found("with a part unread", checkFinal(w.evidence.start, w.sim.State(), want))
	}
}
