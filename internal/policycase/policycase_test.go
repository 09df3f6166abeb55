package policycase_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policycase"
	"github.com/shelflife-dev/shelflife/policies"
)

// facts is a policy that says in its reasons which facts it saw.
const facts = `# METADATA
# title: Facts
# description: Says what it sees.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   params: {days: 30}
package retention.facts

import data.lib.params

decisions contains {"action": "delete", "version": v.id, "rule": "old", "reason": reason} if {
	some v in input.versions
	v.state == "active"
	v.root
	v.age_days > params.number("facts", "days")
	reason := sprintf("rank %v, root rank %v, %v parents", [v.rank, v.rank_root, count(object.get(v, ["oci", "parents"], []))])
}

decisions contains {"action": "keep", "package": true, "reason": "frozen"} if data.freeze == true

decisions contains {"action": "fail", "package": true, "reason": "on purpose"} if input.package.name == "broken"
`

// test runs a case file beside the policy above.
func test(t *testing.T, cases string) (policy.TestReport, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "facts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"facts.rego": facts, "facts.case.yaml": cases} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return policycase.Test(context.Background(), policies.FS, policycase.Options{
		TestOptions: policy.TestOptions{Options: policy.Options{Path: dir}},
	})
}

// details are the differences that a report's cases show, without the folder.
func details(t *testing.T, r policy.TestReport) []string {
	t.Helper()
	out := []string{}
	for _, x := range r.Results {
		if x.Detail == "" {
			continue
		}
		for line := range strings.SplitSeq(x.Detail, "\n") {
			out = append(out, string(x.Outcome)+" "+strings.ReplaceAll(line, filepath.Dir(x.File)+"/", ""))
		}
	}
	return out
}

func TestCases(t *testing.T) {
	const images = `
    versions:
      - {key: new, age: 1d, tags: [v2]}
      - {key: index, age: 40d, tags: [v1], index: [amd64]}
      - {key: amd64, age: 40d}
      - {key: sig, age: 40d, signature_of: index}
`
	tests := []struct {
		name, cases string
		want        []string
	}{
		{"the facts are those of a real package", "cases:\n  - name: c" + images +
			"    expect: [{action: delete, version: index, policy: facts, rule: old, mode: enforce, reason: 'rank 1, root rank 1, 0 parents'}]\n", nil},
		{"the guards take along what belongs to it", "cases:\n  - name: c" + images +
			"    expect: [delete index facts/old]\n    outcome: {index: delete planned, amd64: delete planned, sig: delete planned, new: stays}\n", nil},
		{"an unexpected decision fails", "cases:\n  - name: c" + images + "    expect: []\n",
			[]string{"fail facts.case.yaml:2: + decided, but not expected: delete index by facts/old (rank 1, root rank 1, 0 parents)"}},
		{"an unmet expectation fails, and says what was decided instead", "cases:\n  - name: c" + images + "    expect:\n      - delete index facts/young\n",
			[]string{
				"fail facts.case.yaml:9: - expected, but not decided: delete index by facts/young; delete index by facts/old (rank 1, root rank 1, 0 parents), where the rule is another",
				"fail facts.case.yaml:2: + decided, but not expected: delete index by facts/old (rank 1, root rank 1, 0 parents)",
			}},
		{"parameters, of the file and of the case", "params: {facts: {days: 50}}\ncases:\n  - name: c" + images + "    expect: []\n  - name: d" + images +
			"    params: {facts: {days: 39}}\n    expect: [delete index]\n", nil},
		{"a data document", "data: {freeze: true}\ncases:\n  - name: c" + images + "    expect: [delete index, keep package]\n    outcome: {index: delete kept, new: stays}\n", nil},
		{"an alarm that the case sets", "cases:\n  - name: c" + images + "    limits: {percent_of_package: 10}\n    expect: [delete index]\n" +
			"    outcome: {index: delete held percent_of_package, amd64: delete held, sig: delete held}\n", nil},
		{"an observing run", "cases:\n  - name: c" + images + "    mode: observe\n    expect: [delete index]\n    outcome: {index: delete observed, amd64: delete observed, sig: delete observed}\n", nil},
		{"a wrong and an unnamed outcome", "cases:\n  - name: c" + images + "    expect: [delete index]\n    outcome:\n      index: delete kept\n      new: delete planned\n",
			[]string{
				"fail facts.case.yaml:10: - outcome of index: expected delete kept, got delete planned",
				"fail facts.case.yaml:11: - outcome of new: expected delete planned, got nothing: it stays",
				"fail facts.case.yaml:2: + outcome of amd64 is not named: delete planned",
				"fail facts.case.yaml:2: + outcome of sig is not named: delete planned",
			}},
		{"an unread manifest stops everything", "cases:\n  - name: c\n    versions: [{key: new}, {key: old, age: 40d, unread: true}]\n    expect: [delete old]\n    outcome: {old: delete incomplete completeness}\n", nil},
		{"an expected failure", "cases:\n  - name: c\n    package: {name: broken}\n    versions: [v1]\n    fails: [on purpose]\n", nil},
		{"an unexpected failure", "cases:\n  - name: c\n    package: {name: broken}\n    versions: [v1]\n    expect: []\n",
			[]string{`fail facts.case.yaml:2: + failed, though not expected to: policy facts has no say here: it refuses: on purpose; nothing of this package is deleted until it answers (facts.rego)`}},
		{"a failure that does not come", "cases:\n  - name: c\n    versions: [v1]\n    fails: [never]\n",
			[]string{"fail facts.case.yaml:2: - expected, but no policy failed so: never"}},
		{"a shipped policy beside one's own", "policies: [facts, keep_tags]\ncases:\n  - name: c" + images +
			"    params: {keep_tags: {globs: [v1]}}\n    expect: [delete index facts, keep index keep_tags/name]\n    outcome: {index: delete kept, new: stays}\n", nil},
		{"unknown parameters", "cases:\n  - name: c\n    versions: [v1]\n    params: {facts: {dayz: 1}}\n    expect: []\n",
			[]string{`error facts.case.yaml:2: change the policies' setting: params: unknown parameter facts.dayz: did you mean "days"?`}},
		{"an index of what is not there", "cases:\n  - name: c\n    versions: [{key: a, index: [b]}]\n    expect: []\n",
			[]string{`error facts.case.yaml:3: version a: its index lists "b", which is no version of the case; list it in missing if it is gone`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := test(t, tt.cases)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want == nil {
				want = []string{}
			}
			if diff := cmp.Diff(want, details(t, r)); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			if r.Passed() != (len(want) == 0) {
				t.Errorf("passed is %v", r.Passed())
			}
		})
	}
}

