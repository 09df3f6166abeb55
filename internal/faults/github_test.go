package faults

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

// matches are what a fault may strike.
func matches() []string {
	return []string{
		"* /**", "* /orgs/**", "DELETE /orgs/**", "GET /orgs/*/packages", "GET /orgs/*/packages/*/*/versions",
		"GET /orgs/*/packages/*/*/versions/*", "GET /v2/**", "GET /token",
	}
}

// impatience is how long a line waits for a whole answer while GitHub is slow: the
// program's minute would take too long to sit out.
const impatience = 100 * time.Millisecond

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
		"stale":     plain(githubsim.Fault{Kind: githubsim.FaultStale}), "401": plain(githubsim.Fault{Status: 401}),
		"slow": func(c *Case) githubsim.Fault {
			delay := time.Duration(1+c.Rand.IntN(20)) * time.Millisecond
			if c.Rand.IntN(2) == 0 {
				delay += 2 * impatience
			}
			return githubsim.Fault{Kind: githubsim.FaultSlow, Delay: githubsim.Duration(delay)}
		},
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

// stores is where the cases of a campaign keep their ledgers.
type stores func(t *testing.T) func(w *world) ledger.Store

func inMemory(*testing.T) func(*world) ledger.Store {
	return func(*world) ledger.Store { return ledgertest.NewMemory() }
}

// githubCampaigns is one campaign for each kind of fault, and for each further
// place where a ledger is kept one that draws the kind.
func githubCampaigns(skips *reasons) (out []campaign) {
	calm, struck := newRehearsals(), need{"struck": 90}
	for _, name := range faultNames() {
		shows := struck
		switch name {
		case "stale":
			shows = need{"struck": 90, "stale shown": 80}
		case "slow":
			shows = need{"struck": 90, "too slow": 25}
		}
		out = append(out, campaign{"github", name, 400, 3, 2, misbehaving(calm, inMemory, name), shows})
	}
	return append(out,
		campaign{"github-sqlite", "in-process", 400, 1, 2, misbehaving(calm, onStateFile, faultNames()...), struck},
		campaign{"github-dynamodb", "moto", 400, 1, 2, misbehaving(calm, onTables(skips.noting(awstest.Own)), faultNames()...), struck},
		campaign{"github-cli", "run", 100, 1, 16, misbehavingCLI, struck},
	)
}

// misbehaving plays cases of one of the kinds of fault, drawn for each case.
func misbehaving(calm *rehearsals, where stores, kinds ...string) func(*testing.T, *workshop) func(*Case) {
	return func(t *testing.T, _ *workshop) func(*Case) {
		open := where(t)
		return func(c *Case) {
			kind := kinds[c.Rand.IntN(len(kinds))]
			l := draw(c.Rand.Uint64N(layouts))
			w := newWorld(c, l, roomy())
			store := open(w)
			w.on(store)
			line := w.newLine(store)
			if kind == "stale" {
				w.playStale(line)
			} else {
				w.playGitHub(line, calm, githubFaults()[kind](c))
			}
		}
	}
}

// playGitHub plans and applies while GitHub misbehaves, at a random place and for
// a random while, and then once more when it does not.
func (w *world) playGitHub(line *line, calm *rehearsals, f githubsim.Fault) {
	usual := calm.of(w.layout, w.Case)
	early := w.Rand.IntN(3) == 0
	if f.Kind == githubsim.FaultSlow {
		line.attempt = impatience
	}
	if early {
		w.aim(&f, slices.Concat(usual.plan, usual.apply))
		w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
	}
	plan, err := line.plan()
	if err != nil && !early {
		w.Fatalf("plan: %v", err)
	}
	if !early {
		w.aim(&f, usual.apply)
		w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
	}
	stopped := false
	if err == nil {
		res, err := line.apply(w.Context(), plan)
		w.Must(err)
		stopped = res.StoppedBy != nil
	}
	if w.sim.FaultsFired() > 0 {
		w.Count("struck")
		if time.Duration(f.Delay) > impatience {
			w.Count("too slow")
		}
	}
	w.check("while it lasts", true)

	w.Must(w.sim.SetFaults(nil))
	line.attempt = 0
	line.clock.Advance(2 * time.Hour)
	if stopped {
		w.Count("stopped")
		w.applied(line, plan)
		w.check("resumed", false)
	}
	w.settle(line)
}

// settle plays what comes when GitHub is well again.
func (w *world) settle(line *line) {
	for range 3 { // what ended as failed, the next plans take up
		next, err := line.plan()
		w.Must(err)
		w.applied(line, next)
	}
	w.check("afterwards", false)
	w.Found("afterwards", checkFinal(w.evidence.start, w.sim.State(), w.doomed))
	w.quietAgain(line)
	if w.Rand.IntN(4) == 0 {
		w.undone(line)
	}
}

// applied applies a plan that nothing may stop.
func (w *world) applied(line *line, plan guard.Plan) {
	res, err := line.apply(w.Context(), plan)
	w.Must(err)
	w.Must(res.StoppedBy)
}

// playStale has a run delete a part of what must go, and then shows the next runs
// lists in which that is still there.
func (w *world) playStale(line *line) {
	for n := (len(w.doomed) + 1) / 2; len(gone(w.evidence.start, w.sim.State())) == 0; n++ {
		w.limits.DeletesPerRun = n // a unit that is larger waits
		plan, err := line.plan()
		w.Must(err)
		w.applied(line, plan)
	}
	w.check("before it lies", false)
	w.limits = roomy()
	f := githubsim.Fault{Kind: githubsim.FaultStale, Match: "GET /orgs/*/packages/*/*/versions", Times: w.Rand.IntN(24)}
	w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
	for range 2 {
		plan, err := line.plan()
		w.Must(err)
		w.applied(line, plan)
		w.check("while it lies", false)
	}
	if w.sim.FaultsFired() > 0 {
		w.Count("struck")
	}
	if w.sim.StaleShown() > 0 {
		w.Count("stale shown")
	}
	w.Must(w.sim.SetFaults(nil))
	line.clock.Advance(2 * time.Hour)
	w.settle(line)
}
