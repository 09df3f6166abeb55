package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) undoCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "undo RUN",
		Short: "Restore what a run deleted",
		Long: `Restore everything that a run deleted, within GitHub's 30 days: children before
the index that needs them. Without --yes it shows what would come back and what
can't, with the reason. Undoing is a run of its own, in the ledger.`,
		Example: `  shelflife runs
  shelflife undo 20261122T093000Z-1a2b3c4d          what would come back
  shelflife undo 20261122T093000Z-1a2b3c4d --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			s, owners, err := a.openRun(c, args[0])
			if err != nil {
				return err
			}
			defer s.close()
			targets, err := s.targets(ctx, owners)
			if err != nil {
				return err
			}
			if yes { // what the run does until then belongs to it
				release, err := s.locks.Exclude(ctx, owners...)
				if err != nil {
					return err
				}
				defer release()
			}
			plan, err := s.enforcer().PlanUndo(ctx, args[0], targets)
			if err != nil {
				return err
			}
			if !yes {
				if err := s.show(planView(plan, plan)); err != nil {
					return err
				}
				if plan.Summary().Restore > 0 {
					s.note("nothing was restored: say --yes to bring these %d back", plan.Summary().Restore)
				}
				return nil
			}
			return s.undo(c, plan, targets)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "restore")
	return c
}

// undo restores, and reports also what could not even be tried.
func (s *session) undo(c *cobra.Command, plan guard.Plan, targets []enforce.Target) error {
	err := s.carryOut(c.Context(), plan, enforce.ApplyRequest{Plan: plan, Targets: targets, Bundle: plan.Bundle()})
	lost := 0
	for _, it := range plan.Items() {
		if it.Status == retention.StatusBlocked || it.Status == retention.StatusIncomplete {
			s.note("%s %s can't be restored: %s", it.Ref(), it.Version, it.Guard.Detail)
			lost++
		}
	}
	if err == nil && lost > 0 {
		return silent(exitPartly)
	}
	return err
}

// openRun opens a session for the owners of a run in the ledger.
func (a *app) openRun(c *cobra.Command, id string) (*session, []string, error) {
	s, err := a.open()
	if err != nil {
		return nil, nil, err
	}
	runs, err := s.ledger.Run(c.Context(), id)
	if err == nil && len(runs) == 0 {
		err = fmt.Errorf("run %s: %w", id, enforce.ErrNoRun)
	}
	var owners []string
	for _, r := range runs {
		owners = append(owners, r.Owner)
	}
	if err == nil && s.cfg.File == "" {
		_ = s.close()
		s, err = a.open(owners...)
	}
	if err != nil {
		if s != nil {
			_ = s.close()
		}
		return nil, nil, err
	}
	return s, owners, nil
}
