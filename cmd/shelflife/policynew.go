package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/scaffold"
	"github.com/shelflife-dev/shelflife/policies"
)

func (a *app) policyNewCommand() *cobra.Command {
	var f policyFlags
	var kind, like, mode string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the first version of a policy, with its tests",
		Long: `Write a policy, its unit test and its cases into a folder of its own below the
policies' folder. They pass policy check and policy test, and the stock opa fmt,
check and test, as they are. The policy observes until its METADATA says
mode: enforce. Nothing that is there is overwritten.

--like copies a shipped policy with its tests under the new name, which is how
one that observes by itself is made to enforce (--mode enforce).`,
		Example: "  shelflife policy new expire_nightlies --path ./policies\n  shelflife policy new retire_old_packages --like retire_package --mode enforce --path ./policies",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := a.policiesFolder(f)
			if err != nil {
				return err
			}
			if slices.Contains(shippedNames(), args[0]) {
				return usagef("policy %q is among the shipped ones; give yours another name", args[0])
			}
			files, err := firstFiles(args[0], kind, like, mode)
			if err != nil {
				return usage(err)
			}
			return a.writePolicy(dir, args[0], files)
		},
	}
	c.Flags().StringVar(&f.path, "path", "", "folder of policies (default: that of the configuration, or ./policies)")
	c.Flags().StringVar(&kind, "kind", "expire", "what the policy does: "+strings.Join(scaffold.Kinds(), ", "))
	c.Flags().StringVar(&like, "like", "", "copy this shipped policy")
	c.Flags().StringVar(&mode, "mode", "", "mode of the copy: observe, enforce (default: that of the original)")
	c.MarkFlagsMutuallyExclusive("kind", "like")
	return c
}

// firstFiles are those of a new policy, or of a copy of a shipped one.
func firstFiles(name, kind, like, mode string) ([]scaffold.File, error) {
	if mode != "" {
		if _, err := retention.ParseMode(mode); err != nil {
			return nil, err
		}
	}
	switch {
	case like != "":
		return scaffold.Like(policies.FS, like, name, mode)
	case mode != "":
		return nil, errors.New("--mode is for a copy (--like); a new policy observes until its METADATA says otherwise")
	}
	return scaffold.Policy(name, kind)
}

// policiesFolder is where a new policy goes.
func (a *app) policiesFolder(f policyFlags) (string, error) {
	if f.path != "" {
		return f.path, nil
	}
	cfg, err := a.loadConfig()
	if err != nil {
		return "", err
	}
	if cfg.Policies.Path != "" {
		return cfg.Policies.Path, nil
	}
	return "policies", nil
}

func (a *app) writePolicy(dir, name string, files []scaffold.File) error {
	folder := filepath.Join(a.place(dir), name)
	if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s is there already; take another name, or remove it first", folder)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write policy %s: %w", name, err)
	}
	for _, f := range files {
		place := filepath.Join(a.place(dir), filepath.FromSlash(f.Name))
		if err := writeNew(place, f.Text); err != nil {
			return fmt.Errorf("write policy %s: %w", name, err)
		}
		fmt.Fprintln(a.out, filepath.Join(dir, filepath.FromSlash(f.Name)))
	}
	a.note("next: shelflife policy test --path %s --watch", dir)
	return nil
}

// writeNew writes a file that must not be there.
func writeNew(place string, text []byte) error {
	f, err := os.OpenFile(place, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// shippedNames are the names that a user's policy can't have.
func shippedNames() []string {
	out := policy.CompatNames(policies.FS)
	entries, err := fs.ReadDir(policies.FS, "retention")
	if err != nil {
		panic("the shipped policies are part of the binary: " + err.Error())
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}
