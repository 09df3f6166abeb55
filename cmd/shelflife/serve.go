package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
	"github.com/shelflife-dev/shelflife/internal/sweep"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

const (
	defaultListen = "127.0.0.1:8080"
	tickEvery     = time.Minute
	// queueSize is how many items of one owner may wait; a webhook beyond that is
	// answered with 500, so that it can be delivered again.
	queueSize = 1000
	// shutdownTime is how long the item at hand may take when the server stops.
	shutdownTime = 30 * time.Second
)

func (a *app) serveCommand() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Sweep by schedule and react to webhooks, in one process",
		Long: `Sweep the configured owners by their schedule and look at a package as soon as a
webhook announces a change, in one process on the state file. POST /webhook takes
GitHub's deliveries, GET /healthz says that the process is up. Needs a
configuration file; owners whose mode is observe are only planned and logged.

The dashboard is at /dashboard/: owners, runs, what can still be undone, pause,
resume, undo. The address that is printed at the start signs in once; after that
the token in dashboard.token beside the state file does. Beyond this machine it
is served only where serve.dashboard says so.

Webhooks are taken only with serve.webhook_secrets, and without those the server
listens on this machine only. A file named PAUSE beside the state file, or
SHELFLIFE_PAUSE=1, stops all work until it is gone. Logs are JSON lines on stderr.`,
		Example: `  shelflife serve --config shelflife.yaml
  SHELFLIFE_WEBHOOK_SECRET=… shelflife serve --listen 0.0.0.0:8080
  echo "incident 12" > ~/.local/state/shelflife/PAUSE     stop before the next call`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.openServer()
			if err != nil {
				return err
			}
			defer s.close()
			return s.serve(c.Context(), listen)
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "address to listen on (default serve.listen, or "+defaultListen+"); port 0 picks one")
	return c
}

// server is a session that works by itself.
type server struct {
	*session
	log     *slog.Logger
	queues  queues
	engine  *sweep.Engine
	dialing sync.Mutex // guards the session's accesses
	inForce *policyset.Follower
}

func (a *app) openServer() (*server, error) {
	if _, err := config.Load(a.config, a.getenv); errors.Is(err, config.ErrNoFile) {
		return nil, usagef("serve needs a configuration file that names its owners: write %s, or name one with --config", config.DefaultFile)
	}
	s, err := a.open()
	if err != nil {
		return nil, err
	}
	if len(s.cfg.Owners) == 0 {
		return nil, errors.Join(usagef("%s names no owner, so there is nothing to serve; add owners", s.cfg.File), s.close())
	}
	log := jsonLog(a.err)
	a.err = lines{log} // notes, such as those on rate limits, become lines of the log
	return &server{session: s, log: log, queues: newQueues(s.cfg.Owners, s.now)}, nil
}

// serve works until ctx ends, finishes what is at hand and keeps what waits.
func (s *server) serve(ctx context.Context, listen string) error {
	mux, address, err := s.routes(listen)
	if err != nil {
		return err
	}
	stopping := &stopSwitch{Switch: pauseSwitch{path: s.pauseFile(), env: s.getenv}, stop: ctx.Done()}
	if s.engine, err = s.newEngine(ctx, stopping); err != nil {
		return err
	}
	left, err := kept{s.queues, s.db}.again(ctx)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return usagef("listen on %s: %w; write a free address such as %s", address, err, defaultListen)
	}
	// What is at hand outlives the signal to stop, for a while.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var all sync.WaitGroup
	board, err := s.openDashboard(mux, l.Addr(), dashboardWork{
		stop: ctx.Done(), run: func(f func(context.Context)) { all.Go(func() { f(work) }) },
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	webs := append(board.webs, s.web(l, mux))
	failed := make(chan error, len(webs))
	for _, w := range webs {
		go func() { failed <- w.Serve(w.listener) }()
	}
	fmt.Fprintf(s.out, "listening on http://%s\n%s", l.Addr(), board.says)
	s.log.InfoContext(ctx, "serving", "address", l.Addr().String(), "owners", len(s.cfg.Owners), "webhooks", len(s.cfg.Serve.WebhookSecrets) > 0, "left", left, "version", version)

	running, halt := context.WithCancel(ctx)
	defer halt()
	for _, q := range s.queues {
		all.Go(func() { s.drain(running, work, q) })
	}
	all.Go(func() { s.tick(running) })
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	}
	halt()
	s.log.InfoContext(work, "stopping: the item at hand is finished first")
	late := time.AfterFunc(shutdownTime, cancel)
	defer late.Stop()
	for _, w := range webs {
		err = errors.Join(err, w.Shutdown(work))
	}
	all.Wait()
	stopping.now()
	s.putBack(work)
	s.log.InfoContext(work, "stopped")
	return err
}

