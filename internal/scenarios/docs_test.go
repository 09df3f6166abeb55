package scenarios

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentation holds docs/containers.md and the scenarios in step: each
// statement there is shown by a file, and each file shows a statement.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/containers.md")
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, m := range regexp.MustCompile(`testdata/([a-z0-9-]+)\.yaml`).FindAllStringSubmatch(string(text), -1) {
		linked[m[1]] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(load(t))), slices.Sorted(maps.Keys(linked))); diff != "" {
		t.Errorf("scenarios and docs/containers.md (-scenarios +linked):\n%s", diff)
	}
}
