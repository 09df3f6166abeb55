package enforce_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// sweeping asks like expire, and for what an interrupted unit leaves behind:
// versions without a tag of their own that nothing holds.
func sweeping(names ...string) rules {
	named := expire(names...)
	return rules{decide: func(inv retention.Inventory) []retention.Decision {
		out := named.decide(inv)
		for _, v := range inv.Versions {
			if inv.Package.Type == retention.Container && v.IsActive() && !v.Tagged() && inv.IsRoot(v) {
				out = append(out, retention.Decision{
					Policy: "sweep", Rule: "sweep", Action: retention.Delete, Target: retention.TargetVersion, Version: v.ID,
					Reason: "untagged", Severity: "low", Mode: retention.Enforce,
				})
			}
		}
		return out
	}}
}

const (
	anyDelete  = "DELETE /orgs/*/packages/**"
	anyVersion = "GET /orgs/*/packages/*/*/versions/*"
	anyListing = "GET /orgs/*/packages/*/*/versions"
)

func faultKinds() map[string]githubsim.Fault {
	no := false
	out := map[string]githubsim.Fault{
		"500 before the effect":      {Match: anyDelete, Status: 500, Times: 1},
		"500 after the effect":       {Match: anyDelete, Status: 500, AfterEffect: true, Times: 1},
		"502 many times":             {Match: anyDelete, Status: 502, Times: 4},
		"connection reset":           {Match: anyDelete, Kind: githubsim.FaultReset, Times: 1},
		"reset after the effect":     {Match: anyDelete, Kind: githubsim.FaultReset, AfterEffect: true, Times: 1},
		"truncated answer":           {Match: anyDelete, Kind: githubsim.FaultTruncate, Times: 1},
		"slow answer":                {Match: anyDelete, Kind: githubsim.FaultSlow, Delay: githubsim.Duration(time.Millisecond), Times: 1},
		"404 on a delete":            {Match: anyDelete, Status: 404, Message: "Package version not found.", Times: 1},
		"no admin right":             {Match: anyDelete, Status: 404, Message: "Package not found.", Times: 2},
		"403 without a limit":        {Match: anyDelete, Status: 403, Times: 1},
		"token expired":              {Match: "* /orgs/**", Status: 401, Times: 50},
		"token expired on deletes":   {Match: anyDelete, Status: 401},
		"500 on the last look":       {Match: anyVersion, Status: 500, Times: 9},
		"last look cut":              {Match: anyVersion, Kind: githubsim.FaultTruncate, Times: 1},
		"404 on the last look":       {Match: anyVersion, Status: 404, Message: "Package version not found.", Times: 2},
		"listing cut":                {Match: anyListing, Kind: githubsim.FaultTruncate, Times: 1},
		"listing fails":              {Match: anyListing, Status: 500, Times: 9},
		"stale listing":              {Match: anyListing, Kind: githubsim.FaultStale},
		"unseen while it is deleted": {Match: "GET /orgs/*/packages/*/*", Status: 404, Times: 1},
	}
	for _, status := range []int{403, 429} {
		for name, headers := range map[string]*bool{"with headers": nil, "without headers": &no} {
			for _, kind := range []githubsim.FaultKind{githubsim.FaultPrimary, githubsim.FaultSecondary} {
				out[fmt.Sprintf("%s as %d %s", kind, status, name)] = githubsim.Fault{Match: anyDelete, Kind: kind, Status: status, Headers: headers}
			}
		}
	}
	out["secondary limit on reads"] = githubsim.Fault{Match: "GET /orgs/**", Kind: githubsim.FaultSecondary}
	return out
}

func TestFaultsNeverBreakWhatIsThereAndEndTheSame(t *testing.T) {
	judge := sweeping("v1", "plain", "w0", "w1", "1.0.0")
	calm := newWorld(t, acmeSeed())
	calmPlan := calm.plan(judge)
	calm.apply(calmPlan, judge)
	want := calm.gone()
	for name, fault := range faultKinds() {
		for _, skip := range []int{0, 2, 5, 8} {
			t.Run(fmt.Sprintf("%s, %d calls later", name, skip), func(t *testing.T) {
				w := newWorld(t, acmeSeed())
				plans := []guard.Plan{w.plan(judge)}
				fault.Skip = skip
				w.faults(fault)
				first, err := w.enforcer().Apply(t.Context(), w.request(plans[0], judge))
				w.must(err)
				w.audit(plans...)
				w.checkResult(plans[0], first)
				if skip == 0 && !w.wentWrong(fault) {
					t.Error("the fault never struck")
				}

				w.faults()
				w.clock.Advance(2 * time.Hour)
				if first.StoppedBy != nil {
					if res := w.apply(plans[0], judge); res.StoppedBy != nil || !res.Resumed {
						t.Errorf("resumed %t, stopped by %v: %v", res.Resumed, res.StoppedBy, outcomes(res.Items))
					}
				}
				next := w.plan(judge)
				plans = append(plans, next)
				w.apply(next, judge)
				w.audit(plans...)
				if got := w.gone(); !slices.Equal(got, want) {
					t.Errorf("gone in the end: %v, undisturbed: %v", got, want)
				}
			})
		}
	}
}

