package docs_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/template"
)

func TestAWSPartsAreInStepWithTheTemplate(t *testing.T) {
	tmpl, err := template.Load("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	inStep(t, "aws.md", "flow", "```mermaid\n"+tmpl.Flow()+"```\n")
	inStep(t, "aws.md", "rights", tmpl.Rights())
	inStep(t, "aws.md", "parameters", tmpl.Options(tmpl.ParameterOrder))
	inStep(t, "aws.md", "alarms", tmpl.Alarms())
}

// What a table could leave out is what nobody would miss.
func TestAWSPartsLeaveNothingOut(t *testing.T) {
	tmpl, err := template.Load("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rights, flow := tmpl.Rights(), tmpl.Flow()
	if got, want := strings.Count(rights, "\n")-2, len(tmpl.Permissions()); got != want || want < 20 {
		t.Errorf("%d rows for %d statements", got, want)
	}
	for _, p := range tmpl.Permissions() {
		for _, a := range p.Actions {
			if !strings.Contains(rights, "`"+a+"`") {
				t.Errorf("the table of rights lacks %s", a)
			}
		}
	}
	for _, name := range tmpl.Order {
		if strings.HasSuffix(name, "Function") && !strings.Contains(flow, "| "+name+"\n") {
			t.Errorf("nothing leads to %s", name)
		}
	}
	for name := range tmpl.Parameters {
		if !slices.Contains(tmpl.ParameterOrder, name) {
			t.Errorf("the parameter %s is not in the table", name)
		}
	}
}

func TestOperatorsGuideNamesEveryAlarm(t *testing.T) {
	tmpl, err := template.Load("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("operator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(raw), "\n## Alarms\n")
	if !ok {
		t.Fatal("docs/operator.md has no section Alarms, which the alarms' texts name")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	seen := 0
	for line := range strings.Lines(tmpl.Alarms()) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			seen++
			if !strings.Contains(section, "`"+name+"`") {
				t.Errorf("docs/operator.md does not say what to do about %s", name)
			}
		}
	}
	if seen < 11 {
		t.Errorf("only %d alarms were found", seen)
	}
}
