package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

// relative takes the temporary folder out of a finding's file.
func relative(t testing.TB, dir string, found []policy.Finding) []string {
	t.Helper()
	out := []string{}
	for _, f := range found {
		out = append(out, strings.ReplaceAll(f.String(), filepath.ToSlash(dir)+"/", ""))
	}
	return out
}

func TestCheckFindsWhatIsWrongAndWhere(t *testing.T) {
	const ok = "\ndecisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \"x\"}\n"
	rule := func(body string) string {
		return withMetadata("p", "#   params: {older_than_days: 30}\n", "import data.lib.params\n\ndecisions contains {\"action\": \"keep\", \"version\": v.id, \"reason\": \"x\"} if {\n\tsome v in input.versions\n\t"+body+"\n}\n")
	}
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"misspelt field of a version":         {rule("v.tgged\n\tparams.of(\"p\")"), []string{`p.rego:13:4: v has no field "tgged": did you mean "tagged"?`}},
		"misspelt field of an optional part":  {rule("v.oci.kinds == \"index\"\n\tparams.of(\"p\")"), []string{`p.rego:13:8: v.oci has no field "kinds": did you mean "kind"?`}},
		"misspelt field with nothing near":    {rule("v.deleted_by.zzzzzz\n\tparams.of(\"p\")"), []string{`p.rego:13:15: v.deleted_by has no field "zzzzzz"; it has by, policy, run`}},
		"misspelt field of the package":       {rule("input.package.visiblity\n\tparams.of(\"p\")"), []string{`p.rego:13:16: input.package has no field "visiblity": did you mean "visibility"?`}},
		"misspelt parameter by of":            {rule("v.age_days > params.of(\"p\").older_than_day"), []string{`p.rego:13:15: the METADATA of p declares no parameter "older_than_day": did you mean "older_than_days"?`}},
		"misspelt parameter by number":        {rule("v.age_days > params.number(\"p\", \"older\")"), []string{`p.rego:13:15: the METADATA of p declares no parameter "older"; there is older_than_days`}},
		"misspelt parameter by data":          {rule("v.age_days > data.params.p.older_than_dayz\n\tparams.of(\"p\")"), []string{`p.rego:13:15: the METADATA of p declares no parameter "older_than_dayz": did you mean "older_than_days"?`}},
		"parameters of no policy":             {rule("params.of(\"q\")"), []string{`p.rego:13:2: there is no policy "q"; there is p`}},
		"the clock":                           {rule("time.now_ns() > 0\n\tparams.of(\"p\")"), []string{"p.rego:13:2: time.now_ns is not available to policies: a policy sees no clock; ages are in the input and input.evaluated_at is the instant of the run"}},
		"the network":                         {rule("http.send({}).status_code == 200\n\tparams.of(\"p\")"), []string{"p.rego:13:2: http.send is not available to policies: a policy sees no network; whatever it needs to know belongs into the input or a data document"}},
		"a network calculation":               {rule("net.cidr_contains(\"10.0.0.0/8\", v.name)\n\tparams.of(\"p\")"), []string{"p.rego:13:2: net.cidr_contains is not available to policies: a policy sees no network; whatever it needs to know belongs into the input or a data document"}},
		"randomness":                          {rule("uuid.rfc4122(v.id) != \"\"\n\tparams.of(\"p\")"), []string{"p.rego:13:2: uuid.rfc4122 is not available to policies: a policy sees no randomness; the same document must give the same decisions for ever"}},
		"the environment":                     {rule("opa.runtime().env.HOME\n\tparams.of(\"p\")"), []string{"p.rego:13:2: opa.runtime is not available to policies: a policy sees no environment; give it parameters or a data document instead"}},
		"tokens":                              {rule("io.jwt.decode(v.name)\n\tparams.of(\"p\")"), []string{"p.rego:13:2: io.jwt.decode is not available to policies: a policy holds no keys and checks no tokens; whatever it needs to know belongs into the input"}},
		"a builtin that cannot be stopped":    {rule("bits.lsh(1, 4000000000) > 0\n\tparams.of(\"p\")"), []string{"p.rego:13:2: bits.lsh is not available to policies: its work can outgrow every bound and the time limit cannot stop it half-way"}},
		"a builtin that is merely left out":   {rule("graphql.is_valid(v.name, \"\")\n\tparams.of(\"p\")"), []string{"p.rego:13:2: graphql.is_valid is not available to policies: capabilities.json leaves it out; use what it lists"}},
		"misspelt builtin":                    {rule("startwith(v.name, \"1\")\n\tparams.of(\"p\")"), []string{`p.rego:13:2: there is no function startwith: did you mean "startswith"?`}},
		"unused import":                       {rule("v.tagged"), []string{"p.rego:9:1: import data.lib.params unused"}},
		"unsafe variable":                     {withMetadata("p", "", "decisions contains {\"action\": \"keep\", \"version\": id, \"reason\": \"x\"} if input.complete\n"), []string{"p.rego:7:50: var id is unsafe"}},
		"no METADATA":                         {"package retention.p\n" + ok, []string{`p.rego:1:1: policy "p" has no METADATA; put a block with title and description above its package line`}},
		"no title and no description":         {"# METADATA\n# scope: package\npackage retention.p\n" + ok, []string{`p.rego:1:1: the METADATA of policy "p" has no description`, `p.rego:1:1: the METADATA of policy "p" has no title`}},
		"unknown mode":                        {withMetadata("p", "#   mode: dry\n", ok), []string{`p.rego:1:1: policy "p": custom.mode: mode "dry" is none of [observe enforce]`}},
		"unknown severity":                    {withMetadata("p", "#   severity: huge\n", ok), []string{`p.rego:1:1: policy "p": custom.severity "huge" is none of [info low medium high critical]`}},
		"parameters that are a list":          {withMetadata("p", "#   params: [a]\n", ok), []string{`p.rego:1:1: policy "p": custom.params is an array, not an object of names and defaults`}},
		"misspelt custom entry":               {withMetadata("p", "#   parms: {a: 1}\n", ok), []string{`p.rego:1:1: policy "p": custom.parms is not known: did you mean "params"?`}},
		"no decisions":                        {withMetadata("p", "", "deny := true\n"), []string{`p.rego:5:1: policy "p" has no decisions; write: decisions contains {"action": …, "version": …, "reason": …} if {…}`}},
		"decisions as a function":             {withMetadata("p", "", "decisions(x) := x\n"), []string{"p.rego:7:1: decisions is a set, not a function; write: decisions contains {…} if {…}"}},
		"name in capitals":                    {"package retention.Pets\n" + ok, []string{`p.rego:1:1: policy name "Pets" is not in snake_case`}},
		"package too deep":                    {"package retention.a.b\n" + ok, []string{"p.rego:1:1: a policy is a package directly below retention, as retention.expire_untagged; put helpers into a package outside retention"}},
		"package retention itself":            {"package retention\n" + ok, []string{"p.rego:1:1: a policy is a package directly below retention, as retention.expire_untagged; put helpers into a package outside retention"}},
		"a schema of its own for the input":   {strings.Replace(withMetadata("p", "", ok), "# scope: package\n", "# scope: package\n# schemas:\n#   - input: {type: object}\n", 1), []string{"p.rego:1:1: the input has one schema; write schemas: - input: schema.input"}},
		"a schema of its own for a part":      {strings.Replace(withMetadata("p", "", ok), "# scope: package\n", "# scope: package\n# schemas:\n#   - input.versions: {type: array}\n", 1), []string{"p.rego:1:1: the input has one schema; write schemas: - input: schema.input"}},
		"rules in the shipped library":        {"package lib.params\n\nx := 1\n", []string{"p.rego:1:1: data.lib.params is a shipped library (builtin/lib/params.rego); give the package another name"}},
		"rules in the place of parameters":    {"package params.p\n\nx := 1\n", []string{"p.rego:1:1: data.params.p is where the parameters are; give the package another name"}},
		"no Rego":                             {"package retention.p\n\ndecisions contains if {\n", []string{"p.rego:3:20: unexpected if keyword: decisions contains if {", "p.rego:3:20: unexpected if keyword: expected rule key term (e.g., decisions contains <VALUE> { ... }): decisions contains if {", "p.rego:4: unexpected eof token: decisions contains if {"}},
		"empty file":                          {"", []string{"p.rego: empty module"}},
		"a type error that is no misspelling": {rule("v.tagged == \"yes\"\n\tparams.of(\"p\")"), []string{"p.rego:13:2: match error: left : boolean; right : string"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"p.rego": tc.text})
			found := policy.Check(context.Background(), policies.FS, policy.Options{Path: dir})
			if diff := cmp.Diff(tc.want, relative(t, dir, found)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			_, err := policy.Load(context.Background(), policies.FS, policy.Options{Path: dir})
			var same policy.Findings
			if !errors.As(err, &same) || !cmp.Equal(found, []policy.Finding(same)) {
				t.Errorf("Load does not refuse with the same findings: %v", err)
			}
		})
	}
}

