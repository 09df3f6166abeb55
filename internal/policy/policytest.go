package policy

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

// testTimeLimit bounds one test where the options name no limit, as opa test does.
const testTimeLimit = 5 * time.Second

// TestOptions say which tests are run and on what.
type TestOptions struct {
	Options
	Run string // a regular expression over data.<package>.<test>; "" for all
	// Also, if set, evaluates more with the engine that it is given, which counts
	// into the coverage; it must not be used by two goroutines at once. Without
	// parameters of its own it has the defaults.
	Also func(ctx context.Context, e *Engine) ([]TestResult, error)
}

// TestOutcome is how one test ended.
type TestOutcome string

// The outcomes of a test. Skipped are those named todo_test_….
const (
	TestPassed  TestOutcome = "pass"
	TestFailed  TestOutcome = "fail"
	TestErrored TestOutcome = "error"
	TestSkipped TestOutcome = "skip"
)

// Test runs the unit tests (rules named test_… in _test.rego files) of a policy
// set. Findings are returned as the error: a set that does not compile has no tests.
func Test(ctx context.Context, shipped fs.FS, o TestOptions) (TestReport, error) {
	if _, err := regexp.Compile(o.Run); err != nil {
		return TestReport{}, fmt.Errorf("choose tests: %w", err)
	}
	f, err := readFiles(shipped, o.Options)
	if err != nil {
		return TestReport{}, fmt.Errorf("test policies: %w", err)
	}
	s, found, err := readSet(ctx, f, o.Options)
	if err != nil {
		return TestReport{}, fmt.Errorf("test policies: %w", err)
	}
	if len(found) > 0 {
		return TestReport{}, fmt.Errorf("test policies: %w", found)
	}
	return s.test(ctx, o)
}

func (s *set) test(ctx context.Context, o TestOptions) (TestReport, error) {
	// The set by itself first: a test could define what a policy lacks.
	if _, _, found := s.compile(false); len(found) > 0 {
		return TestReport{}, fmt.Errorf("test policies: %w", found)
	}
	modules := map[string]*ast.Module{}
	for _, src := range s.files.sources {
		modules[src.name] = src.module
	}
	documents := map[string]any{"params": merged(s.policies, nil)}
	for name, d := range s.data {
		documents[name] = d
	}
	coverage := cover.New()
	runner := tester.NewRunner().
		SetCompiler(newCompiler(testCapabilities(s.caps), s.schemas, s.data).WithEnablePrintStatements(true)).
		SetStore(inmem.NewFromObject(documents)).
		SetModules(modules).
		SetTimeout(cmp.Or(o.TimeLimit, testTimeLimit)).
		SetCoverageQueryTracer(coverage).
		SetCoverageRuns(nil).
		CapturePrintOutput(true).
		Filter(o.Run)
	results, err := runner.RunTests(ctx, nil)
	if err != nil {
		return TestReport{}, fmt.Errorf("test policies: %w", findingsOf(err).sorted())
	}
	var report TestReport
	for r := range results {
		report.Results = append(report.Results, newTestResult(r))
	}
	if err := ctx.Err(); err != nil {
		return TestReport{}, fmt.Errorf("test policies: %w", err)
	}
	if err := s.also(ctx, o, coverage, &report); err != nil {
		return TestReport{}, err
	}
	slices.SortFunc(report.Results, func(a, b TestResult) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Name, b.Name),
			strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	report.Coverage = newCoverage(s.files.sources, coverage.Report(modules), o.Builtin)
	return report, nil
}

func newTestResult(r *tester.Result) TestResult {
	out := TestResult{
		Package: r.Package, Name: r.Name, Output: string(r.Output), Duration: r.Duration, Outcome: TestPassed,
	}
	if r.Location != nil {
		out.File, out.Line = r.Location.File, r.Location.Row
	}
	switch {
	case r.Error != nil:
		out.Outcome, out.Detail = TestErrored, evaluationError(r.Error)
	case r.Skip:
		out.Outcome = TestSkipped
	case r.Fail:
		out.Outcome, out.Detail = TestFailed, failedCases(r)
	}
	return out
}

// failedCases names the cases that failed, for a test that has several.
func failedCases(r *tester.Result) string {
	var parts []string
	for name, sub := range r.SubResults.Iter {
		if sub.Fail && len(sub.SubResults) == 0 {
			parts = append(parts, "case "+strings.Join(name, "/"))
		}
	}
	return strings.Join(parts, "; ")
}

// also runs what the caller adds, on an engine whose evaluations are covered.
func (s *set) also(ctx context.Context, o TestOptions, coverage *cover.Cover, report *TestReport) error {
	if o.Also == nil {
		return nil
	}
	set := o.Options
	set.Params, set.Only, set.TimeLimit = Params{}, nil, cmp.Or(o.TimeLimit, testTimeLimit)
	engine, err := load(ctx, s.files, set)
	if err != nil {
		return err
	}
	compiler := newCompiler(s.caps, s.schemas, s.data).WithEnablePrintStatements(true)
	if compiler.Compile(s.modules()); compiler.Failed() {
		return fmt.Errorf("test policies: %w", findingsOf(compiler.Errors).sorted())
	}
	engine.compiler, engine.tracer = compiler, coverage
	results, err := o.Also(ctx, engine)
	report.Results = append(report.Results, results...)
	return err
}

// modules are the modules without their tests.
func (s *set) modules() map[string]*ast.Module {
	out := map[string]*ast.Module{}
	for _, src := range s.files.sources {
		if !src.isTest() {
			out[src.name] = src.module
		}
	}
	return out
}
