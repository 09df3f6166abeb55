package policy_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// shippedFolder is a copy of the shipped policies with some texts replaced.
func shippedFolder(t *testing.T, replace ...string) string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(policies.FS, "retention", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.rego") {
			return err
		}
		text, err := fs.ReadFile(policies.FS, path)
		files[path] = strings.NewReplacer(replace...).Replace(string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folder(t, files)
}

// asPlaced forgets where a policy's file is, which the two sets differ in.
func asPlaced(j retention.Judgement) retention.Judgement {
	for i := range j.Failures {
		j.Failures[i].Detail = ""
	}
	return j
}

func TestAPairAnswersAsEachOfItsSets(t *testing.T) {
	const broken = `decisions contains {"action": "delete", "version": v.id, "reason": "x"} if {
	some v in input.versions
	to_number(v.name) > 0
}
`
	meta := func(name, rules string) string {
		return withMetadata(name, "#   mode: enforce\n#   params: {days: 10}\n", rules)
	}
	rule := func(read string) string {
		return fmt.Sprintf("decisions contains {\"action\": \"delete\", \"version\": v.id, \"reason\": \"x\"} if {\n\tsome v in input.versions\n\tv.age_days > %s\n}\n", read)
	}
	set := func(files map[string]string) policy.Options { return policy.Options{Path: folder(t, files)} }
	with := func(o policy.Options, values policy.Values) policy.Options {
		o.Params = policy.Params{All: values}
		return o
	}
	both := map[string]string{"a.rego": meta("a", rule("data.params.a.days")), "b.rego": meta("b", rule("data.params.a.days"))}
	helped := func(limit string) map[string]string {
		return map[string]string{
			"a.rego": meta("a", "import data.common.limits\n\n"+rule("limits.days")), "b.rego": meta("b", rule("5")),
			"common.rego": "package common.limits\n\ndays := " + limit + "\n",
		}
	}
	computed := map[string]string{"a.rego": meta("a", rule("data.params[name].days")+"\nname := concat(\"\", [\"\", \"b\"])\n"), "b.rego": meta("b", rule("5"))}
	for name, tc := range map[string]struct{ a, b policy.Options }{
		"the same":                            {policy.Options{Builtin: true}, policy.Options{Builtin: true}},
		"one policy of the shipped changes":   {policy.Options{Builtin: true}, policy.Options{Path: shippedFolder(t, "v.age_days > _limit", "v.age_days > _limit - 9")}},
		"a parameter's default changes":       {policy.Options{Builtin: true}, policy.Options{Path: shippedFolder(t, "tagged: 10\n", "tagged: 1\n")}},
		"a parameter that another one reads":  {with(set(both), policy.Values{"a": {"days": 3}}), with(set(both), policy.Values{"a": {"days": 30}})},
		"a parameter at a computed name":      {with(set(computed), policy.Values{"b": {"days": 3}}), with(set(computed), policy.Values{"b": {"days": 30}})},
		"a library of both":                   {set(helped("3")), set(helped("30"))},
		"a document":                          {policy.Options{Builtin: true, Data: map[string]any{"deployed": []any{"v1.0.0"}}}, policy.Options{Builtin: true, Data: map[string]any{"deployed": []any{"v1.0.4"}}}},
		"a policy more":                       {policy.Options{Builtin: true}, policy.Options{Builtin: true, Path: folder(t, map[string]string{"x.rego": meta("x", rule("1"))})}},
		"nothing in common":                   {set(map[string]string{"x.rego": meta("x", rule("1"))}), set(map[string]string{"y.rego": meta("y", rule("9"))})},
		"one that fails, in the second":       {policy.Options{Builtin: true}, policy.Options{Builtin: true, Path: folder(t, map[string]string{"x.rego": meta("x", broken)})}},
		"one that fails, in both":             {set(map[string]string{"x.rego": meta("x", broken), "y.rego": meta("y", rule("1"))}), set(map[string]string{"x.rego": meta("x", broken), "y.rego": meta("y", rule("2"))})},
		"the mode changes, which is metadata": {set(map[string]string{"x.rego": withMetadata("x", "#   mode: enforce\n", rule("1"))}), set(map[string]string{"x.rego": withMetadata("x", "#   mode: observe\n", rule("1"))})},
	} {
		t.Run(name, func(t *testing.T) {
			var engines [2]*policy.Engine
			for i, o := range []policy.Options{tc.a, tc.b} {
				o.TimeLimit = time.Minute
				e, err := policy.Load(t.Context(), policies.FS, o)
				if err != nil {
					t.Fatal(err)
				}
				engines[i] = e
			}
			pair := policy.NewPair(engines[0], engines[1])
			for seed := range 3 {
				inv := randomPackage(rand.New(rand.NewPCG(uint64(seed), 3)), false)
				a, b := pair.Judges()
				for range 2 { // the second time, from what was asked before
					for i, judge := range []*policy.PairJudge{a, b} {
						req := policy.Request{Inventory: inv, EvaluatedAt: evaluatedAt, Trigger: retention.Trigger{Kind: retention.TriggerSchedule}}
						want, err := engines[i].Decide(t.Context(), req)
						if err != nil {
							t.Fatal(err)
						}
						got, err := judge.Decide(t.Context(), req)
						if err != nil {
							t.Fatal(err)
						}
						if diff := cmp.Diff(asPlaced(want), asPlaced(got)); diff != "" {
							t.Fatalf("seed %d, side %d (-alone +paired)\n%s", seed, i, diff)
						}
					}
				}
			}
		})
	}
}
