package scaffold_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policycase"
	"github.com/shelflife-dev/shelflife/internal/scaffold"
	"github.com/shelflife-dev/shelflife/policies"
)

// write makes a new policy in a folder.
func write(t *testing.T, kind, name string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := scaffold.Policy(name, kind)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		place := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place, f.Text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestANewPolicyIsInOrderAndFullyTested(t *testing.T) {
	for _, kind := range scaffold.Kinds() {
		t.Run(kind, func(t *testing.T) {
			dir := write(t, kind, "my_first_one")
			o := policy.Options{Path: dir}
			if found := policy.Check(context.Background(), policies.FS, o); len(found) > 0 {
				t.Errorf("findings: %v", policy.Findings(found))
			}
			r, err := policycase.Test(context.Background(), policies.FS, policycase.Options{TestOptions: policy.TestOptions{Options: o}})
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[string]bool{}
			for _, x := range r.Results {
				kinds[filepath.Ext(x.File)] = true
				if x.Outcome != policy.TestPassed {
					t.Errorf("%s:%d: %s: %s\n%s", x.File, x.Line, x.Name, x.Outcome, x.Detail)
				}
			}
			if !kinds[".rego"] || !kinds[".yaml"] {
				t.Errorf("it has not both unit tests and cases: %v", kinds)
			}
			for _, c := range r.Coverage {
				if c.Percent() < 100 {
					t.Errorf("%s is covered to %.1f %%", c.Package, c.Percent())
				}
			}
		})
	}
}

// A new policy needs nothing of this project for the stock opa.
func TestANewPolicyIsInOrderForTheStockOPA(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, kind := range scaffold.Kinds() {
		from := os.DirFS(write(t, kind, "first_"+kind))
		if err := os.CopyFS(dir, from); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"fmt", "--list", "--fail", dir},
		{"check", "--strict", "--schema", "policies/schemas", "--capabilities", "policies/capabilities.json", dir},
		{"test", dir},
	} {
		cmd := exec.Command("go", append([]string{"tool", "-modfile=tools/go.mod", "opa"}, args...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("opa %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"expire_nightlies": true, "a": true, "v2": true,
		"": false, "Expire": false, "2nd": false, "../x": false, "a-b": false, "a/b": false, "x_test": false, "default": false, "ä": false,
		strings.Repeat("a", 61): false,
	} {
		if err := scaffold.CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := scaffold.Policy("a", "archive"); err == nil {
		t.Error("an unknown kind is taken")
	}
}

// A copy passes the tests and the cases of the original.
func TestACopyOfAShippedPolicyPassesItsTests(t *testing.T) {
	for _, like := range []string{"retire_package", "quarantine_publish", "ecr_lifecycle", "artifact_registry_cleanup", "harbor_retention"} {
		t.Run(like, func(t *testing.T) {
			dir := t.TempDir()
			files, err := scaffold.Like(policies.FS, like, "our_own", "enforce")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if err := os.MkdirAll(filepath.Join(dir, "our_own"), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(f.Name)), f.Text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o := policy.Options{Path: dir, Builtin: true}
			e, err := policy.Load(context.Background(), policies.FS, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range e.Policies() {
				if p.Name == "our_own" && p.Mode.String() != "enforce" {
					t.Errorf("the copy's mode is %s", p.Mode)
				}
			}
			r, err := policycase.Test(context.Background(), policies.FS, policycase.Options{TestOptions: policy.TestOptions{Options: o, Run: "our_own"}})
			if err != nil || !r.Passed() {
				t.Errorf("results %+v, error %v", r.Results, err)
			}
		})
	}
	if _, err := scaffold.Like(policies.FS, "nothing", "our_own", ""); err == nil {
		t.Error("a policy that is none is copied")
	}
}
