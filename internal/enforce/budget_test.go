package enforce_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestBudgetsCutToTheOldestWholeUnits(t *testing.T) {
	all := slices.Concat([]string{"team/api plain"}, v1Unit, []string{"web w0", "web w1", "lib 1.0.0"}) // oldest first
	for _, tt := range []struct {
		run, day int
		want     []string
	}{
		{0, 100, nil},
		{100, 0, nil},
		{1, 100, all[:1]},
		{100, 1, all[:1]},
		{3, 100, []string{"team/api plain", "web w0", "web w1"}}, // the unit of five can never go
		{100, 3, []string{"team/api plain", "web w0", "web w1"}},
		{5, 100, all[:1]}, // it could have gone: nothing younger overtakes it
		{6, 100, all[:6]},
		{100, 6, all[:6]},
		{8, 7, all[:7]},
		{9, 9, all},
	} {
		t.Run(fmt.Sprintf("%d a run, %d a day", tt.run, tt.day), func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.limits.DeletesPerRun, w.limits.DeletesPerDay = tt.run, tt.day
			judge := expire("v1", "plain", "w0", "w1", "1.0.0")
			plan := w.plan(judge)
			res := w.apply(plan, judge)
			want := slices.Sorted(slices.Values(tt.want))
			if got := w.gone(); !slices.Equal(got, want) {
				t.Errorf("gone: %v, want %v", got, want)
			}
			if len(w.deletions()) != len(want) || res.Counts()[retention.OutcomeDone] != len(want) {
				t.Errorf("%d deletions, %v", len(w.deletions()), res.Counts())
			}
			for _, it := range plan.Items() {
				if it.Status != retention.StatusPlanned && it.Status != retention.StatusHeld {
					t.Errorf("%s %s is %s", it.Package, it.Version, it.Status)
				}
			}
			w.audit(plan)
		})
	}
}

func TestWhatABudgetHoldsIsTakenUpByLaterRuns(t *testing.T) {
	w := newWorld(t, acmeSeed())
	w.limits.DeletesPerRun, w.limits.DeletesPerDay = 6, 7
	judge := expire("v1", "plain", "w0", "w1", "1.0.0")
	var plans []guard.Plan
	for i, want := range []int{6, 7, 7, 9} {
		if i == 3 {
			w.clock.Advance(12 * time.Hour) // past midnight
		}
		plan := w.plan(judge)
		w.apply(plan, judge)
		plans = append(plans, plan)
		if got := len(w.gone()); got != want {
			t.Errorf("after run %d, %d are gone, want %d: %v", i+1, got, want, w.gone())
		}
	}
	w.audit(plans...)
}

func TestTenWorkersNeverExceedTheDay(t *testing.T) {
	const workers, perDay = 10, 12
	for name, overlap := range map[string]bool{"overlapping plans": true, "disjoint plans": false} {
		t.Run(name, func(t *testing.T) {
			var versions []githubsim.Version
			for i := range 31 {
				versions = append(versions, image(fmt.Sprintf("n%d", i), 60-i, fmt.Sprintf("n%d", i)))
			}
			w := newWorld(t, githubsim.Seed{Owners: []githubsim.Owner{{Login: "acme", Packages: []githubsim.Package{
				{Name: "many", Type: retention.Container, Versions: versions},
			}}}}).onDisk()
			w.limits.DeletesPerDay = perDay
			var judges []enforce.Judge
			var plans []guard.Plan
			for i := range workers {
				var names []string
				for k := range 3 {
					n := 3*i + k
					if overlap {
						n = 2*i + 2*k
					}
					names = append(names, fmt.Sprintf("n%d", n))
				}
				judges = append(judges, expire(names...))
				plans = append(plans, w.plan(judges[i]))
			}
			var wg sync.WaitGroup
			results := make([]enforce.Result, workers)
			errs := make([]error, workers)
			for i := range workers {
				req, e := w.request(plans[i], judges[i]), w.enforcer()
				wg.Go(func() { results[i], errs[i] = e.Apply(t.Context(), req) })
			}
			wg.Wait()
			for i, err := range errs {
				if err != nil || results[i].StoppedBy != nil {
					t.Errorf("worker %d: %v, stopped by %v", i, err, results[i].StoppedBy)
				}
			}
			deleted := len(w.deletions())
			if deleted > perDay || !overlap && deleted != perDay {
				t.Errorf("%d deletions of %d a day", deleted, perDay)
			}
			used, err := w.ledger().Used(t.Context(), "acme", "")
			w.must(err)
			if used.Day != perDay {
				t.Errorf("%d reserved of %d", used.Day, perDay)
			}
			w.audit(plans...)
		})
	}
}

