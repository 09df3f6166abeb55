package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestServeQuarantinesAPublishAndUndoBringsItBack(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.start()
	s.publish("team/api", "debug")
	line := s.logs.wait(t, `"msg":"item"`, `"outcome":"done"`)
	s.demand("team/api", "v1", "v2", "v3")
	var item struct{ Run, Action, Package string }
	if err := json.Unmarshal([]byte(line), &item); err != nil {
		t.Fatal(err)
	}
	if item.Action != "delete" || item.Package != "team/api" {
		t.Errorf("%+v", item)
	}

	// Both events of the push, and replays of them, act once.
	s.hook.mu.Lock()
	got, raw := slices.Clone(s.hook.got), slices.Clone(s.hook.raw)
	s.hook.mu.Unlock()
	if len(got) != 2 {
		t.Fatalf("%d deliveries, want package and registry_package", len(got))
	}
	for i := range got {
		if status, err := forward(s.url, got[i].Header, raw[i]); err != nil || status != http.StatusAccepted {
			t.Errorf("replay: %d, %v", status, err)
		}
	}
	s.publish("team/api", "v4")
	s.logs.wait(t, `"msg":"planned"`, `"keep":4`)
	if n := s.writes(); n != 1 {
		t.Errorf("%d writes, want 1", n)
	}

	// What was changed on the way is refused.
	forged := bytes.Replace(raw[0], []byte("mallory"), []byte("alice99"), 1)
	if status, err := forward(s.url, got[0].Header, forged); err != nil || status != http.StatusUnauthorized {
		t.Errorf("forged: %d, %v", status, err)
	}

	// The ledger has it, and undo restores it beside the running server.
	code, out, errs := s.command("show", item.Run, "--format", "json")
	if code != exitDone || !strings.Contains(out, "quarantine_publish") || !strings.Contains(out, `"webhook"`) {
		t.Errorf("show: %d %s %s", code, out, errs)
	}
	if code, out, errs := s.command("undo", item.Run, "--yes"); code != exitDone {
		t.Errorf("undo: %d %s %s", code, out, errs)
	}
	s.demand("team/api", "debug", "v1", "v2", "v3", "v4")
	if code, out, errs := s.command("ledger", "verify"); code != exitDone {
		t.Errorf("ledger: %d %s %s", code, out, errs)
	}
	s.stop()
}

const scheduledConfig = `version: 1
mode: enforce
owners: [{login: acme, types: [container], schedule: "0 3 * * *"}]
limits: {percent_of_owner: 100}
`

func TestServeMakesUpForAMissedSweep(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.write("shelflife.yaml", scheduledConfig)
	_, err := s.sim.Publish(t.Context(), githubsim.Publication{Owner: "acme", Type: retention.Container, Package: "team/api", Versions: []githubsim.Version{
		{Key: "old", CreatedAt: githubsim.Ago(90 * 24 * time.Hour)}, {Key: "young", CreatedAt: githubsim.Ago(time.Hour)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	s.logs.wait(t, `"msg":"serving"`)
	s.stop() // the owner is known from now on, and the next sweep is tomorrow's
	s.demand("team/api", "old", "v1", "v2", "v3", "young")

	db, err := sqlite.Open(s.env["SHELFLIFE_STATE"])
	if err != nil {
		t.Fatal(err)
	}
	state := fmt.Sprintf(`{"phase": "waiting", "started_at": %q}`, time.Now().Add(-49*time.Hour).UTC().Format(time.RFC3339))
	if err := errors.Join(db.SaveSweep(t.Context(), "acme", []byte(state)), db.Close()); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.logs.wait(t, `"msg":"sweep ends"`, `"phase":"done"`)
	s.stop()
	s.demand("team/api", "v1", "v2", "v3", "young")
	if code, out, _ := s.command("runs"); code != exitDone || !strings.Contains(out, "acme") {
		t.Errorf("runs: %d %s", code, out)
	}
}

func TestServeObservesWhereTheConfigurationDoes(t *testing.T) {
	t.Parallel()
	s := newServed(t, "observe")
	s.start()
	s.publish("team/api", "debug")
	s.logs.wait(t, `"msg":"planned"`, `"observed":1`)
	s.publish("infra/base", "debug")
	s.logs.wait(t, "the package is not looked after", "infra/base")
	s.stop()
	s.demand("team/api", "debug", "v1", "v2", "v3")
	if n := s.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestServeKeepsWhatComesWhileItIsSwitchedOff(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.write("state/PAUSE", "incident 12\n")
	s.start()
	s.publish("team/api", "debug")
	s.logs.wait(t, `"msg":"put off"`, "incident 12")
	s.stop()
	if n := len(s.sim.Calls()); n != 0 {
		t.Errorf("%d calls to GitHub while switched off", n)
	}
	if err := os.Remove(filepath.Join(s.dir, "state", "PAUSE")); err != nil {
		t.Fatal(err)
	}
	s.start() // another process, the same state
	s.logs.wait(t, `"msg":"item"`, `"outcome":"done"`)
	s.demand("team/api", "v1", "v2", "v3")
	s.stop()
}

func TestServeAnswersHealthAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.start()
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/": http.StatusNotFound, "/webhook": http.StatusMethodNotAllowed} {
		resp, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	s.stop()
}

func TestServeRefusesToStart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		config string
		args   []string
		want   string
	}{
		"without a file":             {"", nil, "serve needs a configuration file"},
		"without owners":             {"version: 1\n", nil, "names no owner"},
		"abroad without secrets":     {"version: 1\nowners: [{login: acme}]\n", []string{"--listen", "0.0.0.0:0"}, "needs webhook secrets"},
		"everywhere without secrets": {"version: 1\nowners: [{login: acme}]\n", []string{"--listen", ":0"}, "needs webhook secrets"},
		"with an empty secret":       {"version: 1\nowners: [{login: acme}]\nserve: {webhook_secrets: [NO_SUCH]}\n", nil, "environment variable NO_SUCH is empty"},
		"on no address":              {"version: 1\nowners: [{login: acme}]\n", []string{"--listen", "8080"}, "is no address"},
		"on another's address":       {"version: 1\nowners: [{login: acme}]\n", []string{"--listen", "127.0.0.1:99999"}, "write a free address"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			env := map[string]string{"SHELFLIFE_STATE": filepath.Join(dir, "s.db"), "GITHUB_TOKEN": "t"}
			if tc.config != "" {
				env["SHELFLIFE_CONFIG"] = filepath.Join(dir, "shelflife.yaml")
				if err := os.WriteFile(env["SHELFLIFE_CONFIG"], []byte(tc.config), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"serve"}, tc.args...), streams{out: &out, err: &errs, getenv: func(k string) string { return env[k] }})
			if code != exitUsage || !strings.Contains(errs.String(), tc.want) {
				t.Errorf("exit %d: %s, want %q", code, errs.String(), tc.want)
			}
		})
	}
}
