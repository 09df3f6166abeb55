package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
)

var compareConfig = cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()}

func noEnv(string) string { return "" }

func envOf(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func ptr[T any](v T) *T { return &v }

func parse(t *testing.T, text string) Config {
	t.Helper()
	c, err := Parse("shelflife.yaml", []byte(text), noEnv)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return c
}

func TestTheDesignsExampleIsUnderstoodWhole(t *testing.T) {
	got, err := Parse("conf/shelflife.yaml", []byte(`
version: 1
mode: observe
owners:
  - login: acme
    mode: enforce
    types: [container, npm]
    packages: {include: ["team/**"], exclude: ["infra/**"]}
    schedule: "0 3 * * *"
    timezone: Europe/Oslo
    credentials: {kind: app, installation_id: 123, private_key_file: key.pem}
    params: {expire_untagged: {older_than_days: 14}}
    package_params: [{packages: "team/*", params: {keep_tags: {patterns: [v*, latest]}}}]
    limits: {deletes_per_run: 0}
  - {login: jane, kind: user, credentials: {kind: token, secret: JANE_TOKEN}}
policies: {path: ./policies, builtin: true, only: [keep_tags], data: /etc/deployed.json}
params: {keep_newest: {tagged: 10, ratio: 0.5, on: true, since: 2026-01-01, none: null}}
limits: {deletes_per_day: 0, min_age: 1d12h}
api: {github_url: "https://ghe.example.com/api/v3/", max_in_flight: 4}
`), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	cron, err := ParseCron("0 3 * * *")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Version: 1,
		Owners: []Owner{{
			Login: "acme", Kind: retention.Organization, Mode: ptr(retention.Enforce),
			Types:    []retention.PackageType{retention.Container, retention.NPM},
			Packages: Packages{Include: []string{"team/**"}, Exclude: []string{"infra/**"}},
			Schedule: cron, Timezone: "Europe/Oslo",
			Credentials:   &Credentials{Kind: KindApp, InstallationID: 123, PrivateKeyFile: filepath.Join("conf", "key.pem")},
			Params:        Params{"expire_untagged": {"older_than_days": 14}},
			PackageParams: []PackageParams{{Packages: "team/*", Params: Params{"keep_tags": {"patterns": []any{"v*", "latest"}}}}},
			Limits:        &OwnerLimits{DeletesPerRun: ptr(0)},
		}, {
			Login: "jane", Kind: retention.User, Types: retention.PackageTypes(), Packages: Packages{Include: []string{"**"}},
			Credentials: &Credentials{Kind: KindToken, Secret: "JANE_TOKEN"},
		}},
		Policies:     Policies{Path: filepath.Join("conf", "policies"), Builtin: true, Only: []string{"keep_tags"}, Data: "/etc/deployed.json"},
		Params:       Params{"keep_newest": {"tagged": 10, "ratio": 0.5, "on": true, "since": "2026-01-01", "none": nil}},
		Limits:       retention.Limits{DeletesPerRun: 500, DeletesPerDay: 0, PercentOfPackage: 50, PercentOfOwner: 10, MinAge: 36 * time.Hour},
		API:          API{GitHubURL: "https://ghe.example.com/api/v3", RegistryURL: DefaultRegistryURL, ReservePercent: 10, MaxInFlight: 4},
		MaxStaleness: 7 * 24 * time.Hour,
		History:      90 * 24 * time.Hour,
		PlanExpiry:   24 * time.Hour,
		File:         "conf/shelflife.yaml",
	}
	if diff := cmp.Diff(want, got, compareConfig); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPoliciesDefaultToTheShippedOnes(t *testing.T) {
	for text, want := range map[string]Policies{
		"":                                     {Builtin: true},
		"policies: builtin":                    {Builtin: true},
		"policies: {only: [a]}":                {Builtin: true, Only: []string{"a"}},
		"policies: {path: /p}":                 {Path: "/p"},
		"policies: {path: /p, builtin: false}": {Path: "/p"},
		"policies: {path: /p, builtin: true}":  {Path: "/p", Builtin: true},
		"policies: {bundle: b.tar.gz}":         {Bundle: "b.tar.gz"},
		"policies: {bundle: \"s3://b/x.tar.gz\", verification_key: \"arn:aws:kms:x\"}": {Bundle: "s3://b/x.tar.gz", VerificationKey: "arn:aws:kms:x"},
	} {
		if diff := cmp.Diff(want, parse(t, "version: 1\n"+text).Policies); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestWarningsAreNotErrors(t *testing.T) {
	c := parse(t, "version: 1\nowners: [{login: a, timezone: UTC}]\npolicies: {bundle: b.tar.gz}\n")
	var got []string
	for _, w := range c.Warnings {
		got = append(got, w.Error())
	}
	want := []string{
		"shelflife.yaml:2:31: timezone says nothing without a schedule",
		"shelflife.yaml:3:20: the bundle is not verified: anybody who can write it decides what is deleted; set verification_key",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestModeAndLimitsOfAnOwner(t *testing.T) {
	c := parse(t, `
version: 1
mode: enforce
owners: [{login: Plain}, {login: careful, mode: observe, limits: {deletes_per_run: 0, min_age: 2d}}]
limits: {deletes_per_run: 7}
`)
	for login, want := range map[string]retention.Mode{"plain": retention.Enforce, "careful": retention.Observe, "stranger": retention.Observe} {
		if got := c.ModeFor(login); got != want {
			t.Errorf("mode of %s: %v, want %v", login, got, want)
		}
	}
	want := retention.DefaultLimits()
	want.DeletesPerRun = 7
	if diff := cmp.Diff(want, c.LimitsFor("PLAIN")); diff != "" {
		t.Errorf("limits of plain (-want +got):\n%s", diff)
	}
	want.DeletesPerRun, want.MinAge = 0, 48*time.Hour
	if diff := cmp.Diff(want, c.LimitsFor("careful")); diff != "" {
		t.Errorf("limits of careful (-want +got):\n%s", diff)
	}
}

func TestOwnerMatches(t *testing.T) {
	o := Owner{Packages: Packages{Include: []string{"team/**", "api"}, Exclude: []string{"team/Infra/**", "**/keep-*"}}}
	for name, want := range map[string]bool{
		"api": true, "API": false, "team/api": true, "team/a/b": true, "other": false,
		"team/infra/x": false, "TEAM/INFRA/x": false, "team/keep-1": false, "team": true,
	} {
		if got := o.Matches(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	broken := Owner{Packages: Packages{Include: []string{"**"}, Exclude: []string{"[", "x"}}}
	if broken.Matches("anything") {
		t.Error("a broken exclude lets packages through")
	}
	if (Owner{}).Matches("anything") {
		t.Error("the zero Owner looks after packages")
	}
}

func TestLoadFindsTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, login string) {
		if err := os.WriteFile(name, []byte("version: 1\nowners: [{login: "+login+"}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load("", noEnv); !errors.Is(err, ErrNoFile) {
		t.Errorf("without a file: %v, want ErrNoFile", err)
	}
	missing := envOf(map[string]string{"SHELFLIFE_CONFIG": "missing.yaml"})
	if _, err := Load("", missing); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoFile) {
		t.Errorf("with a named file that is missing: %v", err)
	}
	write("shelflife.yaml", "standard")
	write("env.yaml", "environment")
	write("flag.yaml", "flag")
	env := envOf(map[string]string{"SHELFLIFE_CONFIG": "env.yaml"})
	for _, tc := range []struct {
		path string
		env  func(string) string
		want string
	}{{"", noEnv, "standard"}, {"", env, "environment"}, {"flag.yaml", env, "flag"}} {
		c, err := Load(tc.path, tc.env)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Owners[0].Login; got != tc.want {
			t.Errorf("read the file of %s, want %s", got, tc.want)
		}
	}
	if err := os.WriteFile("big.yaml", []byte(strings.Repeat("#", MaxFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load("big.yaml", noEnv); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a file that is too large: %v", err)
	}
}

func TestDefaultNeedsNoFile(t *testing.T) {
	c, err := Default(envOf(map[string]string{"GITHUB_TOKEN": "t0ken"}), "acme", "ACME", "jane")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Policies.Builtin = true
	for _, l := range []string{"acme", "jane"} {
		want.Owners = append(want.Owners, Owner{Login: l, Kind: retention.Organization, Types: retention.PackageTypes(), Packages: Packages{Include: []string{"**"}}})
	}
	want.Env = Settings{Token: secret.New("t0ken")}
	if diff := cmp.Diff(want, c, compareConfig); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.ModeFor("acme") != retention.Observe {
		t.Error("without a file, it acts")
	}
	if _, err := Default(noEnv, "not/a/login"); err == nil {
		t.Error("a login with slashes is accepted")
	}
}
