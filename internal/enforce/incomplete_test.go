package enforce_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

func bigSeed() githubsim.Seed {
	seed := acmeSeed()
	var many []githubsim.Version
	for i := range 130 {
		many = append(many, githubsim.Version{Name: fmt.Sprintf("0.%d.0", i), CreatedAt: ago(300 - i)})
	}
	seed.Owners[0].Packages = append(seed.Owners[0].Packages, githubsim.Package{Name: "big", Type: retention.NPM, Versions: many})
	return seed
}

func TestUnreadPartKeepsItsPackageAndNoOther(t *testing.T) {
	judge := expire("v1", "w0", "0.1.0")
	everything := slices.Concat([]string{"big 0.1.0"}, v1Unit, []string{"web w0"})
	for _, tt := range []struct {
		name  string
		fault githubsim.Fault
		keeps string
	}{
		{"a listing fails", githubsim.Fault{Match: "GET /orgs/acme/packages/container/web/versions", Status: 500}, "web"},
		{"a listing is cut", githubsim.Fault{Match: "GET /orgs/acme/packages/container/web/versions", Kind: githubsim.FaultTruncate}, "web"},
		{"a listing is refused", githubsim.Fault{Match: "GET /orgs/acme/packages/container/team%2Fapi/versions", Status: 403}, "team/api"},
		{"the second page fails", githubsim.Fault{Match: "GET /orgs/acme/packages/npm/big/versions?page=2", Status: 502}, "big"},
		{"a package answers 404", githubsim.Fault{Match: "GET /orgs/acme/packages/container/web*/**", Status: 404}, "web"},
	} {
		kept := slices.DeleteFunc(slices.Clone(everything), func(s string) bool { return len(s) > len(tt.keeps) && s[:len(tt.keeps)] == tt.keeps })
		for when, atPlan := range map[string]bool{"while planning": true, "while applying": false} {
			t.Run(tt.name+" "+when, func(t *testing.T) {
				w := newWorld(t, bigSeed())
				var plan guard.Plan
				if atPlan {
					w.faults(tt.fault)
					plan = w.plan(judge)
					if len(plan.Problems()) == 0 {
						t.Error("the plan names no problem")
					}
				} else {
					plan = w.plan(judge)
					w.faults(tt.fault)
				}
				res := w.apply(plan, judge)
				if !slices.Equal(kept, w.gone()) {
					t.Errorf("gone: %v, want %v; %v", w.gone(), kept, outcomes(res.Items))
				}
				w.audit(plan)
			})
		}
	}
}

func TestUnreadManifestKeepsItsPackageAndNoOther(t *testing.T) {
	judge := expire("v1", "plain", "w0")
	for name, spoil := range map[string]func(*githubsim.Version){
		"server error": func(v *githubsim.Version) { v.ManifestStatus = 500 },
		"forbidden":    func(v *githubsim.Version) { v.ManifestStatus = 403 },
		"wrong bytes":  func(v *githubsim.Version) { v.Corrupt = true },
	} {
		t.Run(name+" while planning", func(t *testing.T) {
			seed := acmeSeed()
			spoil(&seed.Owners[0].Packages[0].Versions[11]) // stable: not even a version that is to go
			w := newWorld(t, seed)
			plan := w.plan(judge)
			w.apply(plan, judge)
			diff(t, "what is gone", []string{"web w0"}, w.gone())
			w.audit(plan)
		})
		t.Run(name+" while applying", func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			plan := w.plan(judge)
			pushed := image("new", 0, "new")
			spoil(&pushed)
			w.publish("team/api", pushed)
			w.apply(plan, judge)
			diff(t, "what is gone", []string{"web w0"}, w.gone())
			w.audit(plan)
		})
	}
}

func TestShrunkenListingStopsAllDeletions(t *testing.T) {
	w := newWorld(t, bigSeed())
	judge := expire("v1", "w0", "0.1.0", "1.0.0")
	w.plan(judge)
	for _, pkg := range []string{"container/web", "container/team%2Fapi", "npm/big"} {
		w.hand("DELETE", "/orgs/acme/packages/"+pkg)
	}
	before := w.mutating()
	plan := w.plan(judge)
	diff(t, "statuses", map[string]string{"lib 1.0.0": "held: lost_access"}, statuses(plan.Items()))
	w.apply(plan, judge)
	if n := w.mutating() - before; n != 0 {
		t.Errorf("%d writing calls", n)
	}
}

func TestPoliciesThatUndoOneAnotherDoNothing(t *testing.T) {
	w := newWorld(t, acmeSeed())
	fight := rules{deleted: true, decide: func(inv retention.Inventory) []retention.Decision {
		return append(decisions(inv, retention.Delete, retention.Active, "tidy", []string{"w0", "w1"}),
			decisions(inv, retention.Restore, retention.Deleted, "guardian", []string{"w0"})...)
	}}
	w.conflict(fight, "tidy", "guardian")
}

