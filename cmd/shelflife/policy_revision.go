package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/preview"
)

// then is one revision of the repository, unpacked as far as it is asked for.
type then struct {
	*sides
	repo   repository
	rev    string // as a person wrote it
	commit string
	root   string // where its files are unpacked
}

// revision is the configured set as it was at a git revision: the configuration
// file, the policies' folder and the data document of then, as far as they are in
// the repository. Without a configuration file there, today's parameters hold.
func (s *sides) revision(ctx context.Context, rev string) (preview.Side, error) {
	start := "."
	if s.path != "" {
		start = s.place(s.path)
	} else if s.cfg.File != "" {
		start = filepath.Dir(s.cfg.File)
	}
	repo, err := repositoryOf(ctx, existing(start))
	if err != nil {
		return preview.Side{}, err
	}
	commit, err := repo.revision(ctx, rev)
	if err != nil {
		return preview.Side{}, err
	}
	return then{s, repo, rev, commit, filepath.Join(s.tmp, commit)}.load(ctx)
}

// existing is the nearest folder above a path that is there.
func existing(path string) string {
	for {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
		parent := filepath.Dir(path)
		if parent == path {
			return "."
		}
		path = parent
	}
}

func (t then) load(ctx context.Context) (preview.Side, error) {
	cfg, found, err := t.config(ctx)
	if err != nil {
		return preview.Side{}, err
	}
	rel, err := t.policies(cfg, found)
	if err != nil {
		return preview.Side{}, err
	}
	o := policy.Options{Builtin: cfg.Policies.Builtin}
	if t.path != "" {
		o.Builtin = beside(cfg)
	}
	if rel != "" {
		n, err := t.repo.folder(ctx, t.commit, rel, t.root)
		if err != nil {
			return preview.Side{}, err
		}
		if n > 0 {
			o.Path = filepath.Join(t.root, filepath.FromSlash(rel))
		} else {
			t.notes = append(t.notes, fmt.Sprintf("there was no policy below %s at %s", rel, t.rev))
		}
	}
	if o.Path == "" && !o.Builtin {
		return preview.Side{Policies: preview.Policies{Name: t.rev}, Judge: noPolicies{}}, nil
	}
	if found {
		if err := t.data(ctx, &cfg); err != nil {
			return preview.Side{}, err
		}
	}
	return t.sides.load(ctx, t.rev, cfg, o)
}

// config is the configuration as it was, its paths below the unpacked files.
// found is false where there was none: then it is today's.
func (t then) config(ctx context.Context) (cfg config.Config, found bool, err error) {
	rel, ok := t.repo.inside(t.cfg.File)
	if t.cfg.File == "" || !ok {
		return t.cfg, false, nil
	}
	text, ok, err := t.repo.file(ctx, t.commit, rel)
	if err != nil {
		return cfg, false, err
	}
	if !ok {
		t.notes = append(t.notes, fmt.Sprintf("%s was not there at %s: today's parameters stand in", rel, t.rev))
		return t.cfg, false, nil
	}
	cfg, err = config.Parse(filepath.Join(t.root, filepath.FromSlash(rel)), text, t.getenv)
	if err != nil {
		return cfg, false, usagef("the configuration as it was at %s: %w", t.rev, err)
	}
	if cfg.Policies.Bundle != "" {
		return cfg, false, usagef("policies.bundle at %s is published elsewhere than in the repository; name the two bundles' files, or folders, to compare", t.rev)
	}
	return cfg, true, nil
}

// policies is the folder of policies within the repository, "" for none.
func (t then) policies(cfg config.Config, found bool) (string, error) {
	path := cfg.Policies.Path
	if t.path != "" {
		path, found = t.place(t.path), false
	}
	if path == "" {
		return "", nil
	}
	if !found {
		if rel, ok := t.repo.inside(path); ok {
			return rel, nil
		}
		return "", usagef("%s is outside the repository %s, so there is no %s of it; name folders to compare instead", path, t.repo.top, t.rev)
	}
	rel, err := filepath.Rel(t.root, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", usagef("policies.path at %s leads out of the repository; name folders to compare instead", t.rev)
	}
	return filepath.ToSlash(rel), nil
}

// data unpacks the data document of then. Where it is not in the repository,
// because a pipeline writes it, today's stands in.
func (t then) data(ctx context.Context, cfg *config.Config) error {
	if cfg.Policies.Data == "" {
		return nil
	}
	rel, err := filepath.Rel(t.root, cfg.Policies.Data)
	if err == nil && filepath.IsLocal(rel) {
		text, ok, err := t.repo.file(ctx, t.commit, filepath.ToSlash(rel))
		if err != nil {
			return err
		}
		if ok {
			if err := os.MkdirAll(filepath.Dir(cfg.Policies.Data), 0o700); err != nil {
				return fmt.Errorf("unpack %s: %w", rel, err)
			}
			return os.WriteFile(cfg.Policies.Data, text, 0o600)
		}
	}
	t.notes = append(t.notes, fmt.Sprintf("policies.data was not in the repository at %s: today's stands in", t.rev))
	cfg.Policies.Data = t.cfg.Policies.Data
	return nil
}
