package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/report"
)

// maxDays is how far ahead a forecast may look.
const maxDays = 3650

type forecastFlags struct {
	previewFlags
	path     string
	days     int
	everyRun bool
	// applyHeld plays a person who applies what an alarm holds.
	applyHeld bool
}

func (a *app) policyForecastCommand() *cobra.Command {
	var f forecastFlags
	c := &cobra.Command{
		Use:   "forecast [OWNER…]",
		Short: "Show what goes when, if nothing else changes",
		Long: `Play the coming runs of each owner over the snapshot: by its schedule, or daily
from now on. Keeps, guards, budgets and alarms hold as in a real run: what a budget
holds goes with a later run, what a percentage holds stays, and what a run deletes
is gone for the next. Every owner is taken as enforcing. Nothing is pushed, pulled
or deleted by others meanwhile: that is the assumption.

A package is judged again only when the answer may be another one, which the
comparisons of ages that its policies made tell exactly. --every-run judges all of
them at every run; the result is the same.`,
		Example: `  shelflife policy forecast --days 30
  shelflife policy forecast acme --path ./policies --days 90 --format json
  shelflife policy forecast --inventory inventory.ndjson --days 14 --format markdown`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.policyForecast(c.Context(), args, f) },
	}
	c.Flags().IntVar(&f.days, "days", 30, "how many days to look ahead")
	c.Flags().StringVar(&f.path, "path", "", "folder of policies (default: what the configuration names)")
	c.Flags().BoolVar(&f.everyRun, "every-run", false, "judge every package at every run; slower, with the same result")
	c.Flags().BoolVar(&f.applyHeld, "apply-held", false, "as if a person applied what a percentage alarm holds")
	f.flags(c)
	return c
}

func (a *app) policyForecast(ctx context.Context, owners []string, f forecastFlags) error {
	if f.days < 1 || f.days > maxDays {
		return usagef("--days %d: look 1 to %d days ahead", f.days, maxDays)
	}
	return a.preview(ctx, owners, f.previewFlags, func(p previewed) error {
		s := &sides{app: a, cfg: p.cfg, path: f.path}
		side, engine, err := s.engine(ctx)
		if err != nil {
			return err
		}
		applyHeld(p.owners, f.applyHeld)
		out, err := preview.Look(ctx, preview.ForecastRequest{
			Policies: side.Policies, Engine: engine, Owners: p.owners, From: p.at, Days: f.days, Match: p.match, EveryRun: f.everyRun, Progress: p.progress,
		})
		if err != nil {
			return err
		}
		out.Notes = s.notes
		return a.show(report.Forecast{Forecast: out})
	})
}
