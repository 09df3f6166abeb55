package policy_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

func TestAFolderIsReadWithinTheLimitsOfABundle(t *testing.T) {
	link := func(target string) func(string) error {
		return func(dir string) error { return os.Symlink(target, filepath.Join(dir, "x.rego")) }
	}
	sized := func(files int, size int64) func(string) error {
		return func(dir string) error {
			for i := range files {
				path := filepath.Join(dir, fmt.Sprintf("x%d.rego", i))
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					return err
				}
				if err := os.Truncate(path, size); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for name, tc := range map[string]struct {
		fill func(dir string) error
		want string
	}{
		"a device":         {link("/dev/zero"), "x.rego is no plain file"},
		"a folder":         {link("/"), "x.rego is no plain file"},
		"a pipe":           {func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "x.rego"), 0o600) }, "x.rego is no plain file"},
		"too large a file": {sized(1, 16<<20+1), "longer than 16 MiB"},
		"too much":         {sized(5, 16<<20), "larger than 64 MiB"},
		"too many":         {sized(2001, 0), "more than 2000 files"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tc.fill(dir); err != nil {
				t.Fatal(err)
			}
			_, err := policy.Load(context.Background(), policies.FS, policy.Options{Path: dir})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want something with %q", err, tc.want)
			}
		})
	}
	dir := t.TempDir() // as a mounted ConfigMap has its files
	if err := os.Symlink(filepath.Join(onePolicy(t), "expire_all", "expire_all.rego"), filepath.Join(dir, "p.rego")); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Load(context.Background(), policies.FS, policy.Options{Path: dir}); err != nil {
		t.Errorf("a link to a file: %v", err)
	}
}
