package faults

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/inventory/inventorytest"
	"github.com/shelflife-dev/shelflife/internal/inventory/listings"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// clock is GitHub's in the simulator, or one that is ahead of it. Waiting moves both
// instead of taking time, so that a limit of an hour is over at once.
type clock struct {
	w      *world
	ahead  time.Duration
	waited func(d time.Duration) // hears of each wait when it is over; nil: nobody
}

func (c *clock) Now() time.Time { return c.w.now().Add(c.ahead) }

// After is over at once, having moved the clocks.
func (c *clock) After(d time.Duration) <-chan time.Time {
	c.Advance(d)
	if c.waited != nil {
		c.waited(d)
	}
	ch := make(chan time.Time, 1)
	ch <- c.Now()
	return ch
}

func (c *clock) Advance(d time.Duration) { c.w.ahead.Add(int64(max(0, d))) }

// line is the enforcement line in this process, wired as the program wires it,
// but for the pacing: the same clients, governors, readers and stores.
type line struct {
	w         *world
	clock     *clock
	store     ledger.Store
	snapshots inventory.Snapshots
	cache     *oci.MemoryCache
	transport http.RoundTripper // to GitHub
	judge     enforce.Judge
	bundle    guard.Bundle
	key       guard.HMACKey
	patience  time.Duration     // longest wait for GitHub's limits; 0 is ten seconds
	attempt   time.Duration     // longest time for one answer; 0 is the program's own
	app       *ghapp.PrivateKey // of the App to sign in as; nil: with a token
}

func newLine(w *world, store ledger.Store, snaps inventory.Snapshots, ahead time.Duration) *line {
	base := &http.Transport{MaxIdleConnsPerHost: 16}
	w.Cleanup(base.CloseIdleConnections)
	return &line{
		w: w, clock: &clock{w: w, ahead: ahead}, store: store, snapshots: snaps, cache: &oci.MemoryCache{}, transport: base,
		bundle: guard.Bundle{Revision: "faults", Digest: "sha256:policies", ParamsDigest: "sha256:params"},
		key:    guard.HMACKey(bytes.Repeat([]byte("k"), 32)),
	}
}

func (l *line) ledger() *ledger.Ledger { return ledger.New(l.store, l.clock.Now) }

func (l *line) enforcer() *enforce.Enforcer {
	return &enforce.Enforcer{Ledger: l.ledger(), Now: l.clock.Now, Progress: enforce.Silent{}, Actor: "faults"}
}

func isPause(err error) bool {
	if _, ok := packages.RateLimitedUntil(err); ok {
		return true
	}
	_, ok := errors.AsType[*ghapp.PausedError](err)
	return ok
}

// source makes the credential, and the governor that its calls go through.
func (l *line) source(of retention.Owner, options ghapp.GovernorOptions) (ghapp.Source, error) {
	rest, err := ghapp.NewGovernor(options)
	if err != nil {
		return nil, err
	}
	to := ghapp.Connection{BaseURL: l.w.url + "/api/v3", Transport: l.transport, Governor: rest, UserAgent: "faults"}
	if l.app != nil {
		return ghapp.NewApp(ghapp.AppOptions{Owner: of, AppID: appID, InstallationID: installationID, Key: *l.app, Connection: to})
	}
	return ghapp.NewTokenSource(ghapp.TokenOptions{Owner: of, Token: ghapp.NewToken("ghp_faults"), Connection: to})
}

func (l *line) target() enforce.Target {
	w := l.w
	options := ghapp.GovernorOptions{
		MaxInFlight: 8, PointsPerMinute: ghapp.Off, WriteSpacing: ghapp.Off, ReservePercent: ghapp.Off, MaxWait: cmp.Or(l.patience, 10*time.Second), Clock: l.clock,
		AttemptTimeout: l.attempt,
	}
	of := retention.Owner{Login: owner, Kind: retention.Organization}
	source, err := l.source(of, options)
	w.Must(err)
	registry, err := ghapp.NewGovernor(options)
	w.Must(err)
	client := func(phase ghapp.Phase) *packages.Client {
		hc, err := ghapp.NewHTTPClient(source, phase, of)
		w.Must(err)
		c, err := packages.New(hc, w.url+"/api/v3", packages.WithClock(l.clock.Now))
		w.Must(err)
		return c
	}
	planning, acting := client(ghapp.Planning), client(ghapp.Acting)
	graphs, err := oci.New(oci.Options{
		Client: &http.Client{Transport: ghapp.NewRegistryTransport(l.transport, registry, "faults")}, Registry: w.url,
		Credential: func(context.Context, string) (string, error) { return "ghp_faults", nil },
		Cache:      l.cache, Now: l.clock.Now, IsPause: isPause,
	})
	w.Must(err)
	reader, err := inventory.New(inventory.Config{
		GitHub: listings.Of(planning), Graphs: graphs, Ledger: l.ledger(), Snapshots: l.snapshots, Now: l.clock.Now, IsPause: isPause,
	})
	w.Must(err)
	return enforce.Target{
		Owner: of, Mode: retention.Enforce, Limits: w.limits, Reader: reader, Looker: planning, Writer: acting,
		Types: []retention.PackageType{retention.Container, retention.NPM},
	}
}

// plan plans and sends the plan through a sealed file.
func (l *line) plan() (guard.Plan, error) {
	p, err := l.enforcer().Plan(l.w.Context(), enforce.PlanRequest{
		Targets: []enforce.Target{l.target()}, Judge: l.judge, Bundle: l.bundle, Trigger: retention.Trigger{Kind: retention.TriggerSchedule},
	})
	if err != nil {
		return p, err
	}
	var sealed bytes.Buffer
	if err := p.Seal(l.w.Context(), &sealed, l.key); err != nil {
		return p, err
	}
	return guard.Open(l.w.Context(), &sealed, l.key, l.clock.Now())
}

func (l *line) apply(ctx context.Context, p guard.Plan) (enforce.Result, error) {
	return l.enforcer().Apply(ctx, enforce.ApplyRequest{Plan: p, Targets: []enforce.Target{l.target()}, Judge: l.judge, Bundle: l.bundle})
}

// newLine is the line of a world, in memory but for the ledger, with the world's
// own policies.
func (w *world) newLine(store ledger.Store) *line {
	l := newLine(w, store, inventorytest.NewSnapshots(), 0)
	l.judge = marks{}
	return l
}
