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

// TestReport is what the tests of a policy set say.
type TestReport struct {
	Results  []TestResult     `json:"results"`  // by package and name
	Coverage []PolicyCoverage `json:"coverage"` // by package
}

// TestResult is how one test ended. As with opa test, an error in a builtin is
// undefined in a test, while Decide makes it a failure.
type TestResult struct {
	Package  string        `json:"package"` // data.retention.expire_untagged_test
	Name     string        `json:"name"`
	File     string        `json:"file"`
	Line     int           `json:"line"`
	Outcome  TestOutcome   `json:"outcome"`
	Detail   string        `json:"detail,omitempty"` // the error, or the cases that failed
	Output   string        `json:"output,omitempty"` // what print wrote
	Duration time.Duration `json:"duration"`
}

// PolicyCoverage says which lines of a package the tests reached.
type PolicyCoverage struct {
	Package   string      `json:"package"` // data.retention.expire_untagged
	Lines     int         `json:"lines"`   // lines that can be reached
	Covered   int         `json:"covered"`
	Uncovered []LineRange `json:"uncovered,omitempty"`
}

// LineRange is a run of lines of one file, both ends included, from 1.
type LineRange struct {
	File string `json:"file"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Percent is the covered share of the lines, 100 for a package without any.
func (c PolicyCoverage) Percent() float64 {
	if c.Lines == 0 {
		return 100
	}
	return 100 * float64(c.Covered) / float64(c.Lines)
}

// Passed reports whether there was a test and none failed.
func (r TestReport) Passed() bool {
	return len(r.Results) > 0 && !slices.ContainsFunc(r.Results, func(t TestResult) bool {
		return t.Outcome == TestFailed || t.Outcome == TestErrored
	})
}

// Test runs the unit tests (rules named test_… in _test.rego files) of a policy
// set. Findings are returned as the error: a set that does not compile has no tests.
func Test(ctx context.Context, shipped fs.FS, o TestOptions) (TestReport, error) {
	if _, err := regexp.Compile(o.Run); err != nil {
		return TestReport{}, fmt.Errorf("choose tests: %w", err)
	}
	f, err := readFiles(shipped, o.Builtin, o.Path)
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

// newCoverage sums the files of each package. Tests are left out, and so is the
// shipped library where its own tests have not been run.
func newCoverage(sources []source, report cover.Report, shipped bool) []PolicyCoverage {
	byPackage := map[string]*PolicyCoverage{}
	for _, s := range sources {
		file := report.Files[s.name]
		if s.isTest() || file == nil || s.shipped && !shipped {
			continue
		}
		name := s.module.Package.Path.String()
		c := byPackage[name]
		if c == nil {
			c = &PolicyCoverage{Package: name}
			byPackage[name] = c
		}
		c.Covered += file.CoveredLines
		c.Lines += file.CoveredLines + file.NotCoveredLines
		c.Uncovered = append(c.Uncovered, lineRanges(s.name, file.NotCovered)...)
	}
	out := make([]PolicyCoverage, 0, len(byPackage))
	for _, c := range byPackage {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b PolicyCoverage) int { return strings.Compare(a.Package, b.Package) })
	return out
}

// lineRanges joins OPA's ranges, one for each expression, to runs of lines.
func lineRanges(file string, ranges []cover.Range) []LineRange {
	var out []LineRange
	for _, r := range ranges {
		if last := len(out) - 1; last >= 0 && r.Start.Row <= out[last].To+1 {
			out[last].To = max(out[last].To, r.End.Row)
			continue
		}
		out = append(out, LineRange{File: file, From: r.Start.Row, To: r.End.Row})
	}
	return out
}
