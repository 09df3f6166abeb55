package action_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is what is looked at of action.yml.
type action struct {
	Inputs map[string]struct {
		Description string `yaml:"description"`
		Default     string `yaml:"default"`
	} `yaml:"inputs"`
	Outputs map[string]struct {
		Description string `yaml:"description"`
		Value       string `yaml:"value"`
	} `yaml:"outputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

type step struct {
	Name  string            `yaml:"name"`
	ID    string            `yaml:"id"`
	Shell string            `yaml:"shell"`
	Dir   string            `yaml:"working-directory"`
	Uses  string            `yaml:"uses"`
	If    string            `yaml:"if"`
	Env   map[string]string `yaml:"env"`
	Run   string            `yaml:"run"`
}

func read(t *testing.T) action {
	t.Helper()
	raw, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	if a.Runs.Using != "composite" || len(a.Runs.Steps) < 5 || len(a.Inputs) < 5 {
		t.Fatalf("this is no composite action with steps and inputs: %+v", a)
	}
	return a
}

// What a pull request's author may write (branch names, paths) must reach the
// shell as a variable: in a script's text it would be run.
func TestNoExpressionReachesAScript(t *testing.T) {
	for _, s := range read(t).Runs.Steps {
		switch {
		case s.Uses != "":
			t.Errorf("step %q uses %s: all steps are scripts of our own", s.Name, s.Uses)
		case strings.Contains(s.Run, "${{"):
			t.Errorf("step %q has an expression in its script", s.Name)
		case s.Shell != "bash" || !strings.HasPrefix(s.Run, "set -euo pipefail\n"):
			t.Errorf("step %q does not stop at the first failure", s.Name)
		case strings.Contains(s.Run, "eval ") || strings.Contains(s.Run, "bash -c"):
			t.Errorf("step %q runs text", s.Name)
		}
	}
}

var expression = regexp.MustCompile(`\$\{\{ ([^}]*) \}\}`)

func TestEveryInputIsDescribedAndUsed(t *testing.T) {
	a := read(t)
	used := map[string]bool{}
	for _, s := range a.Runs.Steps {
		for _, v := range append([]string{s.Dir}, values(s.Env)...) {
			for _, m := range expression.FindAllStringSubmatch(v, -1) {
				if name, ok := strings.CutPrefix(m[1], "inputs."); ok {
					used[name] = true
				}
			}
		}
	}
	for name, in := range a.Inputs {
		if strings.TrimSpace(in.Description) == "" || !used[name] {
			t.Errorf("input %s: described %t, used %t", name, in.Description != "", used[name])
		}
	}
	for name := range used {
		if _, ok := a.Inputs[name]; !ok {
			t.Errorf("inputs.%s is used and no input", name)
		}
	}
	doc, err := os.ReadFile("../docs/action.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range a.Inputs {
		if !strings.Contains(string(doc), "| `"+name+"` |") {
			t.Errorf("docs/action.md has no row for the input %s", name)
		}
	}
	for name := range a.Outputs {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/action.md does not name the output %s", name)
		}
	}
}

func values(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

func TestScriptsPassShellcheck(t *testing.T) {
	program, err := exec.LookPath("shellcheck")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("there is no shellcheck, and CI has to have it: .ci/run installs it")
	}
	if err != nil {
		t.Skip("skipped: there is no shellcheck here; Debian's package is shellcheck")
	}
	for _, s := range read(t).Runs.Steps {
		cmd := exec.Command(program, "-s", "bash", "-")
		cmd.Stdin = strings.NewReader(s.Run)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("step %q: %v\n%s", s.Name, err, out)
		}
	}
}
