package main

import (
	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) runCommand() *cobra.Command {
	var f planFlags
	var yes bool
	c := &cobra.Command{
		Use:   "run [OWNER…]",
		Short: "Plan and apply in one, as the scheduled enforcer does",
		Long: `Plan the named owners (or all configured ones) and apply the plan at once. What
a percentage alarm holds stays held: a person decides that with plan --out and
apply. An owner whose mode is observe is only reported.

Owners whose configuration says mode: enforce are acted on with --yes only.`,
		Example: `  shelflife run --yes
  shelflife run acme --mode enforce --yes --packages 'team/**'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(args...)
			if err != nil {
				return err
			}
			defer s.close()
			plan, targets, engine, err := s.makePlan(c.Context(), args, f)
			if err != nil {
				return err
			}
			if todo := plan.Summary().Delete+plan.Summary().Restore > 0; !yes || !todo {
				if err := s.show(planView(plan, plan)); err != nil {
					return err
				}
				if todo {
					s.note("nothing was done: say --yes to carry this out")
				} else {
					s.planNotes(plan, f)
				}
				if yes && alarmed(plan) && plan.Mode() == retention.Enforce {
					return silent(exitHeld)
				}
				return unread(plan)
			}
			err = s.carryOut(c.Context(), plan, enforce.ApplyRequest{Plan: plan, Targets: targets, Judge: engine, Bundle: bundleOf(engine)})
			if err == nil {
				err = unread(plan)
			}
			return err
		},
	}
	f.selection(c)
	c.Flags().BoolVar(&yes, "yes", false, "carry the plan out")
	return c
}
