package funcenv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/funcenv"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func write(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "shelflife.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var byToken = "version: 1\nowners: [{login: acme}]\n"

func TestEnforcerSettings(t *testing.T) {
	const byApp = "version: 1\nowners: [{login: acme, credentials: {kind: app, installation_id: 1}}]\n"
	whole := map[string]string{funcenv.Table: "t", funcenv.Bucket: "b", funcenv.QueueURL: "q", funcenv.SealKeyID: "k"}
	with := func(more map[string]string) map[string]string {
		out := map[string]string{}
		for _, m := range []map[string]string{whole, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	for name, tc := range map[string]struct {
		file string
		vars map[string]string
		errs []string // what the error names; none is no error
		mode retention.Mode
	}{
		"whole":                   {file: byToken, vars: whole},
		"may enforce":             {file: byToken, vars: with(map[string]string{funcenv.Mode: "enforce"}), mode: retention.Enforce},
		"nothing":                 {file: byToken, errs: []string{funcenv.Table, funcenv.Bucket, funcenv.QueueURL, funcenv.SealKeyID}},
		"a mode that is none":     {file: byToken, vars: with(map[string]string{funcenv.Mode: "delete"}), errs: []string{funcenv.Mode}},
		"an App without its id":   {file: byApp, vars: with(map[string]string{funcenv.AppKeyID: "k"}), errs: []string{funcenv.AppID, "acme"}},
		"an App without a key":    {file: byApp, vars: with(map[string]string{funcenv.AppID: "7"}), errs: []string{funcenv.AppKeyID, funcenv.AppKeySecret}},
		"an App with two keys":    {file: byApp, vars: with(map[string]string{funcenv.AppID: "7", funcenv.AppKeyID: "k", funcenv.AppKeySecret: "s"}), errs: []string{funcenv.AppKeyID}},
		"an App with its key":     {file: byApp, vars: with(map[string]string{funcenv.AppID: "7", funcenv.AppKeySecret: "s"})},
		"an App's id that is bad": {file: byApp, vars: with(map[string]string{funcenv.AppID: "seven", funcenv.AppKeyID: "k"}), errs: []string{funcenv.AppID}},
		"no owner":                {file: "version: 1\n", vars: whole, errs: []string{"names no owner"}},
		"a mistake in the file":   {file: "version: 1\nownres: []\n", vars: whole, errs: []string{"ownres", "shelflife.yaml:2"}},
		"no file":                 {vars: whole, errs: []string{funcenv.ConfigFile, "shelflife.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.file != "" {
				write(t, dir, tc.file)
			}
			s, err := funcenv.ReadEnforcer(func(n string) string {
				if n == "LAMBDA_TASK_ROOT" {
					return dir
				}
				return tc.vars[n]
			})
			if (len(tc.errs) > 0) != (err != nil) {
				t.Fatalf("%v, want %q", err, tc.errs)
			}
			for _, want := range tc.errs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not name %s", err, want)
				}
			}
			if err == nil && s.Mode != tc.mode {
				t.Errorf("mode %s, want %s", s.Mode, tc.mode)
			}
		})
	}
}

func TestTheRevisionIsThatOfBuildAndConfiguration(t *testing.T) {
	revision := func(text, build string) string {
		dir := t.TempDir()
		write(t, dir, text)
		vars := map[string]string{funcenv.ConfigFile: filepath.Join(dir, "shelflife.yaml"), funcenv.Table: "t", funcenv.QueueURL: "q", funcenv.WebhookSecret: "s"}
		s, err := funcenv.ReadWebhook(func(n string) string { return vars[n] })
		if err != nil {
			t.Fatal(err)
		}
		return s.Revision(build)
	}
	seen := map[string]string{}
	for _, c := range []struct{ text, build string }{{byToken, ""}, {byToken, "abc"}, {byToken + "# \n", "abc"}, {byToken, "def"}} {
		r := revision(c.text, c.build)
		if other, ok := seen[r]; ok {
			t.Errorf("%q and %q have the same revision %s", c, other, r)
		}
		seen[r] = c.text + c.build
		if again := revision(c.text, c.build); again != r {
			t.Errorf("%s and %s of the same", r, again)
		}
		item := retention.NewSweepWork("run", "acme", "")
		item.Revision = r
		if err := item.Validate(); err != nil {
			t.Errorf("an item can't bear it: %v", err)
		}
	}
}

func TestListsNameEveryVariable(t *testing.T) {
	asked := map[string]bool{}
	env := func(n string) string { asked[n] = true; return "" }
	_, _ = funcenv.ReadEnforcer(env)
	_, _ = funcenv.ReadWebhook(env)
	listed := map[string]bool{funcenv.AppID: true} // config reads it
	for _, n := range append(funcenv.Enforcer(), funcenv.Webhook()...) {
		listed[n] = true
	}
	for n := range asked {
		if !listed[n] && strings.HasPrefix(n, "SHELFLIFE_") {
			t.Errorf("%s is read and not listed", n)
		}
	}
	for n := range listed {
		if !asked[n] && n != funcenv.AppID {
			t.Errorf("%s is listed and not read", n)
		}
	}
}

func TestAnEndlessConfigurationIsNotReadWhole(t *testing.T) {
	vars := map[string]string{funcenv.ConfigFile: "/dev/zero", funcenv.Table: "t", funcenv.QueueURL: "q", funcenv.WebhookSecret: "s"}
	if _, err := funcenv.ReadWebhook(func(n string) string { return vars[n] }); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Error(err)
	}
}
