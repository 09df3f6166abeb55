package policies_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/policies"
)

// Go's embedding leaves files out silently, by name; a policy that is not in
// the binary would protect nothing.
func TestFSHoldsEveryFileOfTheFolder(t *testing.T) {
	got, want := filesOf(t, policies.FS), filesOf(t, os.DirFS("."))
	want = slices.DeleteFunc(want, func(name string) bool {
		return filepath.Ext(name) == ".go" || filepath.Ext(name) == ".md"
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files on disk (-) and in the binary (+):\n%s", diff)
	}
}

func TestEveryPolicyLiesInItsOwnFolderBesideItsTest(t *testing.T) {
	for kind, suffixes := range map[string][]string{
		"retention": {".rego", "_test.rego"},
		"compat":    {".case.yaml", ".rego", "_test.rego"},
	} {
		folders, err := fs.ReadDir(policies.FS, kind)
		if err != nil {
			t.Fatal(err)
		}
		if len(folders) == 0 {
			t.Fatal("there are no policies")
		}
		for _, f := range folders {
			sub, err := fs.Sub(policies.FS, kind+"/"+f.Name())
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, suffix := range suffixes {
				want = append(want, f.Name()+suffix)
			}
			if diff := cmp.Diff(want, filesOf(t, sub)); diff != "" {
				t.Errorf("%s/%s (-want +got):\n%s", kind, f.Name(), diff)
			}
		}
	}
}

func filesOf(t *testing.T, in fs.FS) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(in, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
