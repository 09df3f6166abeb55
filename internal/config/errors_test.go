package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMistakesAreReportedWithTheirPlace(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string // without "f.yaml:"
	}{
		"no version":          {"mode: observe\n", []string{"1:1: version is missing; write version: 1 at the top"}},
		"empty file":          {"", []string{"1:1: version is missing; write version: 1 at the top"}},
		"only a comment":      {"# nothing\n", []string{"1:1: version is missing; write version: 1 at the top"}},
		"null document":       {"---\n", []string{"1:1: version is missing; write version: 1 at the top"}},
		"another version":     {"version: 2", []string{"1:10: version 2 is not known; this release reads version: 1"}},
		"version as text":     {`version: "1"`, []string{`1:10: version is the text "1", but must be a whole number`}},
		"the file is a list":  {"- version: 1", []string{"1:1: the file is a list; write keys and values"}},
		"misspelt key":        {"version: 1\nmoed: observe", []string{`2:1: unknown key "moed"; did you mean "mode"?`}},
		"key in other case":   {"version: 1\nLimits: {}", []string{`2:1: unknown key "Limits"; did you mean "limits"?`}},
		"unknown key":         {"version: 1\napi: {proxy: x}", []string{`2:7: unknown key "proxy"; the keys here are github_url, max_in_flight, registry_url, reserve_percent`}},
		"duplicate key":       {"version: 1\nmode: observe\nmode: enforce", []string{`3:1: key "mode" is already on line 2; keep one of them`}},
		"misspelt mode":       {"version: 1\nmode: enforced", []string{`2:7: mode is the text "enforced", but must be one of observe, enforce; did you mean "enforce"?`}},
		"mode as a boolean":   {"version: 1\nmode: true", []string{`2:7: mode is the truth value "true", but must be one of observe, enforce`}},
		"key without a value": {"version: 1\nowners:\n", []string{"2:8: owners has no value; give it one or leave it out"}},
		"owners is no list":   {"version: 1\nowners: {login: a}", []string{"2:9: owners is a group of keys; write a list"}},
		"an owner as text":    {"version: 1\nowners: [acme]", []string{`2:10: owners[0] is the text "acme"; write keys and values`}},
		"owner without login": {"version: 1\nowners: [{kind: user}]", []string{"2:10: the owner has no login; write login: NAME"}},
		"login as a number":   {"version: 1\nowners: [{login: 5}]", []string{"2:18: login is the number 5, but must be text; put it in quotes"}},
		"invalid login":       {"version: 1\nowners: [{login: a/b}]", []string{`2:18: "a/b" is not a GitHub login: up to 39 letters, digits and hyphens`}},
		"duplicate owner":     {"version: 1\nowners:\n- login: Acme\n- login: aCME", []string{`4:10: owner "aCME" is already on line 3; keep one of them (GitHub does not regard case)`}},
		"unknown kind":        {"version: 1\nowners: [{login: a, kind: org}]", []string{`2:27: kind is the text "org", but must be one of organization, user`}},
		"unknown type":        {"version: 1\nowners: [{login: a, types: [nmp]}]", []string{`2:29: types[0] is the text "nmp", but must be one of container, npm, maven, nuget, rubygems, docker; did you mean "npm"?`}},
		"type named twice":    {"version: 1\nowners: [{login: a, types: [npm, npm]}]", []string{"2:34: type npm is named twice; keep one"}},
		"no types":            {"version: 1\nowners: [{login: a, types: []}]", []string{"2:28: types is empty; leave it out to mean all six"}},
		"empty include":       {"version: 1\nowners: [{login: a, packages: {include: []}}]", []string{"2:41: include is empty; leave it out to mean all packages"}},
		"broken glob":         {"version: 1\nowners: [{login: a, packages: {exclude: [\"x\", \"a[\"]}}]", []string{`2:47: "a[" is not a glob; write such as "team/**" or "*-preview", at most 256 characters`}},
		"short cron":          {"version: 1\nowners: [{login: a, schedule: daily}]", []string{`2:31: schedule: a schedule has five fields (minute, hour, day of month, month, day of week), such as "0 3 * * *"; this has 1`}},
		"impossible hour":     {"version: 1\nowners: [{login: a, schedule: 0 24 * * *}]", []string{`2:31: schedule: hour of the schedule: "24" is not a number from 0 to 23`}},
		"unknown time zone":   {"version: 1\nowners: [{login: a, schedule: 0 2 * * *, timezone: Mars/Base}]", []string{`2:52: "Mars/Base" is not an IANA time zone; write such as Europe/Oslo or UTC`}},
		"negative limit":      {"version: 1\nlimits: {deletes_per_run: -1}", []string{"2:27: deletes_per_run cannot be negative; 0 deletes nothing"}},
		"fraction as a count": {"version: 1\nlimits: {deletes_per_day: 1.5}", []string{"2:27: deletes_per_day is the number 1.5, but must be a whole number"}},
		"too high percentage": {"version: 1\nowners: [{login: a, limits: {percent_of_owner: 100.5}}]", []string{"2:48: percent_of_owner must be a percentage from 0 to 100"}},
		"not-a-number":        {"version: 1\nlimits: {percent_of_owner: .nan}", []string{"2:28: percent_of_owner must be a percentage from 0 to 100"}},
		"duration, no unit":   {"version: 1\nlimits: {min_age: 24}", []string{`2:19: min_age: "24" has no unit; write such as 24h, 90m or 7d`}},
		"negative duration":   {"version: 1\nlimits: {min_age: -1h}", []string{"2:19: min_age: a duration cannot be negative; write such as 24h or 7d"}},
		"no plan expiry":      {"version: 1\nplan_expiry: 0s", []string{"2:14: plan_expiry must be longer than nothing; write such as 24h"}},
		"unsafe address":      {"version: 1\napi: {github_url: \"http://ghe.example.com\"}", []string{"2:19: github_url must start with https:// (http:// only for this machine): credentials are sent there"}},
		"path and bundle":     {"version: 1\npolicies: {path: a, bundle: b, verification_key: k}", []string{"2:29: a bundle is all there is: take out path and builtin, or take out bundle"}},
		"key, no bundle":      {"version: 1\npolicies: {verification_key: k}", []string{"2:30: verification_key is for a bundle, and there is none; take it out"}},
		"key id, no key":      {"version: 1\npolicies: {bundle: b, verification_key_id: x}", []string{"2:44: verification_key_id and verification_scope are for a verification_key, and there is none; name one, or take them out"}},
		"age, no bundle":      {"version: 1\npolicies: {path: a, bundle_max_age: 1d}", []string{"2:37: bundle_max_age is for a bundle, and there is none; take it out"}},
		"age of nothing":      {"version: 1\npolicies: {bundle: b, verification_key: k, bundle_max_age: 0}", []string{"2:60: bundle_max_age 0 would refuse every kept bundle, and the first failure to fetch one would stop all; write such as 24h"}},
		"a bundle's password": {"version: 1\npolicies: {bundle: \"https://a:b@x/y\", verification_key: k}", []string{"2:20: bundle holds a user or password; take it out, since addresses are shown in output"}},
		"no bundle there":     {"version: 1\npolicies: {bundle: \"s3://x\", verification_key: k}", []string{"2:20: bundle is not an address of a file; write such as https://example.com/policies/bundle.tar.gz or s3://bucket/bundle.tar.gz"}},
		"no policies left":    {"version: 1\npolicies: {builtin: false}", []string{"2:21: no policies are left; name a path or a bundle"}},
		"unknown scheme":      {"version: 1\npolicies: {bundle: \"ftp://x/y\", verification_key: k}", []string{"2:20: a bundle comes from s3://, https:// or a file, not from ftp://"}},
		"misspelt builtin":    {"version: 1\npolicies: built-in", []string{`2:11: policies is the text "built-in", but must be builtin or keys such as {path: ./policies}; did you mean "builtin"?`}},
		"params of a number":  {"version: 1\nparams: {keep_newest: 10}", []string{`2:23: params of "keep_newest" are the number 10; write parameters and values, such as {older_than_days: 14}`}},
		"infinite param":      {"version: 1\nparams: {a: {b: .inf}}", []string{"2:17: b: .inf is not a number that policies can see; write a finite one"}},
		"merge key":           {"version: 1\nowners:\n- &a {login: a}\n- {<<: *a, kind: user}", []string{`4:4: merge keys ("<<") are not read; repeat the keys, or use an alias for a whole value`}},
		"second document":     {"version: 1\n---\nversion: 1", []string{"2:1: a second document starts here; keep one"}},
		"bad YAML":            {"version: 1\nowners: [\n", []string{"2:1: did not find expected node content; repair the YAML"}},
		"bad YAML, no line":   {"version: *x\n", []string{" unknown anchor 'x' referenced; repair the YAML"}},
		"all at once, sorted": {"version: 1\nlimits: {deletes_per_run: -1}\nowners: [{login: \"\"}]\nmoode: x", []string{
			"2:27: deletes_per_run cannot be negative; 0 deletes nothing",
			"3:18: the owner has no login; write login: NAME",
			`4:1: unknown key "moode"; did you mean "mode"?`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tc.text), noEnv)
			var got Errors
			if !errors.As(err, &got) {
				t.Fatalf("error is %v, want Errors", err)
			}
			want := strings.Join(tc.want, "\n")
			if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), "f.yaml:", "")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCredentialsHaveTheirOwnKeysOnly(t *testing.T) {
	for text, want := range map[string]string{
		"{installation_id: 1}":                               "credentials need a kind; write kind: app or kind: token",
		"{kind: pat, secret: A}":                             `kind is the text "pat"`,
		"{kind: app}":                                        "credentials of kind app need installation_id",
		"{kind: app, installation_id: 0}":                    "installation_id must be a positive number",
		"{kind: app, installation_id: 1, app_id: -4}":        "app_id must be a positive number",
		"{kind: app, installation_id: 1, secret: A}":         "secret belongs to credentials of kind token, but these are of kind app; take it out",
		"{kind: token, secret: A, app_id: 1}":                "app_id belongs to credentials of kind app, but these are of kind token; take it out",
		"{kind: token}":                                      "credentials of kind token need secret",
		"{kind: token, secret: 'a b'}":                       "secret must be the name of an environment variable",
		"{kind: token, secret: ghp_0123456789abcdefABCDEF}":  "secret holds a token itself",
		"{kind: token, secret: github_pat_0123456789abcdef}": "secret holds a token itself",
		"{kind: app, installation_id: 1, private_key_file: '-----BEGIN RSA PRIVATE KEY-----abc'}": "private_key_file holds the key itself",
	} {
		_, err := Parse("f.yaml", []byte("version: 1\nowners: [{login: a, credentials: "+text+"}]"), noEnv)
		var got Errors
		if !errors.As(err, &got) || len(got) != 1 || !strings.Contains(got[0].Message, want) {
			t.Errorf("%s: got %v, want one problem with %q", text, err, want)
			continue
		}
		for _, secret := range []string{"0123456789", "PRIVATE KEY-----abc"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error repeats the secret: %v", text, err)
			}
		}
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\n")
	for i := range 500 {
		fmt.Fprintf(&b, "x%dyz: 1\n", i)
	}
	_, err := Parse("f.yaml", []byte(b.String()), noEnv)
	var got Errors
	if !errors.As(err, &got) || len(got) != maxProblems+1 {
		t.Fatalf("%d problems, want %d", len(got), maxProblems+1)
	}
	if want := "and 450 more problems: repair the first ones and try again"; got[maxProblems].Message != want {
		t.Errorf("last problem %q, want %q", got[maxProblems].Message, want)
	}
}

