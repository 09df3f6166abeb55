package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policycase"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/policies"
)

// testFlags say which tests are run and how they are shown.
type testFlags struct {
	policyFlags
	run       string
	threshold float64
	rules     bool
	watch     bool
}

func (a *app) policyTestCommand() *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test",
		Short: "Run the policies' unit tests and cases, with coverage",
		Long: `Run the unit tests (rules named test_… in _test.rego files) and the cases
(*.case.yaml files, see docs/authors.md) of the policies. A case builds a package
from a few lines and says what the policies must decide about it; a decision that
it does not name fails it as well.

Covered are the lines that a test or a case reached. A rule is covered once its
whole body has held. --watch runs them again at every change of a file below
--path, until Ctrl-C.`,
		Example: `  shelflife policy test
  shelflife policy test --path ./policies --run expire_ --threshold 100
  shelflife policy test --path ./policies --watch`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !f.watch {
				return a.testPolicies(c.Context(), f)
			}
			if f.path == "" {
				return usagef("--watch needs the folder to look at: name it with --path")
			}
			return a.watch(c.Context(), a.place(f.path), func() error { return a.testPolicies(c.Context(), f) })
		},
	}
	f.flag(c)
	c.Flags().StringVar(&f.run, "run", "", "only tests and cases whose full name matches this regular expression")
	c.Flags().Float64Var(&f.threshold, "threshold", 0, "fail when a policy's coverage is below this percentage")
	c.Flags().BoolVar(&f.rules, "rules", false, "one row for each rule")
	c.Flags().BoolVar(&f.watch, "watch", false, "run them again at every change, until Ctrl-C")
	return c
}

func (a *app) testPolicies(ctx context.Context, f testFlags) error {
	opts, _, err := a.policyOptions(ctx, f.policyFlags)
	if err != nil {
		return err
	}
	opts.Compat, opts.Only, opts.Params = opts.Only, nil, policy.Params{} // tests bring their own
	r, err := policycase.Test(ctx, policies.FS, policycase.Options{
		TestOptions: policy.TestOptions{Options: opts, Run: f.run}, Config: a.configuredPolicies,
	})
	if err != nil {
		return usage(err)
	}
	return a.showTests(r, f)
}

// configuredPolicies are the policy options of a configuration file that a case names.
func (a *app) configuredPolicies(file string) (policy.Options, error) {
	cfg, err := config.Load(file, func(string) string { return "" })
	if err != nil {
		return policy.Options{}, err
	}
	return policyset.Options(cfg)
}

// testCount counts the tests of one package.
type testCount struct{ tests, failed int }

func (a *app) showTests(r policy.TestReport, f testFlags) error {
	g := report.Grid{Columns: []string{"PACKAGE", "TESTS", "FAILED", "COVERED", "UNCOVERED LINES"}, Empty: "There are no tests.", Document: r}
	counts := map[string]*testCount{}
	failed := 0
	for _, t := range r.Results {
		name := strings.TrimSuffix(t.Package, "_test")
		if counts[name] == nil {
			counts[name] = &testCount{}
		}
		counts[name].tests++
		if t.Outcome == policy.TestFailed || t.Outcome == policy.TestErrored {
			counts[name].failed++
			failed++
			g.Notes = append(g.Notes, failure(t)...)
		}
	}
	low := false
	var unreached []string
	for _, cov := range r.Coverage {
		low = low || cov.Percent() < f.threshold
		n := counts[cov.Package]
		if n == nil {
			n = &testCount{}
		}
		delete(counts, cov.Package)
		var lines []string
		for _, l := range cov.Uncovered {
			lines = append(lines, fmt.Sprintf("%s:%d-%d", l.File, l.From, l.To))
		}
		g.Rows = append(g.Rows, []string{cov.Package, fmt.Sprint(n.tests), fmt.Sprint(n.failed), fmt.Sprintf("%.1f %%", cov.Percent()), strings.Join(lines, " ")})
		for _, rule := range cov.Rules {
			if !rule.Covered {
				unreached = append(unreached, fmt.Sprintf("%s:%d: no test makes rule %s true", rule.File, rule.Line, ruleName(rule)))
			}
		}
	}
	for name, n := range counts { // cases beside no policy, tests of no policy
		g.Rows = append(g.Rows, []string{name, fmt.Sprint(n.tests), fmt.Sprint(n.failed), "", ""})
	}
	slices.SortFunc(g.Rows, func(x, y []string) int { return strings.Compare(x[0], y[0]) })
	if f.run == "" { // a choice of tests can't reach everything
		g.Notes = append(g.Notes, unreached...)
	}
	if f.rules {
		g.Columns, g.Rows = []string{"PACKAGE", "RULE", "COVERED", "PLACE"}, ruleRows(r)
	}
	g.Summary = fmt.Sprintf("%s, %d failed", plural(len(r.Results), "test"), failed)
	if err := a.show(g); err != nil {
		return err
	}
	if !r.Passed() || low {
		return silent(exitFailed)
	}
	return nil
}

// failure says what is wrong, a line for each difference, and what was printed.
func failure(t policy.TestResult) []string {
	lines := strings.Split(t.Detail, "\n")
	var out []string
	if t.Detail == "" || len(lines) == 1 && !strings.HasPrefix(lines[0], t.File) {
		out = []string{fmt.Sprintf("%s:%d: %s: %s: %s", t.File, t.Line, t.Name, t.Outcome, t.Detail)}
	} else {
		out = []string{fmt.Sprintf("%s:%d: %s: %s:", t.File, t.Line, t.Name, t.Outcome)}
		for _, l := range lines {
			out = append(out, "  "+l)
		}
	}
	for l := range strings.Lines(t.Output) {
		out = append(out, "  print: "+strings.TrimSuffix(l, "\n"))
	}
	return out
}

func ruleName(r policy.RuleCoverage) string {
	if r.Title == "" {
		return r.Name
	}
	return fmt.Sprintf("%s (%s)", r.Name, r.Title)
}

func ruleRows(r policy.TestReport) [][]string {
	var rows [][]string
	for _, cov := range r.Coverage {
		for _, rule := range cov.Rules {
			covered := "yes"
			if !rule.Covered {
				covered = "no"
			}
			rows = append(rows, []string{cov.Package, ruleName(rule), covered, fmt.Sprintf("%s:%d", rule.File, rule.Line)})
		}
	}
	return rows
}
