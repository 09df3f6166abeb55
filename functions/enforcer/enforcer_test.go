package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/funcenv"
	"github.com/shelflife-dev/shelflife/internal/operator"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var (
	whole = map[string][]string{"@acme/a": {"1.0.0-rc.1", "1.0.0-rc.2", "1.0.0", "1.1.0"}, "@acme/b": {"1.0.0-rc.1", "1.0.0-rc.2", "1.0.0", "1.1.0"}}
	swept = map[string][]string{"@acme/a": {"1.0.0", "1.1.0"}, "@acme/b": {"1.0.0", "1.1.0"}}
)

// expect compares what GitHub has.
func (w *world) expect(want map[string][]string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.active()); diff != "" {
		w.t.Errorf("active versions (-want +got)\n%s\n%s", diff, w.log.String())
	}
}

func (w *world) status() operator.OwnerStatus {
	w.t.Helper()
	var s operator.Status
	w.must(json.Unmarshal([]byte(w.mustInvoke(`{"kind":"status"}`)), &s))
	return s.Owners[0]
}

func TestASweepThatIsDueIsCarriedOutAndUndone(t *testing.T) {
	w := newWorld(t)
	w.sweep()
	w.expect(swept)
	s := w.status()
	if s.Phase != "done" || s.UsedToday != 4 || len(s.Runs) != 1 || s.Runs[0].Outcomes[retention.OutcomeDone] != 4 {
		t.Errorf("status %+v", s)
	}
	for _, want := range []string{`"SweepsStarted":1`, `"SweepsFinished":1`, `"Deleted":4`, `"Heartbeat":1`, `"RESTCalls":`} {
		if !strings.Contains(w.metrics.String(), want) {
			t.Errorf("no %s among the metrics\n%s", want, w.metrics.String())
		}
	}
	w.boot()
	shown := w.mustInvoke(fmt.Sprintf(`{"kind":"show","owner":"ACME","run":%q}`, s.Run))
	if n := strings.Count(shown, `"outcome":"done"`); n != 4 {
		t.Errorf("%d actions are shown as done, want 4: %s", n, shown)
	}
	w.mustInvoke(`{"kind":"pause","reason":"incident 12"}`)
	undone := w.mustInvoke(fmt.Sprintf(`{"kind":"undo","owner":"acme","run":%q}`, s.Run))
	if !strings.Contains(undone, `"outcomes":{"done":4}`) {
		t.Errorf("undo: %s", undone)
	}
	w.expect(whole)
	if !strings.Contains(w.metrics.String(), `"Restored":4`) {
		t.Error("what was restored is in no metric")
	}
	if out := w.mustInvoke(`{"kind":"verify"}`); !strings.Contains(out, `"whole":true`) {
		t.Errorf("verify: %s", out)
	}
}

func TestTheKillSwitchStopsBeforeTheNextCall(t *testing.T) {
	w := newWorld(t)
	w.mustInvoke(`{"kind":"pause","reason":"incident 12"}`)
	w.back = 2 * time.Minute
	w.mustInvoke(`{"kind":"tick"}`)
	w.back = 0
	w.mustInvoke(`{"kind":"tick"}`)
	if n := w.drain(); n != 0 {
		t.Errorf("%d items were queued while switched off", n)
	}
	if !strings.Contains(w.metrics.String(), `"PausedSeconds":`) {
		t.Error("the pause is in no metric")
	}
	if _, err := w.invoke(`{"kind":"apply","owner":"acme","run":"x"}`); err == nil || !strings.Contains(err.Error(), "kill switch is on") {
		t.Errorf("apply while switched off: %v", err)
	}
	w.mustInvoke(`{"kind":"resume"}`)
	w.sweep()
	w.expect(swept)
}

func TestTheDeploymentsModeCapsEveryOwners(t *testing.T) {
	w := newWorld(t)
	w.vars[funcenv.Mode] = ""
	w.boot()
	w.sweep()
	w.expect(whole)
	if s := w.status(); s.Mode != retention.Observe || s.Phase != "done" {
		t.Errorf("status %+v", s)
	}
	if _, err := w.invoke(`{"kind":"apply","owner":"acme","run":"x"}`); err == nil || !strings.Contains(err.Error(), "observed only") {
		t.Errorf("apply: %v", err)
	}
}

func TestAPersonAppliesWhatAnAlarmHolds(t *testing.T) {
	w := newWorld(t, "percent_of_owner: 100", "percent_of_owner: 10")
	w.sweep()
	w.expect(whole)
	s := w.status()
	if !strings.Contains(s.Note, "held") {
		t.Fatalf("note %q, want that all is held", s.Note)
	}
	out := w.mustInvoke(fmt.Sprintf(`{"kind":"apply","owner":"acme","run":%q}`, s.Run))
	if !strings.Contains(out, `"outcomes":{"done":4}`) {
		t.Errorf("apply: %s", out)
	}
	w.expect(swept)
	if _, err := w.invoke(fmt.Sprintf(`{"kind":"apply","owner":"acme","run":%q}`, s.Run)); err == nil || !strings.Contains(err.Error(), "applied already") {
		t.Errorf("applied again: %v", err)
	}
}

func TestAPlanMadeByHandIsKeptAndApplied(t *testing.T) {
	w := newWorld(t)
	var p operator.Planned
	w.must(json.Unmarshal([]byte(w.mustInvoke(`{"kind":"plan","owner":"acme"}`)), &p))
	if p.Summary.Delete != 4 || len(p.Items) != 4 {
		t.Fatalf("plan %+v", p)
	}
	w.expect(whole)
	w.mustInvoke(fmt.Sprintf(`{"kind":"apply","owner":"acme","run":%q}`, p.Run))
	w.expect(swept)
}

func TestCommandsThatCantBeRightAreRefused(t *testing.T) {
	w := newWorld(t)
	for event, want := range map[string]string{
		`{"kind":"undo","run":"x"}`:                    `undo needs an owner`,
		`{"kind":"undo","owner":"acme"}`:               `undo needs a run`,
		`{"kind":"undo","owner":"mallory","run":"x"}`:  `owner "mallory" is not configured`,
		`{"kind":"undo","owner":"acme","run":"x"}`:     `the ledger holds no such run`,
		`{"kind":"show","owner":"acme","run":"x"}`:     `the ledger holds no such run`,
		`{"kind":"apply","owner":"acme","run":"x"}`:    `no plan x of acme is kept`,
		`{"kind":"apply","owner":"acme","ruun":"x"}`:   `unknown field "ruun"`,
		`{"kind":"delete","owner":"acme","run":"all"}`: `there is no command "delete"`,
		`{}`: `this is no event that is known here`,
		`{"Records":[{"eventSource":"aws:s3","body":"{}"}]}`: `only those of SQS are worked`,
	} {
		if _, err := w.invoke(event); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", event, err, want)
		}
	}
	w.expect(whole)
}

func TestNoSecretIsInAnyLine(t *testing.T) {
	w := newWorld(t)
	w.sweep()
	for _, line := range []string{w.log.String(), w.metrics.String()} {
		for _, secret := range []string{"ghs_", "eyJ", "BEGIN"} {
			if strings.Contains(line, secret) {
				t.Errorf("%s is in the log", secret)
			}
		}
	}
}
