package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

type backtestFlags struct {
	path      string
	from, to  string
	deployed  string
	packages  string
	applyHeld bool
}

func (a *app) policyBacktestCommand() *cobra.Command {
	var f backtestFlags
	c := &cobra.Command{
		Use:   "backtest [OWNER…]",
		Short: "Show what the policies would have deleted, and what of it was needed later",
		Long: `Play the runs of a time in the past, by each owner's schedule or daily, on the
packages as they were read then, and look in the readings since, in the ledger and
in the document of deployments for versions that somebody had use for later:
restored, given another tag, or deployed.

Readings are kept from the first run of this version on, each time a package has
changed, for as long as history: in the configuration says (90 days without it).`,
		Example: `  shelflife policy backtest --from 2026-10-01
  shelflife policy backtest acme --path ./policies --from 2026-10-01 --to 2026-11-01
  shelflife policy backtest --from 2026-10-01 --deployed deployed.json --format markdown`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.policyBacktest(c.Context(), args, f) },
	}
	c.Flags().StringVar(&f.from, "from", "", "the first run (2026-10-01 or RFC 3339)")
	c.Flags().StringVar(&f.to, "to", "", "up to when (default now)")
	c.Flags().StringVar(&f.path, "path", "", "folder of policies (default: what the configuration names)")
	c.Flags().StringVar(&f.deployed, "deployed", "", "JSON or YAML file of what is deployed (default: deployed in policies.data)")
	c.Flags().StringVar(&f.packages, "packages", "", "only packages whose full name matches this glob")
	c.Flags().BoolVar(&f.applyHeld, "apply-held", false, "as if a person had applied what a percentage alarm holds")
	return c
}

// span reads --from and --to.
func (f backtestFlags) span(now time.Time) (from, to time.Time, err error) {
	if f.from == "" {
		return from, to, usagef("--from is missing: say from when on, such as --from %s", now.AddDate(0, 0, -30).Format(time.DateOnly))
	}
	if from, err = readTime("--from", f.from); err != nil {
		return from, to, usage(err)
	}
	to = now
	if f.to != "" {
		if to, err = readTime("--to", f.to); err != nil {
			return from, to, usage(err)
		}
	}
	switch {
	case to.After(now):
		return from, to, usagef("--to %s is in the future: policy forecast looks there", f.to)
	case !from.Before(to):
		return from, to, usagef("--from %s is not before --to", f.from)
	}
	return from, to, nil
}

func (a *app) policyBacktest(ctx context.Context, owners []string, f backtestFlags) (err error) {
	match, err := matchGlob(f.packages)
	if err != nil {
		return err
	}
	s, err := a.open(owners...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	from, to, err := f.span(s.now())
	if err != nil {
		return err
	}
	list, err := s.previewOwners(ctx, owners, to)
	if err != nil {
		return err
	}
	applyHeld(list, f.applyHeld)
	set := &sides{app: a, cfg: s.cfg, path: f.path}
	side, engine, err := set.engine(ctx)
	if err != nil {
		return err
	}
	deployed, err := s.deployed(ctx, f.deployed)
	if err != nil {
		return err
	}
	b, err := preview.LookBack(ctx, preview.BacktestRequest{
		Policies: side.Policies, Engine: engine, Owners: list, Past: s.db, From: from, To: to, Match: match,
		Progress: s.progress, Deployed: deployed, Restored: s.restoredSince,
	})
	if errors.Is(err, preview.ErrNoPast) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	if b.Oldest.After(from) {
		b.Notes = append(b.Notes, fmt.Sprintf("the oldest reading is of %s: of the time before, nothing is known", b.Oldest.Format(time.RFC3339)))
	}
	if deployed == nil {
		b.Notes = append(b.Notes, "nothing is known of what is deployed: name the document with --deployed, or in policies.data")
	}
	b.Notes = append(b.Notes, set.notes...)
	return a.show(report.Backtest{Backtest: b})
}

// restoredSince says which versions this system brought back.
func (s *session) restoredSince(ctx context.Context, ref retention.PackageRef, since time.Time) (map[retention.ID]time.Time, error) {
	actions, err := s.db.PackageActions(ctx, ref, since)
	if err != nil {
		return nil, err
	}
	out := map[retention.ID]time.Time{}
	for _, a := range actions {
		if a.Action == retention.Restore && a.Outcome == retention.OutcomeDone {
			out[a.VersionID] = a.FinishedAt
		}
	}
	return out, nil
}

// deployed asks the shipped keep_deployed about the document of deployments; nil
// when there is none.
func (s *session) deployed(ctx context.Context, file string) (func(context.Context, retention.Inventory) (map[retention.ID]string, error), error) {
	document, err := s.deployedDocument(file)
	if err != nil || document == nil {
		return nil, err
	}
	engine, err := policy.Load(ctx, policies.FS, policy.Options{
		Builtin: true, Only: []string{"keep_deployed"}, Data: map[string]any{"deployed": document},
	})
	if err != nil {
		return nil, usage(err)
	}
	return func(ctx context.Context, inv retention.Inventory) (map[retention.ID]string, error) {
		j, err := engine.Decide(ctx, policy.Request{Inventory: inv, EvaluatedAt: s.now(), Trigger: retention.Trigger{Kind: retention.TriggerCLI}})
		if err != nil {
			return nil, err
		}
		out := map[retention.ID]string{}
		for _, d := range j.Decisions {
			if d.Target == retention.TargetVersion {
				out[d.Version] = d.Reason
			}
		}
		return out, nil
	}, nil
}

func (s *session) deployedDocument(file string) (any, error) {
	if file == "" {
		data, err := policyset.Data(s.cfg.Policies.Data)
		return data["deployed"], usage(err)
	}
	f, err := s.openFile("document", file)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, policyset.MaxDataBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the document %s: %w", file, err)
	}
	if len(text) > policyset.MaxDataBytes {
		return nil, usagef("read the document %s: it is larger than %d MiB", file, policyset.MaxDataBytes>>20)
	}
	document, err := policyset.Document(text)
	if err != nil {
		return nil, usagef("read the document %s: %w", file, err)
	}
	if whole, ok := document.(map[string]any); ok && whole["deployed"] != nil {
		document = whole["deployed"] // the file may be that of policies.data
	}
	return document, nil
}