const metadata = "# METADATA\n# title: For a test\n# description: For a test.\n# scope: package\n# schemas:\n#   - input: schema.input\n# custom:\n#   mode: enforce\n#   severity: low\n"

func TestShippedEngineSeesPoliciesThatUndoOneAnother(t *testing.T) {
	dir := t.TempDir()
	for name, rule := range map[string]string{
		"tidy": `decisions contains {"action": "delete", "version": v.id, "reason": "old"} if {
	some v in input.versions
	v.state == "active"
	some tag in v.tags
	tag in {"w0", "w1"}
}`,
		"guardian": `decisions contains {"action": "restore", "version": v.id, "reason": "dear"} if {
	some v in input.versions
	v.state == "deleted"
	"w0" in v.tags
}`,
	} {
		text := metadata + "package retention." + name + "\n\n" + rule + "\n"
		if err := os.WriteFile(filepath.Join(dir, name+".rego"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	engine, err := policy.Load(t.Context(), policies.FS, policy.Options{Path: dir, TimeLimit: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	newWorld(t, acmeSeed()).conflict(engine, "tidy", "guardian")
}

// conflict plans and applies with a Judge of which one policy deletes w0 and w1
// and another restores w0.
func (w *world) conflict(judge enforce.Judge, deleting, restoring string) {
	w.t.Helper()
	plan := w.plan(judge)
	diff(w.t.(*testing.T), "statuses", map[string]string{"web w0": "conflict: undone_by_next_plan", "web w1": "planned"}, statuses(plan.Items()))
	for _, it := range plan.Items() {
		if it.Status == retention.StatusConflict && (it.Rules[0].Policy != deleting || it.Overruled[0].Policy != restoring) {
			w.t.Errorf("rules %+v, overruled %+v", it.Rules, it.Overruled)
		}
	}
	w.apply(plan, judge)
	diff(w.t.(*testing.T), "what is gone", []string{"web w1"}, w.gone())
	w.audit(plan)
}

func TestShippedPoliciesGoDownTheWholeLine(t *testing.T) {
	seed := acmeSeed()
	api := &seed.Owners[0].Packages[0]
	api.Versions = append(api.Versions, image("loose", 40), image("fresh", 0))
	w := newWorld(t, seed).onDisk()
	engine, err := policy.Load(t.Context(), policies.FS, policy.Options{
		Builtin: true, Only: []string{"expire_untagged", "expire_by_age", "keep_tags"}, TimeLimit: time.Minute,
		Params: policy.Params{All: policy.Values{
			"expire_by_age": {"older_than_days": 45, "globs": []any{"w*", "v1", "1.*"}, "newest": 1},
			"keep_tags":     {"globs": []any{"w1"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	plan := w.plan(engine)
	res := w.apply(plan, engine)
	want := slices.Concat([]string{"team/api loose"}, []string{"web w0", "web w2", "web w3", "web w4"})
	if !slices.Equal(w.gone(), want) || !res.Clean() {
		t.Errorf("gone: %v, want %v: %v", w.gone(), want, statuses(plan.Items()))
	}
	w.audit(plan)
	if n := w.plan(engine).Summary().Delete; n != 0 {
		t.Errorf("the next plan deletes %d", n)
	}
}

func TestFailingPolicyKeepsThePackage(t *testing.T) {
	for name, after := range map[string]int{"while planning": 0, "when judging the package as it would be": 1} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := &failing{Judge: expire("v1", "w0"), pkg: "web", after: after}
			plan := w.plan(judge)
			diff(t, "statuses", map[string]string{"team/api v1": "planned", "web w0": "incomplete: policy_failed"}, statuses(plan.Items()))
			w.apply(plan, judge)
			diff(t, "what is gone", v1Unit, w.gone())
		})
	}
	t.Run("while applying", func(t *testing.T) {
		w := newWorld(t, acmeSeed())
		plan := w.plan(expire("v1", "w0"))
		res := w.apply(plan, &failing{Judge: expire("v1", "w0"), pkg: "web"})
		diff(t, "outcomes", map[string]string{"team/api v1": "done", "web w0": "failed"}, outcomes(res.Items))
		diff(t, "what is gone", v1Unit, w.gone())
	})
}

func TestPoliciesThatNeverSettleDoNothing(t *testing.T) {
	w := newWorld(t, acmeSeed())
	// Whatever goes first is wanted back, and then the next one is.
	judge := rules{deleted: true, decide: func(inv retention.Inventory) []retention.Decision {
		all := []string{"w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "v1", "v2", "v3", "plain", "stable"}
		gone := decisions(inv, retention.Restore, retention.Deleted, "guardian", all)
		return append(decisions(inv, retention.Delete, retention.Active, "tidy", all), gone[:min(1, len(gone))]...)
	}}
	plan := w.plan(judge)
	if n := plan.Summary().Delete; n != 0 {
		t.Errorf("%d deletions planned: %v", n, statuses(plan.Items()))
	}
	w.apply(plan, judge)
	diff(t, "what is gone", []string{}, w.gone())
}
