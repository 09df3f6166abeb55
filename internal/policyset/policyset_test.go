package policyset_test

import (
	"os"
	"path/filepath"
	"strings"
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

func TestDocumentsAreReadAsJSONHasThem(t *testing.T) {
	for text, want := range map[string]any{
		"":                             nil,
		`{"a": [1, "x", null]}`:        map[string]any{"a": []any{1.0, "x", nil}},
		"a: &a {x: 1}\nb: *a\n":        map[string]any{"a": map[string]any{"x": 1.0}, "b": map[string]any{"x": 1.0}},
		"base: &b {x: 1}\nc: {<<: *b}": map[string]any{"base": map[string]any{"x": 1.0}, "c": map[string]any{"x": 1.0}},
	} {
		got, err := policyset.Document([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
}

func TestADocumentsAliasesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.yaml")
	text := "a: &a \"" + strings.Repeat("x", 100_000) + "\"\nb: [" + strings.Repeat("*a, ", 200) + "]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policyset.Data(path); err == nil || !strings.Contains(err.Error(), "too large: more than 16 MiB, aliases counted each time") {
		t.Error(err)
	}
}
