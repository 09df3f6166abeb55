package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestConfigurationAndItsPoliciesArePlacedTogether(t *testing.T) {
	const owners = "version: 1\nowners: [{login: acme}]\n"
	for name, tc := range map[string]struct {
		file string
		want []string
		err  string
	}{
		"the shipped policies": {file: owners, want: []string{"shelflife.yaml"}},
		"policies and data of one's own": {
			file: owners + "policies: {path: ./mine, data: ./more/deployed.yaml}\n",
			want: []string{"mine/a/a.rego", "mine/data.json", "more/deployed.yaml", "shelflife.yaml"},
		},
		"policies elsewhere":     {file: owners + "policies: {path: ../mine}\n", err: "is not below the folder"},
		"policies that are gone": {file: owners + "policies: {path: ./gone}\n", err: "gone"},
		"nobody to look after":   {file: "version: 1\n", err: "names no owner"},
		"a mistake":              {file: owners + "limit: {}\n", err: "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			from := tree(t, map[string]string{
				"prod.yaml": tc.file, "mine/a/a.rego": "package a", "mine/data.json": "{}", "mine/embed.go": "package x", "mine/.git/x": "", "more/deployed.yaml": "a: 1", "unused": "",
			})
			to := t.TempDir()
			err := place(filepath.Join(from, "prod.yaml"), to)
			if (tc.err != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("%v, want %q", err, tc.err)
			}
			if err != nil {
				return
			}
			var got []string
			err = filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				info, err := d.Info()
				if err != nil {
					return err
				}
				if info.Mode().Perm() != 0o644 {
					t.Errorf("%s has the mode %s: Lambda's user must read it", path, info.Mode())
				}
				rel, err := filepath.Rel(to, path)
				got = append(got, filepath.ToSlash(rel))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("placed (-want +got)\n%s", diff)
			}
		})
	}
}
