package faults

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

// matches are what a fault may strike.
func matches() []string {
	return []string{
		"* /**", "* /orgs/**", "DELETE /orgs/**", "GET /orgs/*/packages", "GET /orgs/*/packages/*/*/versions",
		"GET /orgs/*/packages/*/*/versions/*", "GET /v2/**", "GET /token",
	}
}

// githubFaults are the ways in which GitHub misbehaves, by name.
func githubFaults() map[string]func(c *Case) githubsim.Fault {
	no := false
	limit := func(kind githubsim.FaultKind, status int, headers *bool) func(*Case) githubsim.Fault {
		return func(c *Case) githubsim.Fault {
			return githubsim.Fault{Kind: kind, Status: status, Headers: headers, RetryAfter: 1 + c.Rand.IntN(4000)}
		}
	}
	plain := func(f githubsim.Fault) func(*Case) githubsim.Fault { return func(*Case) githubsim.Fault { return f } }
	out := map[string]func(c *Case) githubsim.Fault{
		"500-before": plain(githubsim.Fault{Status: 500}), "500-after": plain(githubsim.Fault{Status: 500, AfterEffect: true}),
		"502-before": plain(githubsim.Fault{Status: 502}), "404": plain(githubsim.Fault{Status: 404}), "403": plain(githubsim.Fault{Status: 403}),
		"reset-before": plain(githubsim.Fault{Kind: githubsim.FaultReset}), "reset-after": plain(githubsim.Fault{Kind: githubsim.FaultReset, AfterEffect: true}),
		"truncated": plain(githubsim.Fault{Kind: githubsim.FaultTruncate}),
		"slow":      plain(githubsim.Fault{Kind: githubsim.FaultSlow, Delay: githubsim.Duration(2 * time.Millisecond)}),
		"stale":     plain(githubsim.Fault{Kind: githubsim.FaultStale}), "expired-token": plain(githubsim.Fault{Status: 401}),
	}
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		for words, headers := range map[string]*bool{"": nil, "-bare": &no} {
			out[fmt.Sprintf("primary-%d%s", status, words)] = limit(githubsim.FaultPrimary, status, headers)
			out[fmt.Sprintf("secondary-%d%s", status, words)] = limit(githubsim.FaultSecondary, status, headers)
		}
	}
	return out
}

func faultNames() []string {
	var out []string
	for name := range githubFaults() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// githubCampaigns is one campaign for each kind of fault.
func githubCampaigns() (out []campaign) {
	for _, name := range faultNames() {
		out = append(out, campaign{"github", name, 400, 3, 2, func(*testing.T, *workshop) func(*Case) {
			return func(c *Case) { c.playGitHub(githubFaults()[name]) }
		}})
	}
	return out
}

// playGitHub plans and applies while GitHub misbehaves, at a random place and for
// a random while, and then once more when it does not.
func (c *Case) playGitHub(fault func(*Case) githubsim.Fault) {
	l := draw(c.Rand.Uint64N(64))
	w := newWorld(c, l, roomy()).on(ledgertest.NewMemory())
	store, _, _ := w.evidence.look()
	line := w.newLine(store)
	f := fault(c)
	f.Match = matches()[c.Rand.IntN(len(matches()))]
	f.Skip, f.Times = c.Rand.IntN(12), 1+c.Rand.IntN(12)
	early := c.Rand.IntN(3) == 0
	if early {
		w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
	}
	plan, err := line.plan()
	if err != nil && !early {
		c.Fatalf("plan: %v", err)
	}
	if !early {
		w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
	}
	stopped := false
	if err == nil {
		res, err := line.apply(w.Context(), plan)
		w.Must(err)
		stopped = res.StoppedBy != nil
	}
	if slices.ContainsFunc(w.sim.Calls(), func(k githubsim.Call) bool { return k.Status == 0 || k.Status >= 400 }) || f.Kind == githubsim.FaultTruncate || f.Kind == githubsim.FaultSlow || f.Kind == githubsim.FaultStale {
		c.Count("struck")
	}
	w.check("while it lasts", true)

	w.Must(w.sim.SetFaults(nil))
	line.clock.Advance(2 * time.Hour)
	if stopped {
		c.Count("stopped")
		res, err := line.apply(w.Context(), plan)
		w.Must(err)
		w.Must(res.StoppedBy)
		w.check("resumed", false)
	}
	for range 3 { // what ended as failed, the next plans take up
		next, err := line.plan()
		w.Must(err)
		res, err := line.apply(w.Context(), next)
		w.Must(err)
		w.Must(res.StoppedBy)
	}
	w.check("afterwards", false)
	w.Found("afterwards", checkFinal(w.evidence.start, w.sim.State(), l.doomed))
	w.quietAgain(line)
	if c.Rand.IntN(4) == 0 {
		w.undone(line)
	}
}

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

// tenWorkers lets ten workers of this process apply overlapping plans at once,
// with a budget that does not take them all.
func tenWorkers(*testing.T, *workshop) func(*Case) {
	return func(c *Case) {
		l := draw(c.Rand.Uint64N(64))
		limits := roomy()
		limits.DeletesPerDay = 1 + c.Rand.IntN(len(l.doomed))
		w := newWorld(c, l, limits)
		db, err := openState(w)
		w.Must(err)
		w.on(db)
		var all sync.WaitGroup
		for range 10 {
			line := w.newLine(db)
			plan, err := line.plan()
			w.Must(err)
			all.Go(func() {
				_, err := line.apply(w.Context(), plan)
				if err != nil && !errors.Is(err, enforce.ErrApplied) {
					w.Errorf("a worker: %v", err)
				}
			})
		}
		all.Wait()
		w.check("after all workers", false)
		w.exact(limits.DeletesPerDay)
	}
}
