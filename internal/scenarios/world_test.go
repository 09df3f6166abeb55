package scenarios

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/inventory/listings"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// now is the instant that a scenario plays at: nothing in it depends on the real clock.
var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// world is one scenario under way: a simulated GitHub and everything that the
// program is made of, wired as its commands do, but for the pacing.
type world struct {
	t        *testing.T
	sim      *simtest.Running
	watch    *watch
	state    *sqlite.DB
	ledger   *ledger.Ledger
	enforcer *enforce.Enforcer
	engine   *policy.Engine
	client   *packages.Client
	target   enforce.Target
}

func newWorld(t *testing.T, s scenario, engine *policy.Engine) *world {
	t.Helper()
	w := &world{t: t, watch: &watch{t: t}, engine: engine}
	w.sim = simtest.StartWith(t, s.Seed, w.watch.around, githubsim.WithClock(clock))
	w.watch.server = w.sim.Server
	var err error
	if w.state, err = sqlite.Open(filepath.Join(t.TempDir(), "state.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.state.Close() })
	w.ledger = ledger.New(w.state, clock)
	w.enforcer = &enforce.Enforcer{Ledger: w.ledger, Now: clock, Progress: enforce.Silent{}, Actor: "scenario"}
	w.connect(s.Limits.limits())
	return w
}

// connect makes the clients of the owner.
func (w *world) connect(limits retention.Limits) {
	w.t.Helper()
	authorized := &http.Client{Transport: bearer{http.DefaultTransport}}
	client, err := packages.New(authorized, w.sim.URL, packages.WithClock(clock))
	if err != nil {
		w.t.Fatal(err)
	}
	w.client = client
	who, err := client.Owner(w.t.Context(), owner, retention.Organization)
	if err != nil {
		w.t.Fatal(err)
	}
	graphs, err := oci.New(oci.Options{
		Client: http.DefaultClient, Registry: w.sim.URL, Now: clock, Cache: w.state, IsPause: isPause,
		Credential: func(context.Context, string) (string, error) { return token, nil },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	reader, err := inventory.New(inventory.Config{
		GitHub: listings.Of(client), Graphs: graphs, Ledger: w.ledger, Snapshots: w.state, Now: clock, IsPause: isPause,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.target = enforce.Target{
		Owner: who, Mode: retention.Enforce, Limits: limits, Reader: reader, Looker: client, Writer: client,
	}
}

func (w *world) bundle() guard.Bundle {
	b := w.engine.Bundle()
	return guard.Bundle{Revision: b.Revision, Digest: b.Digest, ParamsDigest: b.ParamsDigest}
}

func (w *world) plan() guard.Plan {
	w.t.Helper()
	plan, err := w.enforcer.Plan(w.t.Context(), enforce.PlanRequest{
		Targets: []enforce.Target{w.target}, Judge: w.engine, Bundle: w.bundle(), Trigger: retention.Trigger{Kind: retention.TriggerCLI},
	})
	if err != nil {
		w.t.Fatalf("plan: %v", err)
	}
	return plan
}

func (w *world) apply(plan guard.Plan, person bool) enforce.Result {
	w.t.Helper()
	res, err := w.tryApply(plan, person)
	if err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	if res.StoppedBy != nil {
		w.t.Fatalf("apply stopped: %v", res.StoppedBy)
	}
	return res
}

func (w *world) applyUntilItStops(plan guard.Plan, person bool) {
	w.t.Helper()
	if res, err := w.tryApply(plan, person); err != nil || res.StoppedBy == nil {
		w.t.Fatalf("apply was to stop: %v", err)
	}
}

func (w *world) tryApply(plan guard.Plan, person bool) (enforce.Result, error) {
	return w.enforcer.Apply(w.t.Context(), enforce.ApplyRequest{
		Plan: plan, Targets: []enforce.Target{w.target}, Judge: w.engine, Bundle: w.bundle(), Person: person,
	})
}

func (w *world) undo(run string) enforce.Result {
	w.t.Helper()
	plan, err := w.enforcer.PlanUndo(w.t.Context(), run, []enforce.Target{w.target})
	if err != nil {
		w.t.Fatalf("plan the undo: %v", err)
	}
	res, err := w.enforcer.Apply(w.t.Context(), enforce.ApplyRequest{Plan: plan, Targets: []enforce.Target{w.target}, Bundle: plan.Bundle()})
	if err != nil || res.StoppedBy != nil {
		w.t.Fatalf("undo: %v, stopped by %v", err, res.StoppedBy)
	}
	return res
}

func (w *world) publish(pubs []githubsim.Publication) {
	w.t.Helper()
	for _, p := range pubs {
		if _, err := w.sim.Server.Publish(w.t.Context(), p); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) faults(fs []githubsim.Fault) {
	w.t.Helper()
	if err := w.sim.Server.SetFaults(fs); err != nil {
		w.t.Fatal(err)
	}
}

// loadPolicies loads the shipped policies and the scenario's own.
func loadPolicies(t *testing.T, s policySetup) *policy.Engine {
	t.Helper()
	opts := policy.Options{Builtin: true, Only: s.Only, Params: policy.Params{All: s.Params}, Data: s.Data}
	for name, text := range s.Extra {
		if opts.Path == "" {
			opts.Path = t.TempDir()
		}
		if err := os.WriteFile(filepath.Join(opts.Path, name+".rego"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	engine, err := policy.Load(t.Context(), shipped(t, s.Enforce), opts)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// shipped is the shipped folder, in which the named policies enforce.
func shipped(t *testing.T, enforced []string) fs.FS {
	t.Helper()
	if len(enforced) == 0 {
		return policies.FS
	}
	out := fstest.MapFS{}
	err := fs.WalkDir(policies.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(policies.FS, name)
		for _, p := range enforced {
			if strings.HasSuffix(name, "/"+p+".rego") {
				text = []byte(strings.Replace(string(text), "mode: observe", "mode: enforce", 1))
			}
		}
		out[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const token = "ghp_scenario"

type bearer struct{ next http.RoundTripper }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return b.next.RoundTrip(r)
}

func isPause(err error) bool {
	_, ok := packages.RateLimitedUntil(err)
	return ok
}
