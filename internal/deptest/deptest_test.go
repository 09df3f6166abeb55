package deptest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/shelflife-dev/shelflife"

// pkg is what go list says of one package of the module.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module+"/")
		all = append(all, p)
	}
}

// within reports whether path is one of the given packages or below one.
func within(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return path == r || strings.HasPrefix(path, r+"/") })
}

func importing(imports []string, prefix string) bool {
	return slices.ContainsFunc(imports, func(i string) bool { return within(i, prefix) })
}

func TestImportRules(t *testing.T) {
	rules := []struct {
		name    string
		library string   // the package or module
		only    []string // who may import it directly
	}{
		{"only policy imports OPA, and the CLI's policy commands", "github.com/open-policy-agent/opa", []string{"internal/policy", "cmd/shelflife"}},
		{"only packages, ghapp and the webhook's signature check import go-github", "github.com/google/go-github", []string{"internal/packages", "internal/ghapp", "internal/webhook"}},
		{"only ghapp imports ghinstallation", "github.com/bradleyfalzon/ghinstallation", []string{"internal/ghapp"}},
		{"only the embedded store imports SQLite", "modernc.org/sqlite", []string{"internal/ledger/sqlite"}},
		{"only the commands, functions and bench wire the embedded store", module + "/internal/ledger/sqlite", []string{"cmd", "functions", "bench", "internal/ledger/sqlite"}},
		{"only the AWS adapters, and what wires them, import the SDK", "github.com/aws/aws-sdk-go-v2", awsPackages()},
		{"only lambdafn imports Lambda's runtime", "github.com/aws/aws-lambda-go", []string{"internal/lambdafn", "functions", "internal/lambdatest"}},
		{"only the functions wire the AWS ledger", module + "/internal/ledger/dynamodb", []string{"functions", "internal/ledger/dynamodb"}},
		{"only the functions wire the AWS snapshots", module + "/internal/inventory/s3snap", []string{"functions", "internal/inventory/s3snap"}},
		{"the clock of tests is for tests", module + "/internal/testclock", []string{"internal/ledger/ledgertest"}},
		{"what a process took is measured by bench and tests only", module + "/internal/peakmem", []string{"bench"}},
		{"snapshots in memory are for tests and measurements", module + "/internal/inventory/inventorytest", []string{"bench"}},
		{"the simulator is wired by commands and tests only", module + "/internal/githubsim", []string{"cmd", "internal/githubsim"}},
	}
	all := list(t)
	for _, r := range rules {
		used := false
		for _, p := range all {
			if !importing(p.Imports, r.library) {
				continue
			}
			used = true
			if !within(p.ImportPath, r.only...) {
				t.Errorf("%s: %s imports %s", r.name, p.ImportPath, r.library)
			}
		}
		if !used {
			t.Errorf("%s: nobody imports %s, so this rule checks nothing", r.name, r.library)
		}
	}
}

// TestPurePackages holds that the vocabulary and the guards stand on the
// standard library alone: no SDK, no network, no files, no clock of others.
func TestPurePackages(t *testing.T) {
	pure := []string{"internal/retention", "internal/jsonlist", "internal/guard"}
	forbidden := []string{"net", "net/http", "os/exec", "database/sql"}
	seen := 0
	for _, p := range list(t) {
		if !slices.Contains(pure, p.ImportPath) {
			continue
		}
		seen++
		for _, d := range p.Deps {
			if strings.Contains(strings.Split(d, "/")[0], ".") && !within(d, module+"/internal/retention", module+"/internal/jsonlist") {
				t.Errorf("%s depends on %s", p.ImportPath, d)
			}
			if slices.Contains(forbidden, d) {
				t.Errorf("%s depends on %s", p.ImportPath, d)
			}
		}
	}
	if seen != len(pure) {
		t.Errorf("found %d of %d pure packages", seen, len(pure))
	}
}

// TestPoliciesKnowNoCloud keeps what loads and evaluates policies, and what fetches
// bundles, apart from AWS's SDK.
func TestPoliciesKnowNoCloud(t *testing.T) {
	free := []string{"internal/policy", "internal/bundles", "internal/doctor", "internal/guard", "internal/enforce"}
	seen := 0
	for _, p := range list(t) {
		if !slices.Contains(free, p.ImportPath) {
			continue
		}
		seen++
		for _, d := range p.Deps {
			if within(d, "github.com/aws") {
				t.Errorf("%s reaches %s", p.ImportPath, d)
			}
		}
	}
	if seen != len(free) {
		t.Errorf("found %d of %d packages", seen, len(free))
	}
}

// awsPackages may import the AWS SDK: one adapter each, and what wires or tests them.
func awsPackages() []string {
	return []string{
		"cmd/shelflife", "functions", "internal/bundles/awsbundle", "internal/awsenv", "internal/awstest", "internal/deliveries", "internal/fifo", "internal/inventory/s3snap", "internal/kmskeys",
		"internal/ledger/dynamodb", "internal/secretstore", "internal/lambdatest",
	}
}

// TestWebhookCanNeitherDecideNorDelete keeps the webhook function small: no
// policies, no credential of GitHub's, no client of its API, no ledger, nothing that
// plans or carries out.
func TestWebhookCanNeitherDecideNorDelete(t *testing.T) {
	forbidden := []string{
		"github.com/open-policy-agent/opa", "github.com/google/go-github", "github.com/bradleyfalzon/ghinstallation", "github.com/google/go-containerregistry",
		"github.com/aws/aws-sdk-go-v2/service/kms", "github.com/aws/aws-sdk-go-v2/service/s3", "modernc.org/sqlite",
	}
	for _, p := range []string{"policy", "policies", "ghapp", "packages", "enforce", "guard", "sweep", "access", "operator", "dispatch", "oci", "inventory", "kmskeys", "ledger", "githubsim"} {
		forbidden = append(forbidden, module+"/internal/"+p)
	}
	seen := 0
	for _, p := range list(t) {
		if !within(p.ImportPath, "functions/webhook", "internal/webhook") {
			continue
		}
		seen++
		for _, d := range p.Deps {
			if within(d, forbidden...) {
				t.Errorf("%s reaches %s", p.ImportPath, d)
			}
		}
	}
	if seen != 2 {
		t.Errorf("looked at %d packages, want the function and its handler", seen)
	}
}
