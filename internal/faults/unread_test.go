package faults

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

// unread makes each page and each manifest unreadable, one after the other, for
// good or for some attempts: the seed says which package and which of its parts.
func unread(*testing.T, *workshop) func(*Case) {
	return func(c *Case) {
		l := paged(draw(c.Rand.Uint64N(layouts)))
		w := newWorld(c, l, roomy()).on(ledgertest.NewMemory())
		store, _, _ := w.evidence.look()
		line := w.newLine(store)
		w.Must(w.sim.SetFaults([]githubsim.Fault{w.unreadable()}))
		plan, err := line.plan()
		w.Must(err)
		missed := w.neverRead(w.sim.Calls())
		w.Must(w.sim.SetFaults(nil))
		_, err = line.apply(w.Context(), plan)
		w.Must(err)
		want := slices.DeleteFunc(slices.Clone(l.doomed), func(name string) bool { return slices.Contains(missed, packageOf(name)) })
		w.tally(missed)
		if len(missed) > 0 && len(plan.Problems()) == 0 {
			w.Errorf("the plan does not say that %v was not read", missed)
		}
		w.check("with a part unread", false)
		w.Found(fmt.Sprintf("with a part of %v unread", missed), checkFinal(w.evidence.start, w.sim.State(), want))
	}
}

// tally counts what became of the fault.
func (w *world) tally(missed []string) {
	if len(missed) > 0 {
		w.Count("unread")
	} else if w.sim.FaultsFired() > 0 {
		w.Count("read after all")
	}
	for _, c := range w.sim.Calls() {
		switch {
		case c.Fault == "" || len(missed) == 0:
		case c.Path == packageList:
			w.Count("list of packages unread")
			return
		case strings.HasPrefix(c.Path, "/v2/"):
			w.Count("manifest unread")
			return
		case strings.Contains("&"+c.Query, "&page=2"):
			w.Count("second page unread")
			return
		}
	}
}

const packageList = "/orgs/acme/packages"

// paged is a layout whose library has a second page of versions, the oldest of
// which goes.
func paged(l layout) layout {
	for i, p := range l.packages {
		if p.Name != "lib" {
			continue
		}
		for n := range 110 {
			name := fmt.Sprintf("0.%d.0", n)
			if n == 0 {
				name += "-rc.1"
			}
			l.packages[i].Versions = append(l.packages[i].Versions, githubsim.Version{Name: name, CreatedAt: days(200 - n)})
		}
	}
	l.doomed = nil
	l.work()
	return l
}

// unreadable draws a part that cannot be read.
func (w *world) unreadable() githubsim.Fault {
	pkg := w.packages[w.Rand.IntN(len(w.packages))]
	versions := fmt.Sprintf("GET /orgs/acme/packages/%s/%s/versions", pkg.Type, escaped(pkg.Name))
	f := githubsim.Fault{Match: versions}
	switch {
	case w.Rand.IntN(6) == 0:
		f.Match = "GET " + packageList
		f.Skip = w.Rand.IntN(2)
	case pkg.Name == "lib":
		f.Match += fmt.Sprintf("?page=%d", 1+w.Rand.IntN(2))
	case w.Rand.IntN(2) == 0:
		f.Match = "GET /v2/acme/" + pkg.Name + "/manifests/*"
		f.Skip, f.Times = w.Rand.IntN(len(pkg.Versions)), 1
	}
	if w.Rand.IntN(4) == 0 {
		f.Times = 1 + w.Rand.IntN(4)
	}
	switch w.Rand.IntN(3) {
	case 0:
		f.Status = []int{500, 502, 403}[w.Rand.IntN(3)]
	case 1:
		f.Kind = githubsim.FaultTruncate
	default:
		f.Kind = githubsim.FaultReset
	}
	return f
}

// neverRead lists the packages of which a part was asked for, was struck, and was
// not answered later: what GitHub saw, whatever the program makes of it. A list of
// packages is a part of all packages of its type.
func (w *world) neverRead(calls []githubsim.Call) (out []string) {
	open := map[string][]string{} // path and query → packages
	for _, c := range calls {
		names := w.partOf(c)
		if c.Method != "GET" || len(names) == 0 {
			continue
		}
		what := c.Path + "?" + c.Query
		switch {
		case c.Fault != "":
			open[what] = names
		case c.Status == 200 || c.Status == 304:
			delete(open, what)
		}
	}
	for _, names := range open {
		out = append(out, names...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// partOf lists the packages that the call reads a list or a manifest for.
func (w *world) partOf(c githubsim.Call) (names []string) {
	query, err := url.ParseQuery(c.Query)
	w.Must(err)
	for _, p := range w.packages {
		versions := fmt.Sprintf("%s/%s/%s/versions", packageList, p.Type, escaped(p.Name))
		switch {
		case c.Path == packageList && query.Get("package_type") == string(p.Type), c.Path == versions,
			strings.HasPrefix(c.Path, "/v2/acme/"+p.Name+"/manifests/"):
			names = append(names, p.Name)
		}
	}
	return names
}