// wentWrong reports whether the simulator saw a call go wrong, as far as its
// statuses show that.
func (w *world) wentWrong(f githubsim.Fault) bool {
	if slices.Contains([]githubsim.FaultKind{githubsim.FaultSlow, githubsim.FaultStale, githubsim.FaultTruncate}, f.Kind) {
		return true
	}
	return slices.ContainsFunc(w.sim.Calls(), func(c githubsim.Call) bool { return c.Status == 0 || c.Status >= 400 })
}

// checkResult holds a result against the ledger and the plan: each planned item
// has ended in both or is left for a resume, and no more were begun.
func (w *world) checkResult(plan guard.Plan, res enforce.Result) {
	w.t.Helper()
	actions, err := w.ledger().Actions(w.ctx(), plan.ID())
	w.must(err)
	recorded := map[retention.ID]retention.Outcome{}
	for _, a := range actions {
		recorded[a.VersionID] = a.Outcome
		if a.Outcome == "" && res.StoppedBy == nil {
			w.t.Errorf("%s %s is open though the run was not stopped", a.Package, a.Version)
		}
	}
	for _, it := range res.Items {
		if o, begun := recorded[it.VersionID]; begun && o != it.Outcome {
			w.t.Errorf("%s %s is %s in the result and %s in the ledger", it.Package, it.Version, it.Outcome, o)
		}
	}
	if want := plan.Summary().Delete; res.StoppedBy == nil && len(res.Items) != want {
		w.t.Errorf("%d items ended of %d", len(res.Items), want)
	}
}

func TestUnclearEndIsUnknownAndStaysSpent(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0", "w1")
	plan := w.plan(judge)
	w.faults(
		githubsim.Fault{Match: anyDelete, Kind: githubsim.FaultReset, AfterEffect: true, Times: 1},
		githubsim.Fault{Match: anyVersion, Status: 503, Skip: 1},
	)
	res := w.apply(plan, judge)
	diff(t, "outcomes", map[string]string{"web w0": "unknown", "web w1": "failed"}, outcomes(res.Items))
	w.faults()
	w.audit(plan)
	used, err := w.ledger().Used(t.Context(), "acme", plan.ID())
	w.must(err)
	if used.Day != 2 || used.Run != 2 {
		t.Errorf("reserved: %+v", used)
	}
	undo, err := w.enforcer().PlanUndo(t.Context(), plan.ID(), w.acme())
	w.must(err)
	w.apply(undo, nil)
	diff(t, "what is gone after the undo", []string{}, w.gone())
}

func TestWhatGitHubRefusesForGoodIsRemembered(t *testing.T) {
	seed := acmeSeed()
	web := &seed.Owners[0].Packages[1]
	web.Visibility = "public"
	web.Versions[0].Downloads = 5001
	w := newWorld(t, seed)
	judge := expire("w0", "w1")
	plan := w.plan(judge)
	res := w.apply(plan, judge)
	diff(t, "outcomes", map[string]string{"web w0": "blocked", "web w1": "done"}, outcomes(res.Items))
	w.audit(plan)
	before := w.mutating()

	w.clock.Advance(29 * 24 * time.Hour)
	next := w.plan(judge)
	diff(t, "29 days later", map[string]string{"web w0": "blocked: downloads"}, statuses(next.Items()))
	w.apply(next, judge)
	if n := w.mutating() - before; n != 0 {
		t.Errorf("%d calls for what was refused", n)
	}
	w.clock.Advance(2 * 24 * time.Hour)
	diff(t, "31 days later", map[string]string{"web w0": "planned"}, statuses(w.plan(judge).Items()))
}

func TestLastTaggedVersionAtTheCallIsBlockedAndForeseenNextTime(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0")
	plan := w.plan(judge)
	targets := w.acme()
	targets[0].Looker = &hookedLooker{Looker: targets[0].Looker, hook: func() {
		for i := 1; i < 8; i++ {
			w.handDelete("web", fmt.Sprintf("w%d", i))
		}
	}}
	res := w.apply(plan, judge, targets...)
	diff(t, "outcomes", map[string]string{"web w0": "blocked"}, outcomes(res.Items))
	if g := res.Items[0].Guard; g == nil || g.Code != retention.GuardLastTagged || !strings.Contains(res.Items[0].Detail, "last tagged") {
		t.Errorf("item: %+v", res.Items[0])
	}
	w.audit(plan)
	diff(t, "the next plan", map[string]string{"web w0": "blocked: last_tagged_version"}, statuses(w.plan(judge).Items()))
}

func TestTokenThatIsRefusedStopsThePlan(t *testing.T) {
	for name, fault := range map[string]githubsim.Fault{
		"primary limit":   {Match: "GET /orgs/acme/packages", Kind: githubsim.FaultPrimary},
		"secondary limit": {Match: "GET /**", Kind: githubsim.FaultSecondary, Status: http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.faults(fault)
			plan, err := w.enforcer().Plan(t.Context(), enforce.PlanRequest{Targets: w.acme(), Judge: expire("w0"), Bundle: w.bundle})
			if err == nil || !isPause(err) || plan.ID() != "" {
				t.Errorf("plan %q, error %v", plan.ID(), err)
			}
		})
	}
}
