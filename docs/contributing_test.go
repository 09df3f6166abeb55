package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestContributingListsTheTargets compares the table of CONTRIBUTING.md with the
// Makefile's targets. What only SAM calls, and the list itself, need no row.
func TestContributingListsTheTargets(t *testing.T) {
	names := func(file, pattern string) []string {
		raw, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(raw), -1) {
			out = append(out, m[1])
		}
		slices.Sort(out)
		return out
	}
	targets := slices.DeleteFunc(names("Makefile", `(?m)^([A-Za-z][A-Za-z-]*):.*## `), func(name string) bool {
		return name == "help" || strings.HasPrefix(name, "build-")
	})
	if diff := cmp.Diff(targets, names("CONTRIBUTING.md", "(?m)^\\| `make ([a-z-]+)` \\| .+ \\|$")); diff != "" {
		t.Errorf("the table of CONTRIBUTING.md and the Makefile differ (-Makefile +table):\n%s", diff)
	}
}