func TestUnitLargerThanOneLedgerStepGoesWholeOrNotAtAll(t *testing.T) {
	const children = 50
	seed := acmeSeed()
	api := &seed.Owners[0].Packages[0]
	var keys []string
	for i := range children {
		key := fmt.Sprintf("part%d", i)
		keys = append(keys, key)
		api.Versions = append(api.Versions, platform(key, 31, "linux/amd64"))
	}
	api.Versions = append(api.Versions, index("large", 30, keys, "large"))
	judge := expire("large", "plain")
	for _, tt := range []struct {
		name      string
		perDay    int // at the time of applying
		gone      int
		unitEnded map[string]string
	}{
		{"enough for it", 100, children + 2, map[string]string{"team/api plain": "done", "team/api large": "done"}},
		{"enough for a part", 45, 1, map[string]string{"team/api plain": "done", "team/api large": "held"}},
		{"enough for the first step only", 41, 1, map[string]string{"team/api plain": "done", "team/api large": "held"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, seed)
			plan := w.plan(judge)
			targets := w.acme()
			targets[0].Limits.DeletesPerDay = tt.perDay
			res := w.apply(plan, judge, targets...)
			diff(t, "outcomes", tt.unitEnded, outcomes(res.Items))
			if got := len(w.gone()); got != tt.gone || len(w.deletions()) != tt.gone {
				t.Errorf("%d gone, want %d", got, tt.gone)
			}
			used, err := w.ledger().Used(t.Context(), "acme", "")
			w.must(err)
			if used.Day > tt.perDay {
				t.Errorf("%d reserved of %d", used.Day, tt.perDay)
			}
			w.audit(plan)
		})
	}
}

// TestAnyBudgetAndAnyRequestStaysWithin draws requests, budgets and a point at
// which the process is killed, and checks every run from outside.
func TestAnyBudgetAndAnyRequestStaysWithin(t *testing.T) {
	names := []string{"v1", "v2", "v3", "plain", "stable", "w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "1.0.0", "1.1.0", "1.2.0", "1.3.0"}
	w := newWorld(t, acmeSeed())
	rapid.Check(t, func(rt *rapid.T) {
		w.restart()
		judge := expire(rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(rt, "expired")...)
		w.limits.DeletesPerRun = rapid.IntRange(0, 20).Draw(rt, "per run")
		w.limits.DeletesPerDay = rapid.IntRange(0, 20).Draw(rt, "per day")
		var plans []guard.Plan
		for range 2 {
			plan := w.plan(judge)
			plans = append(plans, plan)
			if !w.applyUntil(rapid.IntRange(0, 40).Draw(rt, "killed at"), plan, judge) {
				w.resumeAfterKill(plan, judge)
			}
			n := 0
			actions, err := w.ledger().Actions(w.ctx(), plan.ID())
			w.must(err)
			for _, a := range actions {
				if a.Action == retention.Delete {
					n++
				}
			}
			if n > w.limits.DeletesPerRun {
				rt.Errorf("%d actions in a run, the limit is %d", n, w.limits.DeletesPerRun)
			}
		}
		if n := len(w.deletions()); n > w.limits.DeletesPerDay {
			rt.Errorf("%d deletions on a day, the limit is %d", n, w.limits.DeletesPerDay)
		}
		w.audit(plans...)
		for _, p := range w.sim.State().Owners[0].Packages {
			if !slices.ContainsFunc(p.Versions, func(v githubsim.VersionState) bool { return v.State == retention.Active }) {
				rt.Errorf("nothing is left of %s", p.Name)
			}
		}
		if w.t.(*testing.T).Failed() {
			rt.FailNow()
		}
	})
}

// restart gives back everything that is gone, and forgets the ledger.
func (w *world) restart() {
	w.t.Helper()
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			for _, v := range slices.Backward(p.Versions) {
				if v.State == retention.Deleted {
					w.hand("POST", fmt.Sprintf("/orgs/%s/packages/%s/%s/versions/%d/restore", o.Login, p.Type, escaped(p.Name), v.ID))
				}
			}
		}
	}
	w.sim.ResetCalls()
	w.store = ledgertest.NewMemory()
}
