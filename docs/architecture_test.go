package docs_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestTheArchitectureListsEveryPackage holds the table of packages against what is there.
func TestTheArchitectureListsEveryPackage(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "./internal/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(raw), "\n## Packages\n")
	table, _, closed := strings.Cut(table, "\n## ")
	if !found || !closed {
		t.Fatal("docs/architecture.md has no section Packages")
	}
	listed := map[string]bool{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		for i, part := range strings.Split(line, "`") {
			if i%2 == 1 {
				listed[part] = true
			}
		}
	}
	there := map[string]bool{}
	for pkg := range strings.FieldsSeq(string(out)) {
		_, name, _ := strings.Cut(pkg, "/internal/")
		there["internal/"+name] = true
		if !listed["internal/"+name] {
			t.Errorf("docs/architecture.md says nothing of internal/%s: give it a row, or a place among the small helpers or what is for tests only", name)
		}
	}
	for name := range listed {
		if strings.HasPrefix(name, "internal/") && !there[name] {
			t.Errorf("docs/architecture.md lists %s, which is not there", name)
		}
	}
}
