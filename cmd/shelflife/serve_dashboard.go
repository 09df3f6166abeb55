package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/shelflife-dev/shelflife/internal/dashboard"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/secret"
)

// tokenName is the file beside the state file that holds the dashboard's token.
const tokenName = "dashboard.token"

// dashboardWork is how the dashboard's undos run beside the server's work.
type dashboardWork struct {
	stop <-chan struct{} // closed when the server stops
	run  func(func(context.Context))
}

// board is the dashboard as it is reached.
type board struct {
	webs []listening // its own address, if it has one
	says string      // to a person, at the start
}

// openDashboard puts the dashboard on the server's mux, or on an address of its
// own. Beyond this machine it is only where the configuration says so.
func (s *server) openDashboard(mux *http.ServeMux, at net.Addr, work dashboardWork) (board, error) {
	cfg := s.cfg.Serve.Dashboard
	host, _, err := net.SplitHostPort(cmp.Or(cfg.Listen, at.String()))
	if err != nil {
		return board{}, usagef("serve.dashboard.listen: %w", err)
	}
	switch {
	case cfg.Off:
		return board{}, nil
	case !isLoopback(host) && cfg.URL == "" && cfg.Listen != "":
		return board{}, usagef("the dashboard on %s needs the address that people reach it by: set serve.dashboard.url, or listen on 127.0.0.1:8081", cfg.Listen)
	case !isLoopback(host) && cfg.URL == "":
		s.log.Info("no dashboard: the server listens beyond this machine; set serve.dashboard.listen or serve.dashboard.url")
		return board{}, nil
	}
	var b board
	if cfg.Listen != "" {
		l, err := net.Listen("tcp", cfg.Listen)
		if err != nil {
			return board{}, usagef("serve.dashboard.listen: %w; write a free address such as 127.0.0.1:8081", err)
		}
		mux = http.NewServeMux()
		b.webs = []listening{s.web(l, mux)}
		at = l.Addr()
	}
	d, err := s.newDashboard(at, work)
	if err != nil {
		for _, w := range b.webs {
			_ = w.listener.Close() // the error that counts is err
		}
		return board{}, err
	}
	mux.Handle(dashboard.Prefix, d)
	base := cmp.Or(cfg.URL, "http://"+at.String())
	b.says = fmt.Sprintf("dashboard: %s%slogin?code=%s (once, within 15 minutes; then with the token in %s)\n",
		base, dashboard.Prefix, url.QueryEscape(d.Code()), cmp.Or(cfg.Token, s.tokenFile()))
	return b, nil
}

func (s *server) tokenFile() string { return filepath.Join(filepath.Dir(s.db.Path()), tokenName) }

func (s *server) newDashboard(at net.Addr, work dashboardWork) (*dashboard.Dashboard, error) {
	cfg := s.cfg.Serve.Dashboard
	token, err := s.dashboardToken()
	if err != nil {
		return nil, err
	}
	hosts := []string{at.String()}
	if _, port, err := net.SplitHostPort(at.String()); err == nil {
		hosts = append(hosts, net.JoinHostPort("localhost", port))
	}
	secure := false
	if u, err := url.Parse(cfg.URL); err == nil && cfg.URL != "" {
		hosts, secure = append(hosts, u.Host), u.Scheme == "https"
	}
	d, err := dashboard.New(dashboard.Config{
		Token: token, Hosts: hosts, Secure: secure, Policies: s.policySet, Version: version,
		Ledger: s.ledger, Owners: boardOwners{s}, Reports: boardReports{s}, Pause: boardPause{s}, Undo: boardUndo{s, work.stop},
		Go: work.run, Now: s.now, Log: s.log,
	})
	return d, usage(err)
}

// policySet are the policies in force, or the last that were, and why they are not.
func (s *server) policySet() dashboard.PolicySet {
	e := s.inForce.Last()
	b := e.Bundle()
	set := dashboard.PolicySet{Revision: b.Revision, Digest: b.Digest}
	for _, p := range e.Policies() {
		set.Names = append(set.Names, p.Name)
	}
	if _, err := s.inForce.Policies(); err != nil {
		set.Held = err.Error()
	}
	return set
}

// dashboardToken is what the configuration names, or the one beside the state file.
func (s *server) dashboardToken() (secret.Secret, error) {
	if name := s.cfg.Serve.Dashboard.Token; name != "" {
		value := s.getenv(name)
		if value == "" {
			return secret.Secret{}, usagef("%s: serve.dashboard.token: environment variable %s is empty; put the dashboard's token there", s.cfg.File, name)
		}
		return secret.New(value), nil
	}
	return readOrMakeToken(s.tokenFile())
}

// boardReports shows runs of the ledger.
type boardReports struct{ s *server }

// RunReport is the run as show --format html has it.
func (b boardReports) RunReport(ctx context.Context, id string) (report.Run, bool, error) {
	runs, err := b.s.ledger.Run(ctx, id)
	if err != nil || len(runs) == 0 {
		return report.Run{}, false, err
	}
	actions, err := b.s.ledger.Actions(ctx, id)
	if err != nil {
		return report.Run{}, false, err
	}
	return wholeRun(runs, actions), true, nil
}

// boardOwners tells where the configured owners stand.
type boardOwners struct{ s *server }

// Owners reads the state of each owner's sweep.
func (b boardOwners) Owners(ctx context.Context) ([]dashboard.Owner, error) {
	s := b.s
	var out []dashboard.Owner
	for _, o := range s.cfg.Owners {
		line := dashboard.Owner{
			Login: o.Login, Mode: s.cfg.ModeFor(o.Login), Schedule: o.Schedule.String(), PerDay: s.cfg.LimitsFor(o.Login).DeletesPerDay,
		}
		if line.Schedule != "" {
			line.Next = o.Next(s.now())
		}
		state, ok, err := s.sweepOf(ctx, o.Login)
		if err != nil {
			return nil, err
		}
		if ok {
			line.Since, line.Updated, line.Until, line.Note = state.StartedAt, state.UpdatedAt, state.PausedUntil, state.Note
			line.Phase = string(state.Phase)
		}
		out = append(out, line)
	}
	return out, nil
}
