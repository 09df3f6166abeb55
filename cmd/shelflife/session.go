package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"sync/atomic"
	"time"

	clients "github.com/shelflife-dev/shelflife/internal/access"
	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/ownerlock"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/policies"
)

// session is what one command works with: the configuration and the state
// file. Policies and access to owners are opened when a command asks for them.
type session struct {
	*app
	cfg      config.Config
	db       *sqlite.DB
	ledger   *ledger.Ledger
	progress *report.Progress
	now      func() time.Time
	accesses map[string]*access // by owner login
	rests    *ghapp.Governors   // one for each credential, whoever's owner uses it
	bundle   bundles.Status     // of the policy bundle, where one is configured
	locks    *ownerlock.Locks   // keep an undo apart from the work of other processes
	limited  atomic.Int64       // when a rate limit was last spoken of, in Unix seconds
}

// open reads the configuration and opens the state file. owners are those named
// on the command line: they stand in for a configuration file where there is none.
func (a *app) open(owners ...string) (*session, error) {
	cfg, err := a.loadConfig(owners...)
	if err != nil {
		return nil, err
	}
	return a.openWith(cfg)
}

// openWith opens the state file for a configuration.
func (a *app) openWith(cfg config.Config) (*session, error) {
	path := a.state
	if path == "" {
		path = cfg.Env.StatePath
	}
	if path == "" {
		return nil, usagef("no place for the state file: set SHELFLIFE_STATE or HOME, or name it with --state")
	}
	history := cfg.History
	if history == 0 {
		history = -1 // none
	}
	db, err := sqlite.OpenWith(path, sqlite.Options{History: history})
	if err != nil {
		return nil, err
	}
	s := &session{app: a, cfg: cfg, db: db, now: time.Now, accesses: map[string]*access{}}
	s.locks = ownerlock.New(db.Path(), func(owner string) {
		s.note("waiting for another shelflife that works on %s; a file %s beside the state file stops it before its next call", owner, pauseName)
	})
	s.ledger = ledger.New(db, func() time.Time { return s.now() })
	s.progress = report.NewProgress(a.progressWriter(), a.terminal)
	s.rests, err = ghapp.NewGovernors(ghapp.GovernorOptions{
		MaxInFlight: cfg.API.MaxInFlight, ReservePercent: clients.Reserve(cfg.API.ReservePercent), Observe: s.sayLimited,
	})
	if err != nil {
		return nil, errors.Join(usage(err), db.Close())
	}
	return s, nil
}

// sayLimited tells a person who waits that GitHub asks to, now and then.
func (s *session) sayLimited(e ghapp.Event) {
	now := s.now().Unix()
	if last := s.limited.Load(); e.Limited && now-last >= 30 && s.limited.CompareAndSwap(last, now) {
		s.note("GitHub's rate limit: waiting as long as it asks, two minutes at most")
	}
}

// close closes the state file; closing what was never opened does nothing.
func (s *session) close() error {
	if s == nil {
		return nil
	}
	return s.db.Close()
}

// loadConfig reads the file, or does without one when owners are named.
func (a *app) loadConfig(owners ...string) (config.Config, error) {
	cfg, err := config.Load(a.config, a.getenv)
	if errors.Is(err, config.ErrNoFile) {
		cfg, err = config.Default(a.getenv, owners...)
	}
	if err != nil {
		return cfg, usage(err)
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintf(a.err, "shelflife: note: %s\n", w.Error())
	}
	if a.apiURL != "" {
		cfg.API.GitHubURL = a.apiURL
	}
	if a.registry != "" {
		cfg.API.RegistryURL = a.registry
	}
	return cfg, nil
}

// owners picks the configured owners that are named, or all of them. An owner
// that is not configured is never touched.
func (s *session) owners(named []string) ([]config.Owner, error) {
	if len(named) == 0 {
		if len(s.cfg.Owners) == 0 {
			return nil, usagef("no owner: name one (shelflife plan OWNER), or list owners in %s", config.DefaultFile)
		}
		return s.cfg.Owners, nil
	}
	var out []config.Owner
	for _, n := range named {
		o, ok := s.cfg.Owner(n)
		if !ok {
			return nil, usagef("owner %s is not in %s, and no other owner is touched; add it there", n, s.cfg.File)
		}
		out = append(out, o)
	}
	return out, nil
}

// policies loads and checks the configured policies with their parameters. Where
// the last good bundle stands in for the published one, a warning says so.
func (s *session) policies(ctx context.Context) (*policy.Engine, error) {
	engine, err := s.loadConfigured(ctx)
	if err == nil {
		s.warnOfKept(s.bundle)
	}
	return engine, err
}

func (s *session) loadConfigured(ctx context.Context) (*policy.Engine, error) {
	opts, err := policyset.Options(s.cfg)
	if err != nil {
		return nil, usage(err)
	}
	var store bundles.Store = policybundle.Forgets{} // where there is no state
	if s.db != nil {
		store = s.db
	}
	if opts, s.bundle, err = bundleOptions(ctx, s.cfg, store, time.Now, opts); err != nil {
		return nil, err
	}
	return loadPolicies(ctx, s.cfg, opts)
}

// loadPolicies loads a policy set. Where the configuration's parameters are at
// fault, the error has their lines.
func loadPolicies(ctx context.Context, cfg config.Config, opts policy.Options) (*policy.Engine, error) {
	engine, err := policy.Load(ctx, policies.FS, opts)
	if err == nil {
		return engine, nil
	}
	if errors.Is(err, policy.ErrUnverified) {
		return nil, &codeError{code: exitHeld, err: err}
	}
	if missing := noFolder(cfg, opts); missing != nil {
		return nil, usage(missing)
	}
	if lines := checkParams(ctx, cfg, opts); lines != nil {
		return nil, usage(lines)
	}
	return nil, usage(err)
}

// noFolder says that the folder of policies is not there, and where it is named.
func noFolder(cfg config.Config, opts policy.Options) error {
	if opts.Path == "" {
		return nil
	}
	if _, err := os.Stat(opts.Path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	next := "name a folder of policies"
	if opts.Path == cfg.Policies.Path {
		next = "correct policies.path"
	}
	return &stepError{err: fmt.Errorf("load policies: there is no folder %s", opts.Path), next: next}
}

// checkParams holds the configuration's parameters against those of the
// policies, if these can be loaded at all.
func checkParams(ctx context.Context, cfg config.Config, opts policy.Options) error {
	opts.Params, opts.Compat, opts.Only = policy.Params{}, opts.Only, nil
	bare, err := policy.Load(ctx, policies.FS, opts)
	if err != nil {
		return nil //nolint:nilerr // what is wrong with the policies is said elsewhere
	}
	known := map[string]map[string]any{}
	for _, p := range bare.Policies() {
		known[p.Name] = p.Params
	}
	return cfg.CheckParams(known)
}

func bundleOf(e *policy.Engine) guard.Bundle { return policyset.Bundle(e) }

func (s *session) enforcer() *enforce.Enforcer {
	return &enforce.Enforcer{
		Ledger: s.ledger, Now: func() time.Time { return s.now() }, Progress: s.progress,
		Actor: actor(s.getenv), Expiry: s.cfg.PlanExpiry,
	}
}

// actor names who is behind a run, as far as the machine knows.
func actor(env func(string) string) string {
	if a := env("GITHUB_ACTOR"); a != "" {
		return a
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// sealer signs plans with the key beside the state file.
func (s *session) sealer(ctx context.Context) (guard.Sealer, error) {
	key, err := s.db.Key(ctx)
	if err != nil {
		return nil, err
	}
	return guard.HMACKey(key), nil
}
