package sweep_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
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
	"github.com/shelflife-dev/shelflife/internal/sweep"
	"github.com/shelflife-dev/shelflife/internal/testclock"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

// began is a minute before acme's sweep is due.
var began = time.Date(2031, 5, 6, 2, 59, 0, 0, time.UTC)

// world is a simulated GitHub with the stores and the engine on it.
type world struct {
	t     testing.TB
	sim   *githubsim.Server
	url   string
	clock *testclock.Clock
	db    *sqlite.DB
	queue *webhook.MemoryQueue
	eng   *sweep.Engine

	cfg    config.Config
	mode   retention.Mode
	limits retention.Limits
	slice  time.Duration
	bundle guard.Bundle
	judge  enforce.Judge
	off    string // the switch's reason; "" is not on
	// hook hears of every step, such as "read web" or "delete web", before it is
	// made; its error is that step's.
	hook    func(step string) error
	steps   []string
	handled []string
	plans   []guard.Plan
	mu      sync.Mutex
}

const packagesOfAcme = 6

// newWorld has an owner with six packages of four images each, w0 to w3.
func newWorld(t testing.TB) *world { return newWorldOf(t, packagesOfAcme) }

func newWorldOf(t testing.TB, n int) *world {
	t.Helper()
	var pkgs []githubsim.Package
	for p := range n {
		pkg := githubsim.Package{Name: fmt.Sprintf("p%d", p), Type: retention.Container}
		for v := range 4 {
			key := fmt.Sprintf("w%d", v)
			pkg.Versions = append(pkg.Versions, githubsim.Version{Key: key, Tags: []string{key}, CreatedAt: githubsim.Ago(time.Duration(50-v) * 24 * time.Hour)})
		}
		pkgs = append(pkgs, pkg)
	}
	w := &world{
		t: t, clock: testclock.New(began), mode: retention.Enforce, slice: time.Minute, judge: expire("w0", "w1"),
		limits: retention.Limits{DeletesPerRun: 1000, DeletesPerDay: 1000, PercentOfPackage: 100, PercentOfOwner: 100, MinAge: 24 * time.Hour},
		bundle: guard.Bundle{Revision: "test", Digest: "sha256:policies", ParamsDigest: "sha256:params"},
	}
	r := simtest.Start(t, githubsim.Seed{Owners: []githubsim.Owner{{Login: "acme", Packages: pkgs}}}, githubsim.WithClock(w.clock.Now))
	w.sim, w.url = r.Server, r.URL
	var err error
	w.cfg, err = config.Parse("shelflife.yaml", []byte(`{version: 1, owners: [{login: acme, types: [container], packages: {exclude: [hidden]}, schedule: "0 3 * * *"}]}`), func(string) string { return "" })
	w.must(err)
	w.db, err = sqlite.Open(filepath.Join(t.TempDir(), "state.db"))
	w.must(err)
	t.Cleanup(func() { w.must(w.db.Close()) })
	w.boot()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// boot starts the process anew: what was queued is gone.
func (w *world) boot() {
	w.t.Helper()
	w.queue = webhook.NewMemoryQueue(100, w.clock.Now)
	w.engine(w.queue)
}

func (w *world) engine(q sweep.Queue) {
	w.t.Helper()
	var err error
	w.eng, err = sweep.New(sweep.Config{
		Owners:   w.cfg.Owners,
		Connect:  func(context.Context, config.Owner) (enforce.Target, error) { return w.target(), w.step("connect") },
		Enforcer: &enforce.Enforcer{Ledger: w.ledger(), Now: w.clock.Now, Workers: 1, Actor: "tester"},
		Judge:    w.judge, Bundle: w.bundle, Sealer: guard.HMACKey(bytes.Repeat([]byte("k"), 32)),
		Plans: w.db, Sweeps: w.db, Queue: q, Switch: w, OwnerVersions: w.db.ActiveVersions,
		Record: func(_ context.Context, p guard.Plan) error { w.plans = append(w.plans, p); return nil },
		Now:    w.clock.Now, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)), Slice: w.slice,
	})
	w.must(err)
}

func (w *world) ledger() *ledger.Ledger { return ledger.New(w.db, w.clock.Now) }

// Paused makes the world the engine's switch.
func (w *world) Paused(context.Context) (bool, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.off != "", w.off
}

func (w *world) step(what string) error {
	w.mu.Lock()
	w.steps = append(w.steps, what)
	hook := w.hook
	w.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(what)
}

// slowly lets every step take that long, a deletion after it was sent: one that has
// to wait for longer before rests on a look that is too old by then.
func (w *world) slowly(d time.Duration) func(string) error {
	return func(step string) error {
		if !strings.HasPrefix(step, "delete ") {
			w.clock.Advance(d)
		}
		return nil
	}
}

