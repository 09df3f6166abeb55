package enforce_test

import (
	"context"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func ref(t retention.PackageType, name string) retention.PackageRef {
	return retention.PackageRef{Owner: "acme", Type: t, Name: name}
}

func byHand(a retention.Action, target retention.Target, id int64) enforce.ByHand {
	return enforce.ByHand{Action: a, Target: target, Version: retention.ID(id), Reason: "asked for by name"}
}

// manual plans one action by name and applies it, as a person does.
func (w *world) manual(r retention.PackageRef, h enforce.ByHand) (guard.Plan, enforce.Result) {
	w.t.Helper()
	p, err := w.enforcer().PlanByHand(w.ctx(), w.acme()[0], r, h)
	w.must(err)
	p = w.throughFile(p)
	req := w.request(p, h)
	req.Person = true
	res, err := w.enforcer().Apply(w.ctx(), req)
	w.must(err)
	return p, res
}

func TestPersonCanNotBreakAnImageByHand(t *testing.T) {
	w := newWorld(t, acmeSeed())
	for key, want := range map[string]map[string]string{
		"v1-amd": {"v1-amd": "kept: reference_closure"},
		"shared": {"shared": "kept: reference_closure"},
		"v1-sig": {"v1-sig": "kept: reference_closure"},
	} {
		plan, res := w.manual(ref(retention.Container, "team/api"), byHand(retention.Delete, retention.TargetVersion, w.version("team/api", key).ID))
		items := plan.Items()
		if len(items) != 1 || len(res.Items) != 0 {
			t.Fatalf("%s: plan %+v, result %+v", key, items, res.Items)
		}
		diff(t, key, want, map[string]string{key: string(items[0].Status) + ": " + string(items[0].Guard.Code)})
	}
	if n := w.mutating(); n != 0 {
		t.Errorf("%d writing calls", n)
	}
}

func TestPersonCanNotDeleteTheLastVersionByHand(t *testing.T) {
	seed := acmeSeed()
	seed.Owners[0].Packages[2].Versions = seed.Owners[0].Packages[2].Versions[:1]
	seed.Owners[0].Packages[1].Versions = seed.Owners[0].Packages[1].Versions[:1]
	w := newWorld(t, seed)
	for pkg, want := range map[retention.PackageRef]map[string]string{
		ref(retention.NPM, "lib"):       {"lib 1.0.0": "blocked: last_version"},
		ref(retention.Container, "web"): {"web w0": "blocked: last_tagged_version"},
	} {
		key := map[string]string{"lib": "1.0.0", "web": "w0"}[pkg.Name]
		plan, _ := w.manual(pkg, byHand(retention.Delete, retention.TargetVersion, w.version(pkg.Name, key).ID))
		diff(t, pkg.Name, want, statuses(plan.Items()))
	}
	if n := w.mutating(); n != 0 {
		t.Errorf("%d writing calls", n)
	}
}

func TestVersionIsDeletedAndRestoredByHand(t *testing.T) {
	for _, tt := range []struct {
		ref  retention.PackageRef
		key  string
		gone []string
	}{
		{ref(retention.NPM, "lib"), "1.1.0", []string{"lib 1.1.0"}},
		{ref(retention.Container, "web"), "w3", []string{"web w3"}},
		{ref(retention.Container, "team/api"), "v1", v1Unit},
	} {
		t.Run(tt.ref.Name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.limits.PercentOfOwner = 1
			id := w.version(tt.ref.Name, tt.key).ID
			deleted, _ := w.manual(tt.ref, byHand(retention.Delete, retention.TargetVersion, id))
			diff(t, "what is gone", tt.gone, w.gone())
			w.audit(deleted)
			if len(tt.gone) > 1 {
				w.apply(w.undo(deleted), nil)
			} else {
				w.manual(tt.ref, byHand(retention.Restore, retention.TargetVersion, id))
			}
			diff(t, "what is gone after restoring", []string{}, w.gone())
		})
	}
}

func TestPackageIsDeletedAndRestoredByHand(t *testing.T) {
	w := newWorld(t, acmeSeed())
	w.limits.MinAge = 0
	r := ref(retention.Container, "team/api")
	w.manual(r, byHand(retention.Delete, retention.TargetPackage, 0))
	diff(t, "what is gone", []string{"team/api *"}, w.gone())
	w.manual(r, byHand(retention.Restore, retention.TargetPackage, 0))
	diff(t, "what is gone after restoring", []string{}, w.gone())
	if _, err := w.enforcer().PlanByHand(t.Context(), w.acme()[0], ref(retention.NPM, "none"), byHand(retention.Delete, retention.TargetPackage, 0)); !packages.IsNotFound(err) {
		t.Errorf("a package that is not there: %v", err)
	}
}

func TestExplainShowsEveryStepAndWritesNothing(t *testing.T) {
	w := newWorld(t, acmeSeed())
	x, err := w.enforcer().Explain(t.Context(), w.acme()[0], expire("v1"), ref(retention.Container, "team/api"))
	w.must(err)
	if len(x.Inventory.Versions) != 12 || len(x.Judgement.Decisions) != 1 || len(x.Items) != 5 || len(x.Input.Versions) != 12 {
		t.Errorf("%d versions, %d decisions, %d items, input of %d", len(x.Inventory.Versions), len(x.Judgement.Decisions), len(x.Items), len(x.Input.Versions))
	}
	diff(t, "statuses", map[string]string{"team/api v1": "planned"}, statuses(x.Items))
	if n := w.mutating(); n != 0 {
		t.Errorf("%d writing calls", n)
	}
}

func TestPlanFromKeptReadingsCallsNobody(t *testing.T) {
	w := newWorld(t, acmeSeed())
	w.plan(expire())
	before := w.sim.CallCounts()
	plan, err := w.enforcer().Plan(t.Context(), enforce.PlanRequest{
		Targets: w.acme(), Judge: expire("w0", "1.0.0"), Bundle: w.bundle,
		Match:   func(name string) bool { return name != "lib" },
		Offline: w.snaps,
	})
	w.must(err)
	diff(t, "calls", before, w.sim.CallCounts())
	diff(t, "statuses", map[string]string{"web w0": "planned"}, statuses(plan.Items()))
	if !plan.Moved() {
		t.Error("a plan from kept readings can be applied")
	}
}

// hookedPackageLooker does something right before a look at a package.
type hookedPackageLooker struct {
	enforce.Looker
	skip int
	hook func()
}

func (l *hookedPackageLooker) GetPackage(ctx context.Context, o retention.Owner, t retention.PackageType, name string) (retention.Package, error) {
	if l.skip--; l.skip == -1 {
		l.hook()
	}
	return l.Looker.GetPackage(ctx, o, t, name)
}