func TestMalformedCaseFiles(t *testing.T) {
	tests := []struct{ name, cases, want string }{
		{"a misspelt field", "cases:\n  - name: c\n    version: []\n", `facts.case.yaml:3: a case has no field "version"; did you mean "versions"?`},
		{"a misspelt field of a version", "cases:\n  - name: c\n    versions:\n      - {key: a, aeg: 1d}\n", `facts.case.yaml:4: a version has no field "aeg"; did you mean "age"?`},
		{"no cases", "now: 2026-01-01T00:00:00Z\n", "facts.case.yaml:1: there are no cases"},
		{"no expectation", "cases:\n  - name: c\n    versions: [v1]\n", `facts.case.yaml:2: case "c" expects nothing: write expect: [] where no decision may be made`},
		{"the same name twice", "cases:\n  - {name: c, expect: []}\n  - {name: c, expect: []}\n", `facts.case.yaml:3: case "c" is on line 2 too; give it another name`},
		{"an age that is none", "cases:\n  - name: c\n    versions: [{key: a, age: old}]\n", `facts.case.yaml:3: "old" is no age; write one such as 40d, 36h or 1d12h, or unknown`},
		{"an expectation that is none", "cases:\n  - name: c\n    expect: [drop a]\n", `facts.case.yaml:3: action "drop" is none of keep, delete, restore`},
		{"an empty file", "", "facts.case.yaml: the file is empty; it needs cases"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := test(t, tt.cases)
			if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("error %v, want one that ends with %s", err, tt.want)
			}
		})
	}
}

func TestCasesCountIntoTheCoverage(t *testing.T) {
	r, err := test(t, "cases:\n  - name: c\n    versions: [{key: a, age: 40d}]\n    expect: [delete a]\n")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, rule := range r.Coverage[0].Rules {
		got[filepath.Base(rule.File)+" "+rule.Name+" "+string(rune('0'+len(got)))] = rule.Covered
	}
	want := map[string]bool{"facts.rego decisions 0": true, "facts.rego decisions 1": false, "facts.rego decisions 2": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("covered rules (-want +got):\n%s", diff)
	}
}

// The vendors' documents, read as the vendors say; stock opa covers the same rules.
func TestCompatPoliciesPassTheirCases(t *testing.T) {
	r, err := policycase.Test(context.Background(), policies.FS, policycase.Options{
		TestOptions: policy.TestOptions{Options: policy.Options{Path: filepath.Join("..", "..", "policies", "compat")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]int{}
	for _, x := range r.Results {
		if x.Outcome != policy.TestPassed {
			t.Errorf("%s:%d: %s: %s\n%s", x.File, x.Line, x.Name, x.Outcome, x.Detail)
		}
		if strings.HasSuffix(x.File, ".case.yaml") {
			cases[strings.TrimPrefix(x.Package, "data.retention.")]++
		}
	}
	for _, c := range r.Coverage {
		if c.Percent() < 100 {
			t.Errorf("%s is covered to %.1f %%: %+v", c.Package, c.Percent(), c.Uncovered)
		}
	}
	for _, name := range policy.CompatNames(policies.FS) {
		if cases[name] < 30 {
			t.Errorf("%s has %d cases: the tables are gone", name, cases[name])
		}
	}
}
