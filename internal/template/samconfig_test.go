package template

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var overridesLine = regexp.MustCompile(`(?m)^parameter_overrides = "(.*)"$`)

// overrideProblems are what is wrong with the parameters that samconfig.toml gives.
func overrideProblems(t Template, samconfig string) []string {
	var b breaches
	lines := overridesLine.FindAllStringSubmatch(samconfig, -1)
	if len(lines) != strings.Count(samconfig, ".deploy.parameters]") {
		b.add("an environment has no parameters")
	}
	for _, l := range lines {
		for _, safe := range []string{"Mode=observe", "Schedule=DISABLED"} {
			if !slices.Contains(strings.Fields(l[1]), safe) {
				b.add("%q does not say %s", l[1], safe)
			}
		}
		for _, o := range strings.Fields(l[1]) {
			name, value, _ := strings.Cut(o, "=")
			p, ok := t.Parameters[name]
			if !ok {
				b.add("there is no parameter %s", name)
			}
			if allowed := list(at(p, "AllowedValues")); len(allowed) > 0 && !slices.ContainsFunc(allowed, func(v any) bool { return show(v) == value }) {
				b.add("%s can't be %s", name, value)
			}
		}
	}
	return b
}

func TestBothEnvironmentsShipSafe(t *testing.T) {
	tmpl, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../samconfig.toml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(raw)
	if strings.Count(good, ".deploy.parameters]") != 2 {
		t.Error("there are to be two environments, default and prod")
	}
	for _, p := range overrideProblems(tmpl, good) {
		t.Error(p)
	}
	for _, c := range [][2]string{
		{"Mode=observe", "Mode=enforce"},
		{"Schedule=DISABLED LogRetentionDays", "Schedule=ENABLED LogRetentionDays"},
		{"LogRetentionDays=365", "LogRetentionDays=366"},
		{"GlueDatabaseName=", "Glue="},
		{"parameter_overrides = \"Mode=observe Schedule=DISABLED\"", ""},
	} {
		if len(overrideProblems(tmpl, strings.Replace(good, c[0], c[1], 1))) == 0 {
			t.Errorf("%s in place of %s is not noticed", c[1], c[0])
		}
	}
}
