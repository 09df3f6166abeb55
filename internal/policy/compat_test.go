package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

func loadedNames(e *policy.Engine) []string {
	var out []string
	for _, p := range e.Loaded() {
		out = append(out, p.Name)
	}
	return out
}

// What nobody asks for is neither compiled nor evaluated.
func TestCompatPoliciesAreLoadedOnRequestOnly(t *testing.T) {
	names := policy.CompatNames(policies.FS)
	if diff := cmp.Diff([]string{"artifact_registry_cleanup", "ecr_lifecycle", "harbor_retention"}, names); diff != "" {
		t.Fatalf("compat policies (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		name string
		o    policy.Options
		want []string
	}{
		{"the shipped ones alone", policy.Options{Builtin: true}, nil},
		{"named by only", policy.Options{Builtin: true, Only: []string{"ecr_lifecycle", "keep_tags"}}, []string{"ecr_lifecycle"}},
		{"named by compat", policy.Options{Builtin: true, Compat: names}, names},
		{"without the shipped ones", policy.Options{Compat: []string{"harbor_retention"}}, []string{"harbor_retention"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := policy.Load(context.Background(), policies.FS, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range loadedNames(e) {
				if strings.Contains(strings.Join(names, " "), n) {
					got = append(got, n)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("loaded compat policies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVariantsShareTheCompilationOnly(t *testing.T) {
	base := engine(t, policy.Options{Params: policy.Params{All: policy.Values{"tested": {"days": 1}}}}, map[string]string{"tested.rego": tested["tested.rego"]})
	inv := npmPackage(3) // 1, 2 and 3 days old
	wide, err := base.Variant(policy.Variant{Params: policy.Params{All: policy.Values{"tested": {"days": 2}}}})
	if err != nil {
		t.Fatal(err)
	}
	got := []int{len(decide(t, base, inv).Decisions), len(decide(t, wide, inv).Decisions), len(decide(t, base, inv).Decisions)}
	if diff := cmp.Diff([]int{2, 1, 2}, got); diff != "" {
		t.Errorf("decisions of base, variant, base (-want +got):\n%s", diff)
	}
	for name, v := range map[string]policy.Variant{
		"an unknown policy":           {Only: []string{"testet"}},
		"an unknown parameter":        {Params: policy.Params{All: policy.Values{"tested": {"dayz": 2}}}},
		"a document called a package": {Data: map[string]any{"lib": 1}},
	} {
		if _, err := base.Variant(v); err == nil {
			t.Errorf("%s: no error", name)
		} else if found, ok := errors.AsType[policy.Findings](err); ok && len(found) == 0 {
			t.Errorf("%s: no finding", name)
		}
	}
}
