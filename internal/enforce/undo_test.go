package enforce_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// undo plans the undoing of a run.
func (w *world) undo(p guard.Plan) guard.Plan {
	w.t.Helper()
	u, err := w.enforcer().PlanUndo(w.ctx(), p.ID(), w.acme())
	w.must(err)
	return w.throughFile(u)
}

func TestUndoSaysWhatCanNotBeRestored(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(*world)
		want map[string]string // statuses in the undo plan
		gone []string          // after it
	}{
		{
			name: "on the last day",
			then: func(w *world) { w.clock.Advance(30*24*time.Hour - time.Hour) },
			want: map[string]string{"web w0": "planned", "web w1": "planned", "team/api v1": "planned"},
			gone: []string{},
		},
		{
			name: "after the window",
			then: func(w *world) { w.clock.Advance(30*24*time.Hour + time.Hour) },
			want: map[string]string{"web w0": "blocked: restore_window", "web w1": "blocked: restore_window", "team/api v1": "blocked: restore_window"},
			gone: append(slices.Clone(v1Unit), "web w0", "web w1"),
		},
		{
			name: "one was restored by hand",
			then: func(w *world) {
				w.byHand[w.version("web", "w0").ID] = true
				w.hand("POST", fmt.Sprintf("/orgs/acme/packages/container/web/versions/%d/restore", w.version("web", "w0").ID))
			},
			want: map[string]string{"web w0": "kept: restore_window", "web w1": "planned", "team/api v1": "planned"},
			gone: []string{},
		},
		{
			name: "the package has gone since",
			then: func(w *world) { w.hand("DELETE", "/orgs/acme/packages/container/web") },
			want: map[string]string{"web w0": "blocked: restore_window", "web w1": "blocked: restore_window", "team/api v1": "planned"},
			gone: []string{"web *", "web w0", "web w1"},
		},
		{
			name: "the deleted versions can't be listed: the ledger knows them",
			then: func(w *world) {
				w.faults(githubsim.Fault{Match: "GET /orgs/acme/packages/container/web/versions?state=deleted", Status: 500})
			},
			want: map[string]string{"web w0": "planned", "web w1": "planned", "team/api v1": "planned"},
			gone: []string{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := expire("v1", "w0", "w1")
			plan := w.plan(judge)
			w.apply(plan, judge)
			tt.then(w)
			undo := w.undo(plan)
			diff(t, "statuses", tt.want, statuses(undo.Items()))
			for _, it := range undo.Items() {
				if it.Status != retention.StatusPlanned && (it.Guard == nil || it.Guard.Detail == "") {
					t.Errorf("%s is %s without a reason", it.Version, it.Status)
				}
			}
			w.apply(undo, nil)
			diff(t, "what is gone", tt.gone, w.gone())
			w.audit(plan, undo)
		})
	}
}

func TestUndoTwiceAndUndoOfAnUndo(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("v1", "w0")
	plan := w.plan(judge)
	w.apply(plan, judge)
	first, second := w.undo(plan), w.undo(plan)
	w.apply(first, nil)
	before := w.mutating()
	for name, u := range map[string]guard.Plan{"planned before the first": second, "planned after it": w.undo(plan), "of the undo": w.undo(first)} {
		res := w.apply(u, nil)
		if n := res.Counts()[retention.OutcomeDone]; n != 0 || res.StoppedBy != nil {
			t.Errorf("an undo %s restored %d, stopped by %v", name, n, res.StoppedBy)
		}
	}
	if n := w.mutating() - before; n != 0 {
		t.Errorf("%d writing calls", n)
	}
	diff(t, "what is gone", []string{}, w.gone())
	w.audit(plan, first, second)
}

func TestRestoreThatGitHubRefusesIsFailedAndTheRestGoesOn(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0", "w1", "1.0.0")
	plan := w.plan(judge)
	w.apply(plan, judge)
	undo := w.undo(plan)
	w.faults(githubsim.Fault{Match: fmt.Sprintf("POST /orgs/acme/packages/container/web/versions/%d/restore", w.version("web", "w0").ID), Status: 404})
	res := w.apply(undo, nil)
	diff(t, "outcomes", map[string]string{"web w0": "failed", "web w1": "done", "lib 1.0.0": "done"}, outcomes(res.Items))
	diff(t, "what is gone", []string{"web w0"}, w.gone())
	w.faults()
	w.apply(w.undo(plan), nil)
	diff(t, "what is gone after another undo", []string{}, w.gone())
}

func retire(pkg string) rules {
	return rules{decide: func(inv retention.Inventory) []retention.Decision {
		if inv.Package.Name != pkg {
			return nil
		}
		return []retention.Decision{{Policy: "retire", Rule: "retire", Action: retention.Delete, Target: retention.TargetPackage, Reason: "old", Severity: "low", Mode: retention.Enforce}}
	}}
}

