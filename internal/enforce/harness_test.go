package enforce_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/inventory/inventorytest"
	"github.com/shelflife-dev/shelflife/internal/inventory/listings"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

// world is a simulator with everything that acts on it.
type world struct {
	t     testing.TB
	sim   *githubsim.Server
	url   string
	clock *testclock.Clock
	store ledger.Store // as it is on the disk: no interceptor
	snaps inventory.Snapshots
	cache oci.MemoryCache

	// waiting, if set, hears of each wait for GitHub's limits, which then may be as
	// long as the program's own; without it they are 10 seconds at most.
	waiting func(d time.Duration)

	limits retention.Limits
	mode   retention.Mode
	start  githubsim.State
	parts  map[string][]string // index "owner/package key" → its children, as seeded or published
	byHand map[int64]bool      // versions that a test deleted behind Shelflife's back
	bundle guard.Bundle
}

var began = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, seed githubsim.Seed) *world {
	t.Helper()
	w := &world{
		t: t, clock: testclock.New(began), store: ledgertest.NewMemory(),
		snaps:  inventorytest.NewSnapshots(),
		limits: retention.Limits{DeletesPerRun: 1000, DeletesPerDay: 1000, PercentOfPackage: 100, PercentOfOwner: 100, MinAge: 24 * time.Hour},
		mode:   retention.Enforce, parts: map[string][]string{}, byHand: map[int64]bool{},
		bundle: guard.Bundle{Revision: "test", Digest: "sha256:policies", ParamsDigest: "sha256:params"},
	}
	for _, o := range seed.Owners {
		for _, p := range o.Packages {
			w.learn(o.Login+"/"+p.Name, p.Versions)
		}
	}
	r := simtest.StartWith(t, seed, w.watch, githubsim.WithClock(w.clock.Now))
	w.sim, w.url = r.Server, r.URL
	w.start = w.sim.State()
	return w
}

// onDisk makes the world keep its ledger and snapshots in SQLite.
func (w *world) onDisk() *world {
	w.t.Helper()
	db, err := sqlite.Open(filepath.Join(w.t.TempDir(), "state.db"))
	w.must(err)
	w.t.Cleanup(func() { w.must(db.Close()) })
	w.store, w.snaps = db, db
	return w
}

func (w *world) learn(pkg string, versions []githubsim.Version) {
	for _, v := range versions {
		if len(v.Index) > 0 {
			w.parts[pkg+" "+keyOf(v)] = v.Index
		}
	}
}

func keyOf(v githubsim.Version) string {
	if v.Key != "" {
		return v.Key
	}
	return v.Name
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) ledger() *ledger.Ledger { return ledger.New(w.store, w.clock.Now) }

func (w *world) enforcer() *enforce.Enforcer { return w.enforcerOn(w.store) }

func (w *world) enforcerOn(s ledger.Store) *enforce.Enforcer {
	return &enforce.Enforcer{Ledger: ledger.New(s, w.clock.Now), Now: w.clock.Now, Progress: enforce.Silent{}, Actor: "tester"}
}

func isPause(err error) bool {
	_, limited := packages.RateLimitedUntil(err)
	return limited || isPaused(err)
}

// target is an owner with real clients, wired as the program does it, governed
// without pacing.
func (w *world) target(login string, kind retention.OwnerKind) enforce.Target {
	w.t.Helper()
	options := ghapp.GovernorOptions{
		MaxInFlight: 16, PointsPerMinute: ghapp.Off, WriteSpacing: ghapp.Off, ReservePercent: ghapp.Off,
		MaxWait: 10 * time.Second, Clock: w.clock,
	}
	if w.waiting != nil {
		options.MaxWait, options.Clock = 2*time.Minute, heardClock{w.clock, w.waiting}
	}
	rest, err := ghapp.NewGovernor(options)
	w.must(err)
	registry, err := ghapp.NewGovernor(options)
	w.must(err)
	base := &http.Transport{MaxIdleConnsPerHost: 16}
	w.t.Cleanup(base.CloseIdleConnections)
	owner := retention.Owner{Login: login, Kind: kind}
	source, err := ghapp.NewTokenSource(ghapp.TokenOptions{
		Owner: owner, Token: ghapp.NewToken("ghp_test"),
		Connection: ghapp.Connection{BaseURL: w.url + "/api/v3", Transport: base, Governor: rest, UserAgent: "test"},
	})
	w.must(err)
	client := func(phase ghapp.Phase) *packages.Client {
		hc, err := ghapp.NewHTTPClient(source, phase, owner)
		w.must(err)
		c, err := packages.New(hc, w.url+"/api/v3", packages.WithClock(w.clock.Now))
		w.must(err)
		return c
	}
	planning, acting := client(ghapp.Planning), client(ghapp.Acting)
	graphs, err := oci.New(oci.Options{
		Client: &http.Client{Transport: ghapp.NewRegistryTransport(base, registry, "test")}, Registry: w.url,
		Credential: func(context.Context, string) (string, error) { return "ghp_test", nil },
		Cache:      &w.cache, Now: w.clock.Now, IsPause: isPause,
	})
	w.must(err)
	reader, err := inventory.New(inventory.Config{
		GitHub: listings.Of(planning), Graphs: graphs, Ledger: w.ledger(), Snapshots: w.snaps, Now: w.clock.Now, IsPause: isPause,
	})
	w.must(err)
	return enforce.Target{
		Owner: owner, Mode: w.mode, Limits: w.limits, Reader: reader, Looker: planning, Writer: acting,
		Types: []retention.PackageType{retention.Container, retention.NPM},
		Calls: func() guard.Calls { return guard.Calls{REST: rest.Stats().Reads, Registry: registry.Stats().Reads} },
	}
}

