package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

func TestPoliciesAreReadFromTheirMetadata(t *testing.T) {
	dir := folder(t, map[string]string{
		"a/expire.rego": `# METADATA
# title: Expire
# description: |
#   Two lines
#   of text.
# custom:
#   mode: enforce
#   severity: critical
#   owner: platform
#   params: {days: 30, ratio: 0.5, globs: [a, b]}
package retention.expire

decisions contains {"action": "delete", "version": v.id, "reason": "x"} if some v in input.versions
`,
		"a/more.rego": "package retention.expire\n\ndecisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \"x\"}\n",
	})
	e, err := policy.Load(context.Background(), policies.FS, policy.Options{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.ToSlash(dir)
	want := []policy.Policy{{
		Name: "expire", Title: "Expire", Description: "Two lines\nof text.", Mode: retention.Enforce, Severity: "critical", Scope: "package",
		Params: map[string]any{"days": json.Number("30"), "ratio": json.Number("0.5"), "globs": []any{"a", "b"}},
		File:   at + "/a/expire.rego", Line: 1, Files: []string{at + "/a/expire.rego", at + "/a/more.rego"}, CanDelete: true,
	}}
	if diff := cmp.Diff(want, e.Policies()); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	if e.NeedsDeleted() {
		t.Error("a policy that only keeps and deletes needs the deleted versions")
	}
}

func TestWhatAPolicyMayAnswerIsReadFromItsText(t *testing.T) {
	type can struct{ Delete, Restore, DeletePackage bool }
	for name, tc := range map[string]struct {
		rules string
		want  can
	}{
		"keeps":                      {`decisions contains {"action": "keep", "package": true, "reason": "x"}`, can{}},
		"deletes versions":           {`decisions contains {"action": "delete", "version": "1", "reason": "x"}`, can{Delete: true}},
		"deletes the package":        {`decisions contains {"action": "delete", "package": true, "reason": "x"}`, can{Delete: true, DeletePackage: true}},
		"restores":                   {`decisions contains {"action": "restore", "version": "1", "reason": "x"}`, can{Restore: true}},
		"restores with another rule": {"decisions contains {\"action\": \"keep\", \"version\": \"1\", \"reason\": \"x\"}\ndecisions contains {\"action\": \"restore\", \"version\": \"1\", \"reason\": \"y\"}", can{Restore: true}},
		"computes the action":        {`decisions contains {"action": input.trigger.kind, "version": "1", "reason": "x"}`, can{Delete: true, Restore: true}},
		"computes a key":             {`decisions contains {"action": "delete", input.trigger.kind: true, "reason": "x"}`, can{Delete: true, DeletePackage: true}},
		"computes the decision":      {`decisions contains d if some d in data.answers`, can{true, true, true}},
		"computes the set":           {`decisions := {d | some d in data.answers}`, can{true, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(t, policy.Options{}, map[string]string{"p.rego": withMetadata("p", "", tc.rules)})
			p := e.Policies()[0]
			if diff := cmp.Diff(tc.want, can{p.CanDelete, p.CanRestore, p.CanDeletePackage}); diff != "" {
				t.Errorf("can (-want +got):\n%s", diff)
			}
			if e.NeedsDeleted() != tc.want.Restore {
				t.Errorf("NeedsDeleted is %t", e.NeedsDeleted())
			}
		})
	}
}

func TestOnlyShippedPoliciesThatRestoreNeedDeletedVersions(t *testing.T) {
	for name, tc := range map[string]struct {
		only []string
		want bool
	}{
		"all": {nil, true}, "the one that restores": {[]string{"restore_protected"}, true}, "the others": {[]string{"keep_newest", "expire_untagged", "retire_package"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := policy.Load(context.Background(), policies.FS, policy.Options{Builtin: true, Only: tc.only})
			if err != nil {
				t.Fatal(err)
			}
			if e.NeedsDeleted() != tc.want {
				t.Errorf("NeedsDeleted is %t", e.NeedsDeleted())
			}
		})
	}
}

func TestUserPoliciesBesideTheShippedOnes(t *testing.T) {
	own := withMetadata("own", "#   params: {days: 1}\n", "import data.lib.params\n\ndecisions contains {\"action\": \"keep\", \"package\": true, \"reason\": sprintf(\"%v\", [params.number(\"own\", \"days\")])}\n")
	load := func(builtin bool, files map[string]string) (*policy.Engine, error) {
		return policy.Load(context.Background(), policies.FS, policy.Options{Builtin: builtin, Path: folder(t, files)})
	}
	both, err := load(true, map[string]string{"own.rego": own, ".hidden/own.rego": own, "README.md": "no Rego"})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := load(false, map[string]string{"own.rego": own})
	if err != nil {
		t.Fatal(err)
	}
	if got := decide(t, alone, npmPackage(1)); len(got.Decisions) != 1 || got.Decisions[0].Reason != "1" {
		t.Errorf("the shipped library is not there: %+v", got)
	}
	if diff := cmp.Diff([]string{"own"}, policyNames(alone)); diff != "" {
		t.Error(diff)
	}
	if names := strings.Join(policyNames(both), " "); !strings.Contains(names, "own") || !strings.Contains(names, "expire_untagged") {
		t.Errorf("policies %s", names)
	}

	taken := map[string]string{"mine.rego": withMetadata("keep_newest", "", "decisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \"x\"}\n")}
	if _, err := load(true, taken); err == nil || !strings.Contains(err.Error(), `policy "keep_newest" is among the shipped ones already`) {
		t.Errorf("a shipped policy is defined again: %v", err)
	}
	if _, err := load(false, taken); err != nil {
		t.Errorf("without the shipped policies: %v", err)
	}
}

func TestBundleDigests(t *testing.T) {
	rego := func(reason string) string {
		return withMetadata("p", "#   params: {days: 1}\n", "decisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \""+reason+"\"}\n")
	}
	bundle := func(o policy.Options, files map[string]string) policy.Bundle { return engine(t, o, files).Bundle() }
	base := bundle(policy.Options{}, map[string]string{"p.rego": rego("x")})
	if !strings.HasPrefix(base.Digest, "sha256:"+base.Revision) || len(base.Digest) != 71 || len(base.Revision) != 12 {
		t.Fatalf("bundle %+v", base)
	}
	for name, tc := range map[string]struct {
		got                policy.Bundle
		same, sameByParams bool
	}{
		"the same elsewhere":     {bundle(policy.Options{}, map[string]string{"p.rego": rego("x")}), true, true},
		"a test more":            {bundle(policy.Options{}, map[string]string{"p.rego": rego("x"), "p_test.rego": "package retention.p_test\n\ntest_p if true\n"}), true, true},
		"another text":           {bundle(policy.Options{}, map[string]string{"p.rego": rego("y")}), false, true},
		"another file name":      {bundle(policy.Options{}, map[string]string{"q.rego": rego("x")}), false, true},
		"another parameter":      {bundle(policy.Options{Params: policy.Params{All: policy.Values{"p": {"days": 2}}}}, map[string]string{"p.rego": rego("x")}), true, false},
		"another document":       {bundle(policy.Options{Data: map[string]any{"deployed": []string{"x"}}}, map[string]string{"p.rego": rego("x")}), true, false},
		"another choice":         {bundle(policy.Options{Only: []string{"p"}}, map[string]string{"p.rego": rego("x")}), true, false},
		"another time limit":     {bundle(policy.Options{TimeLimit: day}, map[string]string{"p.rego": rego("x")}), true, true},
		"with the shipped ones":  {bundle(policy.Options{Builtin: true}, map[string]string{"p.rego": rego("x")}), false, true},
		"empty override is none": {bundle(policy.Options{Params: policy.Params{All: policy.Values{}}}, map[string]string{"p.rego": rego("x")}), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			if (tc.got.Digest == base.Digest) != tc.same || (tc.got.ParamsDigest == base.ParamsDigest) != tc.sameByParams {
				t.Errorf("digest same: %t, parameters same: %t\n%+v\n%+v", tc.got.Digest == base.Digest, tc.got.ParamsDigest == base.ParamsDigest, base, tc.got)
			}
		})
	}
}

func TestLoadStopsWhenTheCallerDoes(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := policy.Load(ctx, policies.FS, policy.Options{Builtin: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// The order in which modules are found, hence the names of their files, never
// matters, nor does the number of files that a policy is spread over.
func TestTheOrderOfModulesNeverMatters(t *testing.T) {
	rules := []string{
		`decisions contains {"action": "delete", "version": v.id, "reason": "old"} if {
	some v in input.versions
	v.age_days > 1
}`,
		`decisions contains {"action": "keep", "version": v.id, "rule": "new", "reason": "new"} if {
	some v in input.versions
	v.rank < 2
}`,
		`decisions contains {"action": "keep", "version": v.id, "reason": "tagged"} if {
	some v in input.versions
	v.tagged
}`,
		`decisions contains {"action": "delete", "package": true, "reason": "idle"} if input.package.idle_days > 30`,
	}
	var want map[string][]retention.Decision
	rapid.Check(t, func(rt *rapid.T) {
		order := rapid.Permutation(rules).Draw(rt, "order")
		names := rapid.Permutation([]string{"a", "b", "z", "sub/m"}).Draw(rt, "names")
		files := map[string]string{}
		for i, r := range order {
			text := "package retention.spread\n\n" + r + "\n"
			if i == 0 {
				text = withMetadata("spread", "", r+"\n")
			}
			files[names[i]+".rego"] = text
		}
		e := engine(t, policy.Options{}, files)
		got := map[string][]retention.Decision{}
		for _, inv := range []retention.Inventory{npmPackage(4), containerPackage(20)} {
			got[inv.Package.Name] = decide(t, e, inv).Decisions
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("decisions (-first +now):\n%s", diff)
		}
	})
}
