package template

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheTemplateBreaksNoRule(t *testing.T) {
	tmpl, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tmpl.Check(facts(t)) {
		t.Errorf("%s: %s", p.Rule, p.Detail)
	}
}

// violation is one mistake that somebody could make, and the rule that has to
// find it.
type violation struct {
	rule, mistake string
	old, new      string // what is replaced, once or wherever it stands
}

func TestEachRuleFindsWhatBreaksIt(t *testing.T) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := facts(t)
	tried := map[string]int{}
	for _, v := range violations() {
		t.Run(v.rule+"/"+v.mistake, func(t *testing.T) {
			broken := strings.Replace(string(raw), v.old, v.new, 1)
			if broken == string(raw) {
				t.Fatalf("the template has no %q to replace", v.old)
			}
			tmpl, err := Parse([]byte(broken))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, p := range tmpl.Check(known) {
				got[p.Rule] = true
			}
			if !got[v.rule] {
				t.Errorf("not found; found: %v", got)
			}
		})
		tried[v.rule]++
	}
	for _, r := range rules() {
		if tried[r.name] == 0 {
			t.Errorf("nothing shows that the rule %q can fail", r.name)
		}
	}
}

// The facts come from code that may change its form: rules that compare with
// nothing would find nothing.
func TestRulesNoticeEmptyFacts(t *testing.T) {
	tmpl, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, p := range tmpl.Check(Facts{}) {
		got[p.Rule] = true
	}
	for _, rule := range []string{"environment", "table", "partition keys", "folders of the bucket", "calls are allowed", "decision columns", "metrics are emitted"} {
		if !got[rule] {
			t.Errorf("the rule %q holds without anything to compare with", rule)
		}
	}
}

func TestParseRefusesWhatCloudFormationWould(t *testing.T) {
	for name, src := range map[string]string{
		"nothing":      "",
		"no resources": "Resources: {}",
		"an anchor":    "Resources: {A: &a {Type: X}}",
		"an alias":     "Resources: {A: {Type: &t X}, B: {Type: *t}}",
		"a key twice":  "Resources:\n  A: {Type: X}\n  A: {Type: Y}",
		"no YAML":      "\t:",
	} {
		if _, err := Parse([]byte(src)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseWritesShortFormsOut(t *testing.T) {
	tmpl, err := Parse([]byte(`Resources: {A: {Type: T, Condition: C, Properties: {a: !Ref B, b: !GetAtt C.Arn, c: !If [D, !Sub "${E.Arn}/x", !Ref AWS::NoValue], n: 3}}}`))
	if err != nil {
		t.Fatal(err)
	}
	a := tmpl.Resources["A"]
	want := map[string]any{
		"a": map[string]any{"Ref": "B"}, "b": map[string]any{"Fn::GetAtt": "C.Arn"}, "n": 3,
		"c": map[string]any{"Fn::If": []any{"D", map[string]any{"Fn::Sub": "${E.Arn}/x"}, map[string]any{"Ref": "AWS::NoValue"}}},
	}
	if diff := cmp.Diff(want, a.Properties); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"B", "C", "E", "AWS::NoValue"}, references(a.Properties)); diff != "" {
		t.Error(diff)
	}
	if got := branches(at(a.Properties, "c")); len(got) != 1 || show(got[0]) != "E/x" || a.Condition != "C" {
		t.Errorf("%v %q", got, a.Condition)
	}
}
