package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestServeKeepsAPackageThatCanNotBeRead(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.start()
	if err := s.sim.SetFaults([]githubsim.Fault{{Match: "GET /orgs/acme", Status: http.StatusForbidden}}); err != nil {
		t.Fatal(err)
	}
	s.publish("team/api", "debug")
	s.logs.wait(t, `"msg":"item failed"`, `"next":"the tick goes on with it"`)
	s.stop()
	s.demand("team/api", "debug", "v1", "v2", "v3")
	if err := s.sim.SetFaults(nil); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.logs.wait(t, `"msg":"item"`, `"outcome":"done"`)
	s.stop()
	s.demand("team/api", "v1", "v2", "v3")
}

func TestConfiguredTellsOwnersAndInstallations(t *testing.T) {
	cfg, err := config.Parse("shelflife.yaml", []byte("version: 1\nowners: [{login: acme, credentials: {kind: app, app_id: 1, installation_id: 77}}, {login: jane, kind: user}]"),
		func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		login        string
		installation int64
		want         bool
	}{
		"its installation":              {"ACME", 77, true},
		"another installation":          {"acme", 78, false},
		"a webhook of the organization": {"acme", 0, true},
		"an owner with a token":         {"jane", 5, true},
		"a stranger":                    {"mallory", 77, false},
	} {
		if got := cfg.Configured(tc.login, tc.installation); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPauseSwitch(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "reason": "incident 12\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		file, env string
		want      string // "" is off
	}{
		{"none", "", ""},
		{"none", "0", ""},
		{"none", "1", "SHELFLIFE_PAUSE is set"},
		{"empty", "", "the file PAUSE is there"},
		{"reason", "", "the file PAUSE says: incident 12"},
		{"reason/below", "", "the file PAUSE can't be looked for"},
		{".", "", "the file PAUSE is there"},
	} {
		p := pauseSwitch{path: filepath.Join(dir, tc.file), env: func(string) string { return tc.env }}
		on, why := p.Paused(t.Context())
		if on != (tc.want != "") || !strings.HasPrefix(why, tc.want) {
			t.Errorf("%s, %q: %v %q", tc.file, tc.env, on, why)
		}
	}
}

func TestLogHoldsNoSecretsAndTakesNotes(t *testing.T) {
	var out bytes.Buffer
	log := jsonLog(&out)
	token := "ghp_" + strings.Repeat("a1B2", 9)
	log.Info("failed", "error", errors.New("refused: "+token), "text", token)
	fmt.Fprintf(lines{log}, "shelflife: one\n\ntwo %s\n", "words")
	if strings.Contains(out.String(), token) {
		t.Errorf("the log holds a token: %s", out.String())
	}
	for _, want := range []string{`"msg":"one"`, `"msg":"two words"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing: %s", want, out.String())
		}
	}
}

func TestServeLooksAtWhatACrashLeftOfItsWebhooks(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.publish("team/api", "debug") // nobody listens
	p, _ := s.sim.State().Package("acme", retention.Container, "team/api")
	v, _ := p.Version("debug")
	db, err := sqlite.Open(s.env["SHELFLIFE_STATE"])
	if err != nil {
		t.Fatal(err)
	}
	work := func(owner string) retention.WorkItem {
		return retention.NewPackageWork(retention.PackageRef{Owner: owner, Type: retention.Container, Name: "team/api"},
			retention.Trigger{Kind: retention.TriggerWebhook, Event: "package", Action: "published", Sender: "mallory", VersionID: retention.ID(v.ID)}, "a-change")
	}
	err = errors.Join(db.KeepWork(t.Context(), work("stranger")), db.KeepWork(t.Context(), work("acme")), db.Close())
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	s.logs.wait(t, `"msg":"serving"`, `"left":1`)
	s.logs.wait(t, `"msg":"item"`, `"outcome":"done"`)
	s.stop()
	s.demand("team/api", "v1", "v2", "v3")
	if db, err = sqlite.Open(s.env["SHELFLIFE_STATE"]); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if left, err := db.Work(t.Context()); len(left) != 0 || err != nil {
		t.Errorf("still kept: %v, %v", left, err)
	}
}