func TestAliasesAreBounded(t *testing.T) {
	c := parse(t, "version: 1\nowners: [{login: a, params: &p {x: {y: 1}}}, {login: b, params: *p}]")
	if diff := cmp.Diff(Params{"x": {"y": 1}}, c.Owners[1].Params); diff != "" {
		t.Errorf("alias (-want +got):\n%s", diff)
	}
	laughs := "version: 1\nparams:\n  p0: &a0 {k: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}\n"
	for i := 1; i < 12; i++ {
		ref := fmt.Sprintf("*a%d", i-1)
		laughs += fmt.Sprintf("  p%d: &a%d {k: [%s]}\n", i, i, strings.Repeat(ref+", ", 9)+ref)
	}
	for name, text := range map[string]string{
		"billion laughs": laughs,
		"deep nesting":   "version: 1\nparams: {p: {k: " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "}}",
		"a long text":    "version: 1\nparams: {p: {k: &k " + strings.Repeat("x", 100_000) + ", l: [" + strings.Repeat("*k, ", 200) + "]}}",
		"a cycle":        "version: 1\nparams: {p: &p {k: *p}}",
	} {
		_, err := Parse("f.yaml", []byte(text), noEnv)
		var got Errors
		if !errors.As(err, &got) || !strings.Contains(err.Error(), "too large: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"version: 1\nowners: [{login: a, params: &p {x: {y: 1}}}, {login: b, params: *p}]",
		"version: 1\nlimits: {min_age: 7d, percent_of_owner: .nan}\npolicies: builtin",
		"version: 1\nowners: [{login: a, schedule: '*/5 1-3 * JAN MON-FRI', packages: {include: ['{a,b}/**', '[a-']}}]",
		"? [a, b]\n: {<<: *x}\n", "params: {p: &p {k: *p}}", "version: !!int 1\n--- \n", "\xff\xfe{\x00", "version: 0x1\nmode: !!binary aGk=",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		defer time.AfterFunc(5*time.Second, func() { panic("reading does not end") }).Stop()
		c, err := Parse("f.yaml", data, noEnv)
		if err != nil {
			var problems Errors
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		if c.Version != 1 || len(c.at) > 2*maxNodes {
			t.Fatalf("accepted version %d with %d positions", c.Version, len(c.at))
		}
		for _, o := range c.Owners {
			if !login.MatchString(o.Login) || len(o.Types) == 0 || len(o.Packages.Include) == 0 {
				t.Fatalf("accepted owner %+v", o)
			}
		}
		l := c.Limits
		if l.DeletesPerRun < 0 || l.DeletesPerDay < 0 || l.MinAge < 0 || !(l.PercentOfOwner >= 0 && l.PercentOfOwner <= 100) {
			t.Fatalf("accepted limits %+v", l)
		}
		_ = c.CheckParams(map[string]map[string]any{"x": {"y": 1}})
	})
}