func (w *world) acme() []enforce.Target {
	return []enforce.Target{w.target("acme", retention.Organization)}
}

// plan plans and sends the plan through a file, as plan --out and apply do.
func (w *world) plan(j enforce.Judge, targets ...enforce.Target) guard.Plan {
	w.t.Helper()
	if len(targets) == 0 {
		targets = w.acme()
	}
	p, err := w.enforcer().Plan(w.ctx(), enforce.PlanRequest{
		Targets: targets, Judge: j, Bundle: w.bundle, Trigger: retention.Trigger{Kind: retention.TriggerSchedule},
	})
	w.must(err)
	return w.throughFile(p)
}

func (w *world) throughFile(p guard.Plan) guard.Plan {
	w.t.Helper()
	key := guard.HMACKey(bytes.Repeat([]byte("k"), 32))
	var sealed bytes.Buffer
	w.must(p.Seal(w.ctx(), &sealed, key))
	opened, err := guard.Open(w.ctx(), &sealed, key, w.clock.Now())
	w.must(err)
	return opened
}

func (w *world) request(p guard.Plan, j enforce.Judge, targets ...enforce.Target) enforce.ApplyRequest {
	if len(targets) == 0 {
		targets = w.acme()
	}
	return enforce.ApplyRequest{Plan: p, Targets: targets, Judge: j, Bundle: p.Bundle()}
}

func (w *world) apply(p guard.Plan, j enforce.Judge, targets ...enforce.Target) enforce.Result {
	w.t.Helper()
	res, err := w.enforcer().Apply(w.ctx(), w.request(p, j, targets...))
	w.must(err)
	return res
}

// hand makes a call as somebody else would, past Shelflife.
func (w *world) hand(method, path string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.ctx(), method, w.url+path, nil)
	w.must(err)
	req.Header.Set("Authorization", "Bearer somebody")
	req.Header.Set("X-By-Hand", "yes")
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		w.t.Fatalf("%s %s by hand: %s", method, path, resp.Status)
	}
}

func (w *world) handDelete(pkg, key string) {
	w.t.Helper()
	v := w.version(pkg, key)
	w.byHand[v.ID] = true
	typ := retention.Container
	if pkg == "lib" {
		typ = retention.NPM
	}
	w.hand(http.MethodDelete, fmt.Sprintf("/orgs/acme/packages/%s/%s/versions/%d", typ, escaped(pkg), v.ID))
}

func (w *world) publish(pkg string, versions ...githubsim.Version) {
	w.t.Helper()
	w.learn("acme/"+pkg, versions)
	_, err := w.sim.Publish(w.ctx(), githubsim.Publication{Owner: "acme", Type: retention.Container, Package: pkg, Versions: versions})
	w.must(err)
}

func (w *world) faults(faults ...githubsim.Fault) {
	w.t.Helper()
	w.must(w.sim.SetFaults(faults))
}

// rules is a Judge that asks the same of every package.
type rules struct {
	deleted bool
	decide  func(retention.Inventory) []retention.Decision
}

func (r rules) NeedsDeleted() bool { return r.deleted }

func (r rules) Decide(ctx context.Context, req policy.Request) (retention.Judgement, error) {
	return retention.Judgement{EvaluatedAt: req.EvaluatedAt, Decisions: r.decide(req.Inventory)}, ctx.Err()
}

// expire asks for the deletion of the versions with one of the tags or names.
func expire(names ...string) rules {
	return rules{decide: func(inv retention.Inventory) []retention.Decision {
		return decisions(inv, retention.Delete, retention.Active, "expire", names)
	}}
}

func decisions(inv retention.Inventory, a retention.Action, st retention.State, rule string, names []string) []retention.Decision {
	var out []retention.Decision
	for _, v := range inv.Versions {
		named := slices.Contains(names, v.Name) || slices.ContainsFunc(v.Tags, func(t string) bool { return slices.Contains(names, t) })
		if v.State == st && named {
			out = append(out, retention.Decision{
				Policy: rule, Rule: rule, Action: a, Target: retention.TargetVersion, Version: v.ID,
				Reason: "named by the test", Severity: "low", Mode: retention.Enforce,
			})
		}
	}
	return out
}