// routes are the server's addresses, and the one to listen on.
func (s *server) routes(listen string) (*http.ServeMux, string, error) {
	if listen == "" {
		listen = s.cfg.Serve.Listen
	}
	if listen == "" {
		listen = defaultListen
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, "", usagef("--listen %q is no address; write such as %s", listen, defaultListen)
	}
	secrets, err := s.webhookSecrets()
	if err != nil {
		return nil, "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	if len(secrets) == 0 {
		if !isLoopback(host) {
			return nil, "", usagef("listening on %s needs webhook secrets: name their environment variables in serve.webhook_secrets, or listen on %s", listen, defaultListen)
		}
		return mux, listen, nil
	}
	h, err := webhook.NewHandler(webhook.Config{
		Verifier: webhook.NewVerifier(secrets), Owners: s.cfg, Queue: kept{s.queues, s.db}, Deliveries: s.db.Deliveries(s.now),
		Log: s.log, Now: s.now, Self: s.cfg.Serve.Self,
	})
	if err != nil {
		return nil, "", err
	}
	mux.Handle("/webhook", h)
	return mux, listen, nil
}

// listening is a web server with the address that it has.
type listening struct {
	*http.Server
	listener net.Listener
}

func (s *server) web(l net.Listener, h http.Handler) listening {
	return listening{&http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}, l}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *server) webhookSecrets() (webhook.StaticSecrets, error) {
	var out webhook.StaticSecrets
	for _, name := range s.cfg.Serve.WebhookSecrets {
		value := s.getenv(name)
		if value == "" {
			return nil, usagef("%s: serve.webhook_secrets: environment variable %s is empty; put the webhook's secret there", s.cfg.File, name)
		}
		out = append(out, secret.New(value))
	}
	return out, nil
}

func (s *server) newEngine(ctx context.Context, sw sweep.Switch) (*sweep.Engine, error) {
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	sealer, err := s.sealer(ctx)
	if err != nil {
		return nil, err
	}
	enforcer := s.enforcer()
	if enforcer.Actor == "" {
		enforcer.Actor = "serve"
	}
	return sweep.New(sweep.Config{
		Owners: s.cfg.Owners, Connect: s.target, Enforcer: enforcer, Policies: s.judge, Sealer: sealer,
		Plans: s.db, Sweeps: s.db, Queue: s.queues, Switch: policySwitch{sw, s.inForce}, OwnerVersions: s.db.ActiveVersions, Record: s.logDecisions,
		Beside: func(ctx context.Context, login string) (func(), error) { return s.locks.Share(ctx, login) },
		Now:    s.now, Log: s.log,
	})
}

// target connects one owner.
func (s *server) target(ctx context.Context, o config.Owner) (enforce.Target, error) {
	s.dialing.Lock()
	defer s.dialing.Unlock()
	t, err := s.targets(ctx, []string{o.Login})
	if err == nil && t[0].Mode == retention.Enforce {
		err = s.clockAhead()
	}
	if err != nil {
		return enforce.Target{}, err
	}
	return t[0], nil
}

// tick starts what is due, at once and then every minute.
func (s *server) tick(ctx context.Context) {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		if s.cfg.Policies.Bundle != "" {
			s.inForce.Refresh(ctx)
		}
		if err := s.engine.Tick(ctx, s.now()); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "tick failed; the next one tries again", "error", err.Error())
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// drain works one owner's items, one after the other, until ctx ends. An item
// at hand goes on in work.
func (s *server) drain(ctx, work context.Context, q *webhook.MemoryQueue) {
	for ctx.Err() == nil {
		item, err := q.Receive(ctx)
		if err != nil {
			return
		}
		s.handle(work, item)
	}
}

func (s *server) handle(ctx context.Context, item retention.WorkItem) {
	err := s.engine.Handle(ctx, item)
	if err == nil {
		s.forget(ctx, item)
		return
	}
	next := "the tick goes on with it"
	if item.Kind == retention.WorkPackage {
		kept, kerr := s.engine.Retry(context.WithoutCancel(ctx), item)
		if err = errors.Join(err, kerr); !kept {
			next = "given up; the next sweep reads the package, without this webhook"
		}
		if kerr == nil {
			s.forget(ctx, item)
		}
	}
	s.log.ErrorContext(ctx, "item failed", "kind", string(item.Kind), "owner", item.Owner, "package", item.Name, "run", item.Run,
		"next", next, "error", err.Error())
}

// forget drops what the webhook kept of an item: it was looked at, or the owner's
// sweep has it now. What can't be dropped is looked at once more.
func (s *server) forget(ctx context.Context, item retention.WorkItem) {
	if item.Kind != retention.WorkPackage {
		return
	}
	if err := s.db.DropWork(context.WithoutCancel(ctx), item); err != nil {
		s.log.ErrorContext(ctx, "the next start looks at the package again", "package", item.Name, "error", err.Error())
	}
}

// putBack keeps the packages that still wait in the state file: with the switch
// off, the engine puts off what it is given.
func (s *server) putBack(ctx context.Context) {
	none, cancel := context.WithCancel(ctx)
	cancel()
	for _, q := range s.queues {
		for q.Len() > 0 {
			item, err := q.Receive(none)
			if err != nil {
				continue // the choice between the item and the end of the context is random
			}
			s.log.InfoContext(ctx, "kept for the next start", "kind", string(item.Kind), "owner", item.Owner, "package", item.Name)
			if item.Kind == retention.WorkPackage {
				s.handle(ctx, item)
			}
		}
	}
}