// times counts the steps that begin so.
func (w *world) times(prefix string) int {
	n := 0
	for _, s := range w.steps {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// hookedReader and hookedWriter tell the world before they do anything.
type hookedReader struct {
	enforce.Reader
	w *world
}

func (r hookedReader) List(ctx context.Context, o retention.Owner, types []retention.PackageType) (inventory.Listing, error) {
	if err := r.w.step("list"); err != nil {
		return inventory.Listing{}, err
	}
	return r.Reader.List(ctx, o, types)
}

func (r hookedReader) Read(ctx context.Context, o retention.Owner, p retention.Package, opts inventory.Options) (retention.Inventory, error) {
	what := "look " + p.Name
	if opts.Fresh {
		what = "read " + p.Name
	}
	if err := r.w.step(what); err != nil {
		return retention.Inventory{}, err
	}
	return r.Reader.Read(ctx, o, p, opts)
}

type hookedWriter struct {
	enforce.Writer
	w *world
}

func (h hookedWriter) DeleteVersion(ctx context.Context, o retention.Owner, t retention.PackageType, name string, id retention.ID) (packages.Receipt, error) {
	if err := h.w.step("delete " + name); err != nil {
		return packages.Receipt{}, err
	}
	r, err := h.Writer.DeleteVersion(ctx, o, t, name, id)
	if err == nil {
		err = h.w.step("deleted " + name)
	}
	return r, err
}

func isPause(err error) bool {
	_, limited := packages.RateLimitedUntil(err)
	return limited
}

// target is acme with real clients, governed without pacing.
func (w *world) target() enforce.Target {
	w.t.Helper()
	options := ghapp.GovernorOptions{
		MaxInFlight: 16, PointsPerMinute: ghapp.Off, WriteSpacing: ghapp.Off, ReservePercent: ghapp.Off, MaxWait: 10 * time.Second, Clock: w.clock,
	}
	rest, err := ghapp.NewGovernor(options)
	w.must(err)
	owner := retention.Owner{Login: "acme", Kind: retention.Organization}
	source, err := ghapp.NewTokenSource(ghapp.TokenOptions{
		Owner: owner, Token: ghapp.NewToken("ghp_test"),
		Connection: ghapp.Connection{BaseURL: w.url + "/api/v3", Transport: http.DefaultTransport, Governor: rest, UserAgent: "test"},
	})
	w.must(err)
	client := func(phase ghapp.Phase) *packages.Client {
		hc, err := ghapp.NewHTTPClient(source, phase, owner)
		w.must(err)
		c, err := packages.New(hc, w.url+"/api/v3", packages.WithClock(w.clock.Now))
		w.must(err)
		return c
	}
	planning := client(ghapp.Planning)
	graphs, err := oci.New(oci.Options{
		Client: http.DefaultClient, Registry: w.url, Cache: w.db, Now: w.clock.Now, IsPause: isPause,
		Credential: func(context.Context, string) (string, error) { return "ghp_test", nil },
	})
	w.must(err)
	reader, err := inventory.New(inventory.Config{
		GitHub: listings.Of(planning), Graphs: graphs, Ledger: w.ledger(), Snapshots: w.db, Now: w.clock.Now, IsPause: isPause,
	})
	w.must(err)
	return enforce.Target{
		Owner: owner, Mode: w.mode, Limits: w.limits, Reader: hookedReader{reader, w}, Looker: planning, Writer: hookedWriter{client(ghapp.Acting), w},
		Types: []retention.PackageType{retention.Container}, Match: w.cfg.Owners[0].Matches,
	}
}

func (w *world) tick() {
	w.t.Helper()
	w.must(w.eng.Tick(w.t.Context(), w.clock.Now()))
}

// work handles what is queued, one item after the other, until nothing is left.
func (w *world) work() {
	w.t.Helper()
	for w.queue.Len() > 0 {
		w.must(w.one())
	}
}

// one handles one item.
func (w *world) one() error {
	item, err := w.queue.Receive(w.t.Context())
	w.must(err)
	name := item.Name
	if item.Kind == retention.WorkSweep {
		name = "#" + item.Cursor
	}
	w.handled = append(w.handled, name)
	return w.eng.Handle(w.t.Context(), item)
}

// due starts acme's first sweep: its first item is queued.
func (w *world) due() {
	w.t.Helper()
	w.tick()
	if w.queue.Len() != 0 {
		w.t.Fatal("an owner is swept when it is first seen")
	}
	w.clock.Advance(time.Minute)
	w.tick()
	if w.queue.Len() != 1 {
		w.t.Fatalf("%d items when the sweep is due", w.queue.Len())
	}
}

// gone lists what is deleted, as "package version".
func (w *world) gone() []string {
	var out []string
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if v.State == retention.Deleted {
					out = append(out, p.Name+" "+v.Key)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// swept is what a whole sweep deletes.
func swept() []string { return sweptOf(packagesOfAcme) }

func sweptOf(n int) []string {
	var out []string
	for p := range n {
		out = append(out, fmt.Sprintf("p%d w0", p), fmt.Sprintf("p%d w1", p))
	}
	return out
}

// rules is a Judge that asks for the deletion of tagged versions.
type rules struct{ names []string }

func expire(names ...string) rules { return rules{names} }

func (rules) NeedsDeleted() bool { return false }

func (r rules) Decide(ctx context.Context, req policy.Request) (retention.Judgement, error) {
	j := retention.Judgement{EvaluatedAt: req.EvaluatedAt}
	for _, v := range req.Inventory.Versions {
		if v.IsActive() && slices.ContainsFunc(v.Tags, func(t string) bool { return slices.Contains(r.names, t) }) {
			j.Decisions = append(j.Decisions, retention.Decision{
				Policy: "expire", Rule: "expire", Action: retention.Delete, Target: retention.TargetVersion, Version: v.ID,
				Reason: "named by the test", Severity: "low", Mode: retention.Enforce,
			})
		}
	}
	return j, ctx.Err()
}