func TestCheckReportsAllFilesAndSortsByPlace(t *testing.T) {
	dir := folder(t, map[string]string{
		"b.rego": withMetadata("b", "", "decisions contains {\"action\": \"keep\", \"version\": v.idd, \"reason\": v.nam} if some v in input.versions\n"),
		"a.rego": withMetadata("a", "", "decisions contains {\"action\": \"keep\", \"package\": true, \"reason\": input.contrct}\n"),
	})
	got := relative(t, dir, policy.Check(context.Background(), policies.FS, policy.Options{Path: dir}))
	want := []string{
		`a.rego:7:72: input has no field "contrct": did you mean "contract"?`,
		`b.rego:7:52: v has no field "idd": did you mean "id"?`,
		`b.rego:7:69: v has no field "nam": did you mean "name"?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestCheckLooksAtTestsToo(t *testing.T) {
	dir := folder(t, map[string]string{
		"healthy.rego":      healthy,
		"healthy_test.rego": "package retention.healthy_test\n\nimport data.retention.healthy\n\ntest_it if helthy.decisions\n",
	})
	o := policy.Options{Path: dir}
	if found := policy.Check(context.Background(), policies.FS, o); len(found) == 0 {
		t.Error("a test that does not compile passes the check")
	}
	if _, err := policy.Load(context.Background(), policies.FS, o); err != nil {
		t.Errorf("tests are no part of what is loaded: %v", err)
	}
}

func TestATestCannotLendAPolicyWhatItLacks(t *testing.T) {
	dir := folder(t, map[string]string{
		"p.rego":      withMetadata("p", "", "decisions contains {\"action\": \"keep\", \"package\": true, \"reason\": data.helpers.reason(1)}\n"),
		"p_test.rego": "package helpers\n\nreason(x) := sprintf(\"%v\", [x])\n",
	})
	if found := policy.Check(context.Background(), policies.FS, policy.Options{Path: dir}); len(found) == 0 {
		t.Error("a policy that needs a test's function passes the check")
	}
}

func TestTheShippedPoliciesPassTheCheck(t *testing.T) {
	if found := policy.Check(context.Background(), policies.FS, policy.Options{Builtin: true}); len(found) > 0 {
		t.Error(policy.Findings(found))
	}
}

func TestCheckSaysWhatIsWrongWithTheOptions(t *testing.T) {
	dir := folder(t, map[string]string{"healthy.rego": healthy})
	empty := t.TempDir()
	broken := func(name, text string) fstest.MapFS {
		out := fstest.MapFS{}
		for _, n := range []string{"schemas/input.json", "capabilities.json", "data.json"} {
			b, err := policies.FS.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			out[n] = &fstest.MapFile{Data: b}
		}
		out[name] = &fstest.MapFile{Data: []byte(text)}
		return out
	}
	missing := broken("x", "")
	delete(missing, "capabilities.json")
	for name, tc := range map[string]struct {
		from fstest.MapFS
		o    policy.Options
		want string
	}{
		"nothing to load":         {broken("x", ""), policy.Options{}, "there are no policies"},
		"folder without policies": {broken("x", ""), policy.Options{Path: empty}, "there is no .rego file below " + empty},
		"folder that is not there": {
			broken("x", ""), policy.Options{Path: filepath.Join(empty, "none")}, "read policies below",
		},
		"unknown policy chosen": {broken("x", ""), policy.Options{Path: dir, Only: []string{"helthy"}}, `there is no policy "helthy": did you mean "healthy"?`},
		"document called params": {
			broken("x", ""), policy.Options{Path: dir, Data: map[string]any{"params": 1}}, `a data document cannot be called "params"`,
		},
		"document that is no JSON": {broken("x", ""), policy.Options{Path: dir, Data: map[string]any{"x": func() {}}}, "unsupported type"},
		"broken schema":            {broken("schemas/input.json", "{"), policy.Options{Path: dir}, "read the input schema"},
		"broken capabilities":      {broken("capabilities.json", "{"), policy.Options{Path: dir}, "read capabilities"},
		"broken data":              {broken("data.json", "{"), policy.Options{Path: dir}, "read data.json"},
		"no capabilities":          {missing, policy.Options{Path: dir}, "read the capabilities"},
	} {
		t.Run(name, func(t *testing.T) {
			found := policy.Check(context.Background(), tc.from, tc.o)
			if len(found) != 1 || !strings.Contains(found[0].Message, tc.want) {
				t.Errorf("findings %v, want one with %q", found, tc.want)
			}
			if _, err := policy.Load(context.Background(), tc.from, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Load: %v, want %q", err, tc.want)
			}
			if _, err := policy.Test(context.Background(), tc.from, policy.TestOptions{Options: tc.o}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Test: %v, want %q", err, tc.want)
			}
		})
	}
}

// capabilities.json can take builtins away but not give the refused ones back.
func TestRefusedBuiltinsStayRefused(t *testing.T) {
	files := fstest.MapFS{}
	for _, n := range []string{"schemas/input.json", "data.json"} {
		b, err := policies.FS.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		files[n] = &fstest.MapFile{Data: b}
	}
	text, err := policies.FS.ReadFile("capabilities.json")
	if err != nil {
		t.Fatal(err)
	}
	var caps map[string]any
	if err := json.Unmarshal(text, &caps); err != nil {
		t.Fatal(err)
	}
	caps["builtins"] = append(caps["builtins"].([]any), map[string]any{
		"name": "time.now_ns", "decl": map[string]any{"type": "function", "result": map[string]any{"type": "number"}},
	})
	if text, err = json.Marshal(caps); err != nil {
		t.Fatal(err)
	}
	files["capabilities.json"] = &fstest.MapFile{Data: text}
	dir := folder(t, map[string]string{
		"p.rego": withMetadata("p", "", "decisions contains {\"action\": \"keep\", \"package\": true, \"reason\": sprintf(\"%v\", [time.now_ns()])}\n"),
	})
	found := policy.Check(context.Background(), files, policy.Options{Path: dir})
	if len(found) != 1 || !strings.Contains(found[0].Message, "a policy sees no clock") {
		t.Errorf("findings %v", found)
	}
}
