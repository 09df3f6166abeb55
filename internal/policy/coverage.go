package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
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
	// Rules has an entry for each rule of the text, in its order; those of the
	// same name are several ways to the same value or set.
	Rules []RuleCoverage `json:"rules"`
}

// RuleCoverage says whether a test made a rule true.
type RuleCoverage struct {
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"` // of its METADATA
	File    string `json:"file"`
	Line    int    `json:"line"`
	Covered bool   `json:"covered"`
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
		c.Rules = append(c.Rules, ruleCoverage(s, file)...)
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

// ruleCoverage asks for each rule whether its head was ever reached, which is
// only where its whole body held.
func ruleCoverage(s source, file *cover.FileReport) []RuleCoverage {
	var out []RuleCoverage
	for _, rule := range s.module.Rules {
		if rule.Default {
			continue // a constant: nothing leads to it
		}
		title := titleOf(rule)
		for r := rule; r != nil; r = r.Else {
			out = append(out, RuleCoverage{
				Name: headName(r.Head), Title: title, File: s.name, Line: r.Location.Row,
				Covered: file.IsCovered(r.Head.Location.Row),
			})
		}
	}
	return out
}

func headName(h *ast.Head) string {
	return strings.TrimPrefix(h.Ref().GroundPrefix().String(), "data.")
}
