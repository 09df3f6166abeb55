package policyset_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policyset"
)

// Which layer beats which is the engine's (policy.Params); every layer of the file
// has to get there, in the file's order.
func TestEveryLayerOfParametersReachesTheEngine(t *testing.T) {
	c, err := config.Parse("shelflife.yaml", []byte(`version: 1
params: {a: {x: 1, list: [1, 2]}, b: {z: 1}}
owners:
  - login: acme
    params: {a: {y: 2}}
    package_params:
      - {packages: "team/**", params: {a: {y: 3, list: [9]}}}
      - {packages: "team/api", params: {a: {y: 4}}}
  - {login: other}
`), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	want := policy.Params{
		All: policy.Values{"a": {"x": 1, "list": []any{1, 2}}, "b": {"z": 1}},
		Owners: map[string]policy.OwnerParams{
			"acme": {All: policy.Values{"a": {"y": 2}}, Packages: []policy.PackageParams{
				{Glob: "team/**", Values: policy.Values{"a": {"y": 3, "list": []any{9}}}},
				{Glob: "team/api", Values: policy.Values{"a": {"y": 4}}},
			}},
			"other": {},
		},
	}
	if diff := cmp.Diff(want, policyset.Params(c)); diff != "" {
		t.Error(diff)
	}
}
