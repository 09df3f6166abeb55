package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// repository reads files of a git repository as they were at a revision. It
// runs git itself, changes nothing, and reads committed files only: no
// attributes, hooks or filters are applied to them.
type repository struct {
	top string // the working folder's top
}

// repositoryOf finds the repository that holds a folder.
func repositoryOf(ctx context.Context, dir string) (repository, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return repository{}, usagef("git is not installed, and a revision can be read with it only; install git, or name folders instead")
	}
	out, err := gitIn(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return repository{}, usagef("%s is in no git repository (%w); name folders instead of revisions", dir, err)
	}
	top, err := filepath.EvalSymlinks(strings.TrimRight(string(out), "\n"))
	return repository{top: top}, err
}

// revision returns the commit that a person names.
func (r repository) revision(ctx context.Context, rev string) (string, error) {
	if strings.HasPrefix(rev, "-") {
		return "", usagef("%q is no git revision", rev)
	}
	out, err := gitIn(ctx, r.top, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return "", usagef("git knows no revision %q in %s; fetch it first (in a GitHub workflow: actions/checkout with fetch-depth: 0)", rev, r.top)
	}
	return strings.TrimSpace(string(out)), nil
}

// inside returns a path relative to the repository's top, with slashes. It is
// false for what lies outside.
func (r repository) inside(path string) (string, bool) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	// What is gone from the working folder may still be there at a revision.
	for dir, rest := abs, ""; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			abs = filepath.Join(real, rest)
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir, rest = parent, filepath.Join(filepath.Base(dir), rest)
	}
	rel, err := filepath.Rel(r.top, abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// file returns a file as it was at a commit; ok is false when it was not there.
func (r repository) file(ctx context.Context, commit, path string) (text []byte, ok bool, err error) {
	list, err := r.list(ctx, commit, path)
	if err != nil || len(list) != 1 || list[0].path != path {
		return nil, false, err
	}
	text, err = r.blob(ctx, list[0])
	return text, err == nil, err
}

// folder writes the Rego files of a folder as they were at a commit below into,
// and returns how many there were.
func (r repository) folder(ctx context.Context, commit, path, into string) (int, error) {
	list, err := r.list(ctx, commit, path)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range list {
		if filepath.Ext(e.path) != ".rego" || !filepath.IsLocal(filepath.FromSlash(e.path)) {
			continue
		}
		n++
		text, err := r.blob(ctx, e)
		if err != nil {
			return 0, err
		}
		at := filepath.Join(into, filepath.FromSlash(e.path))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			return 0, fmt.Errorf("read %s at %s: %w", path, commit, err)
		}
		if err := os.WriteFile(at, text, 0o600); err != nil {
			return 0, fmt.Errorf("read %s at %s: %w", path, commit, err)
		}
	}
	return n, nil
}

// entry is one file of a tree.
type entry struct{ mode, object, path string }

func (r repository) list(ctx context.Context, commit, path string) ([]entry, error) {
	args := []string{"--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit}
	if path != "." {
		args = append(args, "--", path)
	}
	out, err := gitIn(ctx, r.top, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s at %s: %w", path, commit, err)
	}
	var list []entry
	for line := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		head, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 3 {
			continue
		}
		// A link could lead anywhere: its text is no policy.
		if f[1] == "blob" && f[0] != "120000" {
			list = append(list, entry{f[0], f[2], name})
		}
	}
	return list, nil
}

func (r repository) blob(ctx context.Context, e entry) ([]byte, error) {
	text, err := gitIn(ctx, r.top, "cat-file", "blob", e.object)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.path, err)
	}
	return text, nil
}

func gitIn(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
	if first == "" {
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return nil, errors.New(first)
}
