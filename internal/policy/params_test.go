package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// tell answers with its parameters.
var tell = withMetadata("tell", `#   params:
#     days: 30
#     name: all
#     strict: false
#     globs: [a]
#     any: []
#     lines: {major: 1}
#     free: null
`, `
decisions contains {"action": "keep", "package": true, "reason": "told", "data": data.params.tell}
`)

func TestParametersAreOverriddenFromTheGeneralToTheParticular(t *testing.T) {
	values := func(days int) policy.Values { return policy.Values{"tell": {"days": days}} }
	e := engine(t, policy.Options{Params: policy.Params{
		All: policy.Values{"tell": {"days": 20, "name": "everywhere"}},
		Owners: map[string]policy.OwnerParams{"acme": {
			All: values(15),
			Packages: []policy.PackageParams{
				{Glob: "team/**", Values: values(10)},
				{Glob: "team/api*", Values: policy.Values{"tell": {"days": 5.5, "globs": []string{"x", "y"}}}},
				{Glob: "infra/*", Values: values(99)},
			},
		}},
	}}, map[string]string{"tell.rego": tell})
	const rest = `,"free":null,"strict":false,"lines":{"major":1},"any":[]`
	for name, tc := range map[string]struct{ owner, pkg, want string }{
		"another owner":              {"other", "team/api", `{"days":20,"name":"everywhere","globs":["a"]` + rest + `}`},
		"the owner":                  {"acme", "left-pad", `{"days":15,"name":"everywhere","globs":["a"]` + rest + `}`},
		"logins regardless of case":  {"ACME", "left-pad", `{"days":15,"name":"everywhere","globs":["a"]` + rest + `}`},
		"a glob":                     {"acme", "team/web/front", `{"days":10,"name":"everywhere","globs":["a"]` + rest + `}`},
		"the last glob that matches": {"acme", "team/api-2", `{"days":5.5,"name":"everywhere","globs":["x","y"]` + rest + `}`},
		"one star stops at a slash":  {"acme", "infra/a/b", `{"days":15,"name":"everywhere","globs":["a"]` + rest + `}`},
		"globs are the owner's only": {"other", "infra/a", `{"days":20,"name":"everywhere","globs":["a"]` + rest + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			inv := npmPackage(1)
			inv.Owner.Login, inv.Package.Name = tc.owner, tc.pkg
			j := decide(t, e, inv)
			if len(j.Decisions) != 1 {
				t.Fatalf("judgement %+v", j)
			}
			if diff := cmp.Diff(parsed(t, []byte(tc.want)), parsed(t, j.Decisions[0].Data)); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongParametersAreErrors(t *testing.T) {
	all := func(name string, v any) policy.Params {
		return policy.Params{All: policy.Values{"tell": {name: v}}}
	}
	glob := func(g string) policy.Params {
		return policy.Params{Owners: map[string]policy.OwnerParams{"acme": {Packages: []policy.PackageParams{{Glob: g, Values: policy.Values{"tell": {"days": 1}}}}}}}
	}
	for name, tc := range map[string]struct {
		params policy.Params
		want   string
	}{
		"unknown policy":      {policy.Params{All: policy.Values{"tel": {"days": 1}}}, `params: unknown policy "tel": did you mean "tell"?`},
		"unknown parameter":   {all("dayz", 1), `params: unknown parameter tell.dayz: did you mean "days"?`},
		"nothing near":        {all("colour", 1), `params: unknown parameter tell.colour; there is any, days, free, globs, lines, name, strict`},
		"string for a number": {all("days", "1"), "params: tell.days is a string and has to be a number"},
		"null for a number":   {all("days", nil), "params: tell.days is null and has to be a number"},
		"number for a string": {all("name", 1), "params: tell.name is a number and has to be a string"},
		"text for a boolean":  {all("strict", "yes"), "params: tell.strict is a string and has to be a boolean"},
		"text for an array":   {all("globs", "a"), "params: tell.globs is a string and has to be an array"},
		"element of the wrong type": {
			all("globs", []any{"a", 1}), "params: tell.globs element 1 is a number and has to be a string",
		},
		"array for an object":     {all("lines", []any{}), "params: tell.lines is an array and has to be an object"},
		"wrong value in a object": {all("lines", map[string]any{"major": "x"}), `params: tell.lines key "major" is a string and has to be a number`},
		"no JSON":                 {all("days", func() {}), "params: tell: json: unsupported type: func()"},
		"malformed glob":          {glob("team/["), `params of owner acme, packages "team/[": the glob is malformed; write one like team/** or *-cache`},
		"empty glob":              {glob(""), `params of owner acme, packages "": the glob is malformed; write one like team/** or *-cache`},
		"unknown parameter of an owner": {
			policy.Params{Owners: map[string]policy.OwnerParams{"acme": {All: policy.Values{"tell": {"nam": "x"}}}}},
			`params of owner acme: unknown parameter tell.nam: did you mean "name"?`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Load(context.Background(), policies.FS, policy.Options{Path: folder(t, map[string]string{"tell.rego": tell}), Params: tc.params})
			var found policy.Findings
			if !errors.As(err, &found) || len(found) != 1 || found[0].Message != tc.want {
				t.Errorf("error %v\nwant  %s", err, tc.want)
			}
		})
	}
}

func TestDefaultsThatSayNothingAllowAnything(t *testing.T) {
	engine(t, policy.Options{Params: policy.Params{All: policy.Values{"tell": {
		"free": map[string]any{"a": 1}, "any": []any{1, "x"}, "lines": map[string]any{"minor": "new"}, "days": 1.5, "strict": true,
	}}}}, map[string]string{"tell.rego": tell})
}

// The library and the shipped policies see the same parameters as data.params.
func TestOverridesReachTheShippedPolicies(t *testing.T) {
	deleted := func(days int) int {
		e, err := policy.Load(context.Background(), policies.FS, policy.Options{
			Builtin: true, Only: []string{"expire_untagged"},
			Params: policy.Params{All: policy.Values{"expire_untagged": {"older_than_days": days}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(decide(t, e, containerPackage(100)).Decisions)
	}
	if few, many := deleted(5), deleted(1); few >= many {
		t.Errorf("%d deletes beyond 5 days, %d beyond 1", few, many)
	}
}

func TestSeverityAndModeComeFromMetadata(t *testing.T) {
	e := engine(t, policy.Options{}, map[string]string{"tell.rego": tell, "healthy.rego": healthy})
	type shown struct {
		Mode     retention.Mode
		Severity retention.Severity
	}
	got := map[string]shown{}
	for _, p := range e.Policies() {
		got[p.Name] = shown{p.Mode, p.Severity}
	}
	want := map[string]shown{"tell": {retention.Observe, "info"}, "healthy": {retention.Enforce, "high"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(strings.TrimSpace(diff))
	}
}
