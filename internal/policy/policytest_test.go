package policy_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

var tested = map[string]string{
	"tested.rego": withMetadata("tested", "#   params: {days: 30}\n", `import data.lib.params

decisions contains {"action": "delete", "version": v.id, "reason": _reason(v.age_days)} if {
	some v in input.versions
	v.age_days > params.of("tested").days
}

decisions contains {"action": "keep", "package": true, "reason": "odd"} if {
	input.package.name == "odd"
	input.complete
}

_reason(days) := "old" if days > 0
`),
	"tested_test.rego": `package retention.tested_test

import data.retention.tested

test_old_versions_go if {
	print("looking")
	got := tested.decisions with input.versions as [{"id": "1", "age_days": 31}]
	count(got) == 1
}

test_wrong if count(tested.decisions) == 7 with input.versions as []

test_conflict if _x(1) == 1

_x(n) := n

_x(n) := n + 1

todo_test_later if false

test_cases[note] if {
	some note, days in {"young": 29, "old": 31}
	got := tested.decisions with input.versions as [{"id": "1", "age_days": days}]
	count(got) == 0
}
`,
}

func TestPolicyTestsWithCoverage(t *testing.T) {
	dir := folder(t, tested)
	report, err := policy.Test(context.Background(), policies.FS, policy.TestOptions{Options: policy.Options{Path: dir}})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range report.Results {
		report.Results[i].File = strings.TrimPrefix(r.File, filepath.ToSlash(dir)+"/")
		report.Results[i].Detail = strings.ReplaceAll(r.Detail, filepath.ToSlash(dir)+"/", "")
	}
	const pkg, file = "data.retention.tested_test", "tested_test.rego"
	want := []policy.TestResult{
		{Package: pkg, Name: "test_cases", File: file, Line: 21, Outcome: policy.TestFailed, Detail: "case old"},
		{Package: pkg, Name: "test_conflict", File: file, Line: 13, Outcome: policy.TestErrored, Detail: "tested_test.rego:17:1: function data.retention.tested_test._x produced conflicting values for the same inputs: 1 at tested_test.rego:15 2 at tested_test.rego:17"},
		{Package: pkg, Name: "test_old_versions_go", File: file, Line: 5, Outcome: policy.TestPassed, Output: "looking\n"},
		{Package: pkg, Name: "test_wrong", File: file, Line: 11, Outcome: policy.TestFailed},
		{Package: pkg, Name: "todo_test_later", File: file, Line: 19, Outcome: policy.TestSkipped},
	}
	if diff := cmp.Diff(want, report.Results, cmpopts.IgnoreFields(policy.TestResult{}, "Duration")); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	var covered policy.PolicyCoverage
	for _, c := range report.Coverage {
		if c.Package == "data.retention.tested" {
			covered = c
		}
	}
	at := filepath.ToSlash(dir) + "/tested.rego"
	wantCovered := policy.PolicyCoverage{Package: "data.retention.tested", Lines: 7, Covered: 4, Uncovered: []policy.LineRange{{File: at, From: 16, To: 18}},
		Rules: []policy.RuleCoverage{
			{Name: "decisions", File: at, Line: 11, Covered: true},
			{Name: "decisions", File: at, Line: 16},
			{Name: "_reason", File: at, Line: 21, Covered: true},
		}}
	if diff := cmp.Diff(wantCovered, covered); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
	if report.Passed() {
		t.Error("a report with failures has passed")
	}
}

func TestPolicyTestsCanBeChosen(t *testing.T) {
	dir := folder(t, tested)
	o := policy.TestOptions{Options: policy.Options{Path: dir, TimeLimit: time.Minute}, Run: "old_versions"}
	report, err := policy.Test(context.Background(), policies.FS, o)
	if err != nil || len(report.Results) != 1 || !report.Passed() {
		t.Errorf("report %+v, error %v", report, err)
	}
	o.Run = "("
	if _, err := policy.Test(context.Background(), policies.FS, o); err == nil || !strings.Contains(err.Error(), "choose tests") {
		t.Errorf("error %v", err)
	}
	o.Run = "none of them"
	if report, err = policy.Test(context.Background(), policies.FS, o); err != nil || report.Passed() {
		t.Errorf("nothing tested counts as passed: %+v, error %v", report, err)
	}
}

func TestPolicyTestsOfASetThatDoesNotCompile(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"broken policy": {"p.rego": withMetadata("p", "", "decisions contains {\"action\": \"keep\", \"package\": true, \"reason\": input.contrct}\n")},
		"no metadata":   {"p.rego": "package retention.p\n\ndecisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \"x\"}\n"},
		"broken test":   {"p.rego": healthy, "p_test.rego": "package retention.healthy_test\n\ntest_it if unknown(1)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Test(context.Background(), policies.FS, policy.TestOptions{Options: policy.Options{Path: folder(t, files)}})
			var found policy.Findings
			if !errors.As(err, &found) || len(found) != 1 || found[0].Line == 0 {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestPolicyTestsStopWhenTheCallerDoes(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := policy.Test(ctx, policies.FS, policy.TestOptions{Options: policy.Options{Path: folder(t, tested)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAPackageWithoutLinesIsCovered(t *testing.T) {
	if got := (policy.PolicyCoverage{}).Percent(); got != 100 {
		t.Errorf("%v percent", got)
	}
	if got := (policy.PolicyCoverage{Lines: 8, Covered: 6}).Percent(); got != 75 {
		t.Errorf("%v percent", got)
	}
}
