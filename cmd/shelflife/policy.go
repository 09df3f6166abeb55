package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/policies"
)

// policyFlags say which policy set a policy command works on.
type policyFlags struct{ path string }

func (a *app) policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Write, check, test and list policies",
		Long: `Work on policies: the folder given with --path, or what the configuration names,
or else the shipped ones. The stock opa CLI works on them as well; policies/README.md
says how.`,
		Example: "  shelflife policy list\n  shelflife policy check --path ./policies\n  shelflife policy test",
	}
	c.AddCommand(a.policyCheckCommand(), a.policyTestCommand(), a.policyListCommand(), a.policyBuildCommand())
	c.AddCommand(a.policyNewCommand(), a.policyDocsCommand(), a.policyCoverageCommand(), a.policyImportCommand())
	c.AddCommand(a.policyDiffCommand(), a.policyForecastCommand(), a.policyBacktestCommand())
	return c
}

func (f *policyFlags) flag(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "path", "", "folder of policies (default: what the configuration names)")
}

// options are those of the configuration, unless a folder is given.
func (a *app) policyOptions(ctx context.Context, f policyFlags) (policy.Options, config.Config, error) {
	if f.path != "" {
		return policy.Options{Path: f.path}, config.Config{}, nil
	}
	cfg, err := a.loadConfig()
	if err != nil {
		return policy.Options{}, cfg, err
	}
	opts, err := policyset.Options(cfg)
	if err != nil {
		return policy.Options{}, cfg, usage(err)
	}
	opts, _, err = bundleOptions(ctx, cfg, policybundle.Forgets{}, time.Now, opts)
	return opts, cfg, err
}

func (a *app) policyCheckCommand() *cobra.Command {
	var f policyFlags
	c := &cobra.Command{
		Use:   "check",
		Short: "Compile the policies with the schema and the capabilities",
		Long: `Compile the policies strictly, against the input schema and with the capabilities
that leave out clock, network and randomness. Every finding has file and line, and
the near names where a field is misspelt. Exits with 2 when there are findings.`,
		Example: "  shelflife policy check\n  shelflife policy check --path ./policies --format json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			opts, cfg, err := a.policyOptions(c.Context(), f)
			if err != nil {
				return err
			}
			found := checkPolicies(c.Context(), cfg, opts)
			g := report.Grid{Columns: []string{"PLACE", "FINDING"}, Empty: "The policies are in order.", Document: found}
			for _, x := range found {
				place := x.File
				if x.Line > 0 {
					place = fmt.Sprintf("%s:%d", x.File, x.Line)
				}
				g.Rows = append(g.Rows, []string{place, x.Message})
			}
			if found == nil {
				g.Document = []policy.Finding{}
			}
			if err := a.show(g); err != nil {
				return err
			}
			if len(found) > 0 {
				return silent(exitUsage)
			}
			return nil
		},
	}
	f.flag(c)
	return c
}

// checkPolicies gives findings about parameters their place in the configuration.
func checkPolicies(ctx context.Context, cfg config.Config, opts policy.Options) []policy.Finding {
	found := policy.Check(ctx, policies.FS, opts)
	lines, ok := errors.AsType[config.Errors](checkParams(ctx, cfg, opts))
	if !ok {
		return found
	}
	found = slices.DeleteFunc(found, func(f policy.Finding) bool { return f.File == "" })
	for _, p := range lines {
		f := policy.Finding{File: p.File, Line: p.Line, Col: p.Column, Message: p.Message}
		if p.Near != "" {
			f.Near, f.Message = []string{p.Near}, fmt.Sprintf("%s; did you mean %q?", f.Message, p.Near)
		}
		found = append(found, f)
	}
	return found
}

func (a *app) policyListCommand() *cobra.Command {
	var f policyFlags
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the policies with what their METADATA says",
		Example: "  shelflife policy list\n  shelflife policy list --format markdown > policies.md",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			opts, cfg, err := a.policyOptions(c.Context(), f)
			if err != nil {
				return err
			}
			engine, err := loadPolicies(c.Context(), cfg, opts)
			if err != nil {
				return err
			}
			var view report.Policies
			for _, p := range engine.Policies() {
				view = append(view, report.Policy{
					Name: p.Name, Title: p.Title, Description: p.Description, Mode: p.Mode, Severity: p.Severity,
					Params: p.Params, Source: sourceOf(p),
				})
			}
			slices.SortFunc(view, func(x, y report.Policy) int { return strings.Compare(x.Name, y.Name) })
			return a.show(view)
		},
	}
	f.flag(c)
	return c
}

func sourceOf(p policy.Policy) string {
	if p.Builtin {
		return "builtin"
	}
	return p.File
}
