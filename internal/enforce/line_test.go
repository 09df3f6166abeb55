package enforce_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

var v1Unit = []string{"team/api v1", "team/api v1-amd", "team/api v1-arm", "team/api v1-att", "team/api v1-sig"}

func TestPlanIsCarriedOutExactlyAndUndone(t *testing.T) {
	for _, kind := range []retention.OwnerKind{retention.Organization, retention.User} {
		t.Run(string(kind), func(t *testing.T) {
			seed := acmeSeed()
			seed.Owners[0].Kind = kind
			w := newWorld(t, seed).onDisk()
			target := w.target("acme", kind)
			judge := expire("v1", "plain", "w0", "w1", "1.0.0")
			want := slices.Concat([]string{"lib 1.0.0", "team/api plain"}, v1Unit, []string{"web w0", "web w1"})

			plan := w.plan(judge, target)
			if n := w.mutating(); n != 0 {
				t.Fatalf("planning made %d writing calls", n)
			}
			res := w.apply(plan, judge, target)
			if !res.Clean() || len(res.Items) != len(want) {
				t.Errorf("result: %v, stopped by %v", outcomes(res.Items), res.StoppedBy)
			}
			diff(t, "what is gone", want, w.gone())
			done := w.deletions()
			if len(done) != len(want) {
				t.Errorf("deleted: %v", done)
			}
			for _, child := range v1Unit[1:] {
				if slices.Index(done, child) < slices.Index(done, "team/api v1") {
					t.Errorf("%s was deleted before its index: %v", child, done)
				}
			}
			w.audit(plan)

			if again := w.plan(judge, target); again.Summary().Delete != 0 {
				t.Errorf("the next plan deletes %d more", again.Summary().Delete)
			}
			before := w.mutating()
			if _, err := w.enforcer().Apply(t.Context(), w.request(plan, judge, target)); !errors.Is(err, enforce.ErrApplied) {
				t.Errorf("the same plan again: %v, want %v", err, enforce.ErrApplied)
			}
			if w.mutating() != before {
				t.Error("applying the same plan again made writing calls")
			}

			undo, err := w.enforcer().PlanUndo(t.Context(), plan.ID(), []enforce.Target{target})
			w.must(err)
			if res := w.apply(w.throughFile(undo), nil, target); !res.Clean() || len(res.Items) != len(want) {
				t.Errorf("undo: %v, stopped by %v", outcomes(res.Items), res.StoppedBy)
			}
			diff(t, "what is gone after the undo", []string{}, w.gone())
			restored := w.writes(http.MethodPost)
			if slices.Index(restored, "team/api v1") < slices.Index(restored, "team/api v1-amd") {
				t.Errorf("the index came back before its child: %v", restored)
			}
			w.audit(plan, undo)
		})
	}
}

func TestObserveNeverWrites(t *testing.T) {
	judge := expire("v1", "plain", "w0", "w1", "w2", "w3", "w4", "w5", "w6")
	for name, percent := range map[string]float64{"nothing held": 100, "held by the alarms": 1} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.mode, w.limits.PercentOfOwner, w.limits.PercentOfPackage = retention.Observe, percent, percent
			plan := w.plan(judge)
			for _, person := range []bool{false, true} {
				req := w.request(plan, judge)
				req.Person = person
				res, err := w.enforcer().Apply(t.Context(), req)
				if err != nil || len(res.Items) != 0 {
					t.Errorf("applying an observing plan: %v, %+v", err, res.Items)
				}
			}
			if n := w.mutating(); n != 0 {
				t.Errorf("%d writing calls", n)
			}
		})
	}
}

func TestPlansThatMustBeRefusedDoNothing(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("v1", "w0")
	plan := w.plan(judge)
	moved, err := w.enforcer().Plan(t.Context(), enforce.PlanRequest{Targets: w.acme(), Judge: judge, Bundle: w.bundle, AsOf: began.AddDate(1, 0, 0)})
	w.must(err)
	renamed := w.acme()
	renamed[0].Owner.Login = "other"
	seen := w.acme()
	seen[0].Owner.ID = 7
	seenPlan := w.plan(judge, seen...)
	replaced := w.acme()
	replaced[0].Owner.ID = 8
	for name, tt := range map[string]struct {
		change func(*enforce.ApplyRequest)
		want   error
	}{
		"planned for another time": {func(r *enforce.ApplyRequest) { r.Plan = moved }, enforce.ErrMoved},
		"other policies":           {func(r *enforce.ApplyRequest) { r.Bundle.Digest = "sha256:other" }, enforce.ErrPolicies},
		"other parameters":         {func(r *enforce.ApplyRequest) { r.Bundle.ParamsDigest = "sha256:other" }, enforce.ErrPolicies},
		"owner not configured":     {func(r *enforce.ApplyRequest) { r.Targets = renamed }, enforce.ErrForeign},
		"no owner configured":      {func(r *enforce.ApplyRequest) { r.Targets = nil }, enforce.ErrForeign},
		"another account's id":     {func(r *enforce.ApplyRequest) { r.Plan, r.Targets = seenPlan, replaced }, enforce.ErrForeign},
		"undo of a run not started": {func(r *enforce.ApplyRequest) {
			_, err = w.enforcer().PlanUndo(t.Context(), "none", w.acme())
			r.Plan = moved
		}, enforce.ErrMoved},
	} {
		t.Run(name, func(t *testing.T) {
			req := w.request(plan, judge)
			tt.change(&req)
			if _, err := w.enforcer().Apply(t.Context(), req); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if !errors.Is(err, enforce.ErrNoRun) {
		t.Errorf("undo of nothing: %v", err)
	}
	if n := w.mutating(); n != 0 {
		t.Errorf("%d writing calls", n)
	}
	if runs, err := w.ledger().Runs(t.Context(), "acme", 0); err != nil || len(runs) != 0 {
		t.Errorf("runs %v, %v", runs, err)
	}
}

func TestPlanOverTwoOwnersGoesOnWithTheSecondAfterAnInterruption(t *testing.T) {
	seed := acmeSeed()
	seed.Owners = append(seed.Owners, githubsim.Owner{Login: "beta", Packages: acmePackages()})
	w := newWorld(t, seed)
	targets := []enforce.Target{w.target("acme", retention.Organization), w.target("beta", retention.Organization)}
	judge := expire("w0")
	plan := w.plan(judge, targets...)
	w.faults(githubsim.Fault{Match: "DELETE /orgs/beta/**", Kind: githubsim.FaultSecondary})
	if res := w.apply(plan, judge, targets...); res.StoppedBy == nil {
		t.Fatalf("the limit did not stop the run: %+v", res)
	}
	w.faults()
	w.clock.Advance(2 * 60e9)
	targets[1] = w.target("beta", retention.Organization)
	if res := w.apply(plan, judge, targets...); !res.Clean() || !res.Resumed {
		t.Errorf("resumed %t: %v, stopped by %v", res.Resumed, outcomes(res.Items), res.StoppedBy)
	}
	diff(t, "what is gone", []string{"web w0", "web w0"}, w.gone())
	if _, err := w.enforcer().Apply(t.Context(), w.request(plan, judge, targets...)); !errors.Is(err, enforce.ErrApplied) {
		t.Errorf("a third time: %v", err)
	}
	w.audit(plan)
}
