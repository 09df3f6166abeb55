package config

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

var update = flag.Bool("update", false, "rewrite generated files")

const (
	schemaFile  = "../../shelflife.schema.json"
	exampleFile = "../../shelflife.example.yaml"
)

// schema describes Config for editors. The types that the file writes in their
// own way are described here; everything else follows from the Go types.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	words := func(list ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: list} }
	types := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[retention.Mode]():        words("observe", "enforce"),
		reflect.TypeFor[retention.OwnerKind]():   words("organization", "user"),
		reflect.TypeFor[CredentialKind]():        words("app", "token"),
		reflect.TypeFor[retention.PackageType](): words("container", "npm", "maven", "nuget", "rubygems", "docker"),
		reflect.TypeFor[time.Duration]():         {Type: "string", Pattern: `^([0-9]+d)?([0-9.]+(ns|us|µs|ms|s|m|h))*$|^0$`, MinLength: new(1)},
		reflect.TypeFor[Cron]():                  {Type: "string", Pattern: `^\s*\S+(\s+\S+){4}\s*$`},
		reflect.TypeFor[Params](): {Type: "object", AdditionalProperties: &jsonschema.Schema{
			Type: "object", AdditionalProperties: &jsonschema.Schema{}}},
	}
	options := &jsonschema.ForOptions{TypeSchemas: types}
	limits, err := jsonschema.For[OwnerLimits](options)
	if err != nil {
		t.Fatal(err)
	}
	types[reflect.TypeFor[retention.Limits]()] = limits
	policies, err := jsonschema.For[Policies](options)
	if err != nil {
		t.Fatal(err)
	}
	types[reflect.TypeFor[Policies]()] = &jsonschema.Schema{OneOf: []*jsonschema.Schema{words("builtin"), policies}}
	s, err := jsonschema.For[Config](options)
	if err != nil {
		t.Fatal(err)
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "shelflife.yaml"
	s.Properties["version"].Enum = []any{1}
	bound(s, "")
	return s
}

// bound takes out null, which the file does not take, and adds the bounds of numbers.
func bound(s *jsonschema.Schema, key string) {
	if s == nil {
		return
	}
	for _, kind := range s.Types {
		if kind != "null" {
			s.Type = kind
		}
	}
	s.Types = nil
	if (s.Type == "integer" || s.Type == "number") && key != "version" {
		s.Minimum = new(0.0)
		switch {
		case strings.HasPrefix(key, "percent_of_"):
			s.Maximum = new(100.0)
		case key == "reserve_percent":
			s.Maximum = new(99.0)
		case key == "max_in_flight":
			s.Minimum, s.Maximum = new(1.0), new(100.0)
		}
	}
	for k, p := range s.Properties {
		bound(p, k)
	}
	bound(s.Items, "")
	for _, p := range s.OneOf {
		bound(p, "")
	}
}

func TestSchemaFileFollowsTheGoTypes(t *testing.T) {
	want, err := json.MarshalIndent(schema(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go test ./internal/config -update (-want +got):\n%s", diff)
	}
}

func validateYAML(t *testing.T, data []byte) error {
	t.Helper()
	resolved, err := schema(t).Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return resolved.Validate(v)
}

func TestExampleIsValidByTheSchema(t *testing.T) {
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := validateYAML(t, data); err != nil {
		t.Error(err)
	}
}

func TestSchemaRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown key":          "version: 1\nownerz: []",
		"an unknown key below":    "version: 1\nowners: [{login: a, packges: {}}]",
		"an unknown mode":         "version: 1\nmode: delete",
		"a negative limit":        "version: 1\nlimits: {deletes_per_run: -1}",
		"too high a percentage":   "version: 1\nlimits: {percent_of_owner: 101}",
		"a number as a duration":  "version: 1\nlimits: {min_age: 24}",
		"an owner with no login":  "version: 1\nowners: [{kind: user}]",
		"a missing version":       "mode: observe",
		"another version":         "version: 2",
		"other words as policies": "version: 1\npolicies: shipped",
		"null":                    "version: 1\nowners:",
	} {
		if err := validateYAML(t, []byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// typePaths lists the keys of a type, with [] for the items of lists.
func typePaths(t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		return typePaths(t.Elem(), path+"[]")
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[Cron]() {
		return nil
	}
	var out []string
	for key, i := range keysOf(t) {
		out = append(out, field(path, key))
		out = append(out, typePaths(t.Field(i).Type, field(path, key))...)
	}
	return out
}

func TestExampleLoadsAndShowsEveryKey(t *testing.T) {
	c, err := Load(exampleFile, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for path := range c.at {
		seen[regexp.MustCompile(`\[\d+\]`).ReplaceAllString(path, "[]")] = true
	}
	for _, path := range typePaths(reflect.TypeFor[Config](), "") {
		commented := "\n  # " + last(path) + ": " // bundle cannot stand beside path
		if !seen[path] && !strings.Contains(string(text), commented) {
			t.Errorf("%s is not in the example", path)
		}
	}
	if len(c.Warnings) > 0 {
		t.Errorf("the example has warnings: %v", c.Warnings)
	}
	if err := c.CheckParams(map[string]map[string]any{
		"expire_untagged": {"older_than_days": 30}, "keep_newest": {"tagged": 10, "untagged": 5}, "keep_tags": {}}); err != nil {
		t.Error(err)
	}
}

func TestExampleShowsTheDefaults(t *testing.T) {
	c, err := Load(exampleFile, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	got := Config{Version: c.Version, Mode: c.Mode, Limits: c.Limits, API: c.API, MaxStaleness: c.MaxStaleness, History: c.History, PlanExpiry: c.PlanExpiry}
	if diff := cmp.Diff(want, got, compareConfig); diff != "" {
		t.Errorf("(-default +example):\n%s", diff)
	}
}

func TestLimitsOfOwnersAndOfTheFileHaveTheSameKeys(t *testing.T) {
	if diff := cmp.Diff(keysOf(reflect.TypeFor[retention.Limits]()), keysOf(reflect.TypeFor[OwnerLimits]())); diff != "" {
		t.Errorf("(-file +owner):\n%s", diff)
	}
}
