package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testFunc  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
	namedTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
)

// tests are the names of all tests and fuzz targets of the project.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		raw, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllSubmatch(raw, -1) {
			out[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWhatTheSecurityDocsClaimIsTested goes over the tables that say what is held by
// which test: each row names at least one, and each one is there.
func TestWhatTheSecurityDocsClaimIsTested(t *testing.T) {
	known := tests(t)
	for file, head := range map[string]string{"../SECURITY.md": "| actor | power |", "safety.md": "| what | limit | beyond it |"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, table, ok := strings.Cut(string(raw), head)
		if !ok {
			t.Fatalf("%s has no table %q", file, head)
		}
		rows := 0
		for i, line := range strings.Split(table, "\n") {
			if i < 2 {
				continue // the head's rest and the rule below it
			}
			if !strings.HasPrefix(line, "|") {
				break
			}
			rows++
			names := namedTest.FindAllStringSubmatch(line, -1)
			if len(names) == 0 {
				t.Errorf("%s: no test holds: %s", file, line)
			}
			for _, n := range names {
				if !known[n[1]] {
					t.Errorf("%s names %s, which is no test", file, n[1])
				}
			}
		}
		if rows < 10 {
			t.Errorf("%s: only %d rows were found: the table has changed its form", file, rows)
		}
	}
}
