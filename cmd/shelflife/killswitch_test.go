package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
)

// gate stands before a simulator. It holds the first call that matches until the
// test lets it go, and writes down all calls.
type gate struct {
	method string
	held   chan struct{} // closed when the call is there
	let    chan struct{} // closed to let it go

	mu    sync.Mutex
	calls []string
}

func (g *gate) wrap(next http.Handler) http.Handler {
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.calls = append(g.calls, r.Method+" "+r.URL.Path)
		g.mu.Unlock()
		if r.Method == g.method && strings.Contains(r.URL.Path, "/versions/") {
			once.Do(func() {
				close(g.held)
				<-g.let
			})
		}
		next.ServeHTTP(w, r)
	})
}

func (g *gate) seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.calls...)
}

// TestTheKillSwitchIsHonouredWithinOneCall holds a call while the switch goes on:
// the call that is under way ends and is recorded, and no other follows. Held at
// the last look before a deletion, not even that deletion does.
func TestTheKillSwitchIsHonouredWithinOneCall(t *testing.T) {
	for name, tc := range map[string]struct {
		method  string // of the call during which the switch goes on
		args    []string
		deletes int
	}{
		"apply, at a deletion":           {"DELETE", []string{"apply", "plan.json", "--config", "c.yaml"}, 1},
		"run, at a deletion":             {"DELETE", []string{"run", "--yes", "--config", "c.yaml"}, 1},
		"apply, at the look before it":   {"GET", []string{"apply", "plan.json", "--config", "c.yaml"}, 0},
		"by hand, at the look before it": {"GET", []string{"versions", "delete", "acme/npm/widgets@2.0.0-rc.1", "--yes", "--config", "c.yaml"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gate{method: tc.method, held: make(chan struct{}), let: make(chan struct{})}
			sim := simtest.StartWith(t, githubsim.SampleSeed(), g.wrap)
			c := newCLI(t, sim.URL)
			dir := t.TempDir()
			config := filepath.Join(dir, "c.yaml")
			text := "version: 1\nmode: enforce\nowners: [{login: acme}]\nlimits: {percent_of_owner: 100, percent_of_package: 100}\n"
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			plan := filepath.Join(dir, "plan.json")
			args := append([]string(nil), tc.args...)
			for i := range args {
				args[i] = strings.NewReplacer("plan.json", plan, "c.yaml", config).Replace(args[i])
			}
			if args[0] == "apply" {
				c.exec(exitDone, "plan", "--config", config, "--out", plan)
			}
			before := 0
			done := make(chan string)
			go func() { done <- c.exec(exitHeld, args...) }()
			<-g.held
			before = len(g.seen())
			pause := filepath.Join(filepath.Dir(c.env["SHELFLIFE_STATE"]), "PAUSE")
			if err := os.WriteFile(pause, []byte("incident 12"), 0o600); err != nil {
				t.Fatal(err)
			}
			close(g.let)
			out := <-done

			if after := g.seen()[before:]; len(after) != 0 {
				t.Errorf("calls after the switch went on: %q", after)
			}
			deleted := 0
			for _, call := range sim.Server.Calls() {
				if call.Mutating {
					deleted++
				}
			}
			if deleted != tc.deletes {
				t.Errorf("%d deletions, want %d", deleted, tc.deletes)
			}
			if !strings.Contains(out, "incident 12") {
				t.Errorf("the result does not say why it ended:\n%s", out)
			}
			c.exec(exitHeld, args...) // and not while the switch is on
			if err := os.Remove(pause); err != nil {
				t.Fatal(err)
			}
			c.exec(exitDone, args...) // goes on where it ended
			c.exec(exitDone, "ledger", "verify")
		})
	}
}

// TestUndoWorksWhileTheKillSwitchIsOn: that is when it is needed.
func TestUndoWorksWhileTheKillSwitchIsOn(t *testing.T) {
	sim := simtest.Start(t, githubsim.SampleSeed())
	c := newCLI(t, sim.URL)
	c.exec(exitDone, "versions", "delete", "acme/npm/widgets@2.0.0-rc.1", "--yes")
	run := strings.Fields(c.exec(exitDone, "query", "SELECT id FROM runs"))
	c.env["SHELFLIFE_PAUSE"] = "1"
	c.exec(exitHeld, "versions", "delete", "acme/npm/widgets@1.0.0", "--yes")
	c.exec(exitDone, "undo", run[len(run)-3], "--yes")
}
