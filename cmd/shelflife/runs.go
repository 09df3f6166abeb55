package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) runsCommand() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:     "runs [OWNER]",
		Short:   "List what has been done, newest first",
		Example: "  shelflife runs\n  shelflife runs acme --limit 5 --format json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open()
			if err != nil {
				return err
			}
			defer s.close()
			if limit < 0 {
				return usagef("--limit %d: use a number from 0, which is all", limit)
			}
			owner := ""
			if len(args) == 1 {
				owner = args[0]
			}
			runs, err := s.ledger.Runs(c.Context(), owner, limit)
			if err != nil {
				return err
			}
			return s.show(report.Runs(runs))
		},
	}
	c.Flags().IntVar(&limit, "limit", 20, "how many at most; 0 for all")
	return c
}

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show RUN",
		Short:   "Show one run with every action and its outcome",
		Example: "  shelflife show 20261122T093000Z-1a2b3c4d --format markdown",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open()
			if err != nil {
				return err
			}
			defer s.close()
			return s.showRun(c.Context(), args[0])
		},
	}
}

func (s *session) showRun(ctx context.Context, id string) error {
	runs, err := s.ledger.Run(ctx, id)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return fmt.Errorf("run %s: %w", id, enforce.ErrNoRun)
	}
	actions, err := s.ledger.Actions(ctx, id)
	if err != nil {
		return err
	}
	if s.format == report.FormatHTML.String() {
		return s.show(wholeRun(runs, actions))
	}
	for _, r := range runs {
		v := report.Run{Run: r}
		for _, a := range actions {
			if retention.SameLogin(a.Owner, r.Owner) {
				v.Items = append(v.Items, itemOf(a))
			}
		}
		if err := s.show(v); err != nil {
			return err
		}
	}
	return nil
}

// wholeRun is a run over all its owners as one: a page can tell them apart itself.
func wholeRun(runs []retention.Run, actions []ledger.Action) report.Run {
	v := report.Run{Run: runs[0]}
	for _, r := range runs[1:] {
		v.Run.Owner += ", " + r.Owner
		v.Run.Planned += r.Planned
		switch {
		case r.FinishedAt.IsZero():
			v.Run.FinishedAt = r.FinishedAt
		case !v.Run.FinishedAt.IsZero() && r.FinishedAt.After(v.Run.FinishedAt):
			v.Run.FinishedAt = r.FinishedAt
		}
	}
	for _, a := range actions {
		v.Items = append(v.Items, itemOf(a))
	}
	return v
}

// itemOf shows an action of the ledger as the item that it was done for.
func itemOf(a ledger.Action) retention.Item {
	it := retention.Item{
		Owner: a.Owner, PackageType: a.PackageType, Package: a.Package, VersionID: a.VersionID, Version: a.Version,
		Tags: a.Tags, Action: a.Action, Target: a.Target, Status: retention.StatusPlanned, Rules: a.Rules, Group: a.Unit,
		UpdatedAt: a.UpdatedAt, Cost: a.Cost, Outcome: a.Outcome, RequestID: a.RequestID,
		Detail: a.Detail,
	}
	if a.Outcome == "" {
		it.Detail = "begun and interrupted; the next run finds out what became of it"
	}
	if a.Guard != "" {
		it.Guard = &retention.GuardNote{Code: a.Guard, Detail: cmp.Or(a.Detail, "refused by GitHub")}
	}
	return it
}