func TestWholePackageIsDeletedAndUndone(t *testing.T) {
	for _, pkg := range []string{"team/api", "lib"} {
		t.Run(pkg, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.limits.MinAge = 0
			plan := w.plan(retire(pkg))
			res := w.apply(plan, retire(pkg))
			diff(t, "outcomes", map[string]string{pkg + " *": "done"}, outcomes(res.Items))
			diff(t, "what is gone", []string{pkg + " *"}, w.gone())
			used, err := w.ledger().Used(t.Context(), "acme", plan.ID())
			w.must(err)
			if want := map[string]int{"team/api": 12, "lib": 4}[pkg]; used.Day != want {
				t.Errorf("%d reserved, want %d", used.Day, want)
			}
			undo := w.undo(plan)
			res = w.apply(undo, nil)
			diff(t, "undo", map[string]string{pkg + " *": "done"}, outcomes(res.Items))
			diff(t, "what is gone", []string{}, w.gone())
			diff(t, "a second undo", map[string]string{pkg + " *": "kept: restore_window"}, statuses(w.undo(plan).Items()))
		})
	}
}

func TestPackageDeletionIsNotDoneWhen(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(*world, *enforce.Target)
		want string
	}{
		{"something was pushed since", func(w *world, _ *enforce.Target) { w.publish("web", image("new", 0, "new")) }, "changed"},
		{"something is pushed at the last moment", func(w *world, target *enforce.Target) {
			target.Looker = &hookedPackageLooker{Looker: target.Looker, skip: 1, hook: func() { w.publish("web", image("new", 0, "new")) }}
		}, "changed"},
		{"it can't be read", func(w *world, _ *enforce.Target) {
			w.faults(githubsim.Fault{Match: "GET /orgs/acme/packages/container/web/versions", Status: 500})
		}, "failed"},
		{"it is deleted by hand at the last moment", func(w *world, target *enforce.Target) {
			target.Looker = &hookedPackageLooker{Looker: target.Looker, skip: 1, hook: func() { w.hand("DELETE", "/orgs/acme/packages/container/web") }}
		}, "gone"},
		{"its budget is used up", func(_ *world, target *enforce.Target) { target.Limits.DeletesPerDay = 7 }, "held"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.limits.MinAge = 0
			plan := w.plan(retire("web"))
			w.clock.Advance(time.Minute)
			targets := w.acme()
			tt.then(w, &targets[0])
			res := w.apply(plan, retire("web"), targets...)
			diff(t, "outcomes", map[string]string{"web *": tt.want}, outcomes(res.Items))
			if n := len(w.deletions()); tt.want != "gone" && n != 0 {
				t.Errorf("%d deletions", n)
			}
			w.audit(plan)
		})
	}
}

func TestUnclearPackageDeletionIsToldFromTheListing(t *testing.T) {
	for _, tt := range []struct {
		name, pkg string
		fault     githubsim.Fault
		want      string
	}{
		{"done, and others of its type are listed", "web", githubsim.Fault{Match: "DELETE /orgs/acme/packages/container/web", Status: 500, AfterEffect: true, Times: 1}, "done"},
		{"not done, and tried again", "web", githubsim.Fault{Match: "DELETE /orgs/acme/packages/container/web", Status: 500, Times: 1}, "done"},
		{"never done", "web", githubsim.Fault{Match: "DELETE /orgs/acme/packages/container/web", Status: 500}, "failed"},
		{"done, and it was the only one of its type", "lib", githubsim.Fault{Match: "DELETE /orgs/acme/packages/npm/lib", Status: 500, AfterEffect: true, Times: 1}, "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.limits.MinAge = 0
			plan := w.plan(retire(tt.pkg))
			w.faults(tt.fault)
			res := w.apply(plan, retire(tt.pkg))
			diff(t, "outcomes", map[string]string{tt.pkg + " *": tt.want}, outcomes(res.Items))
			w.faults()
			w.apply(w.undo(plan), nil)
			diff(t, "what is gone after the undo", []string{}, w.gone())
		})
	}
}

func TestPolicyRestoresWhatSomebodyElseDeleted(t *testing.T) {
	w := newWorld(t, acmeSeed())
	w.handDelete("web", "w7")
	judge := rules{deleted: true, decide: func(inv retention.Inventory) []retention.Decision {
		return append(decisions(inv, retention.Restore, retention.Deleted, "guardian", []string{"w7"}), expire("w0").decide(inv)...)
	}}
	plan := w.plan(judge)
	res := w.apply(plan, judge)
	diff(t, "outcomes", map[string]string{"web w0": "done", "web w7": "done"}, outcomes(res.Items))
	diff(t, "what is gone", []string{"web w0"}, w.gone())
	w.audit(plan)
}

func TestPolicyRestoresAPackageThatSomebodyElseDeleted(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := rules{deleted: true, decide: func(inv retention.Inventory) []retention.Decision {
		if inv.Package.State != retention.Deleted {
			return nil
		}
		return []retention.Decision{{Policy: "guardian", Rule: "package", Action: retention.Restore, Target: retention.TargetPackage, Reason: "dear", Severity: "low", Mode: retention.Enforce}}
	}}
	w.plan(judge)
	w.hand("DELETE", "/orgs/acme/packages/container/web")
	w.plan(judge) // notices that it is gone
	plan := w.plan(judge)
	res := w.apply(plan, judge)
	diff(t, "outcomes", map[string]string{"web *": "done"}, outcomes(res.Items))
	diff(t, "what is gone", []string{}, w.gone())
}
