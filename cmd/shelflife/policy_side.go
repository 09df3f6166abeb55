package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// sides loads the policy sets that a comparison names.
type sides struct {
	*app
	cfg  config.Config
	path string // the folder of policies in place of the configured one; "" for that
	tmp  string // where revisions are unpacked
	// notes say what was left out or stood in.
	notes []string
}

// engine is the configured set for what looks at one only.
func (s *sides) engine(ctx context.Context) (preview.Side, *policy.Engine, error) {
	side, err := s.configured(ctx)
	if err != nil {
		return side, nil, err
	}
	engine, ok := side.Judge.(*policy.Engine)
	if !ok {
		return side, nil, usagef("there are no policies; name a folder with --path")
	}
	return side, engine, nil
}

// configured is the set that the configuration names, or --path in its place.
func (s *sides) configured(ctx context.Context) (preview.Side, error) {
	if s.path != "" {
		return s.folder(ctx, s.path, s.path)
	}
	engine, err := (&session{app: s.app, cfg: s.cfg}).policies(ctx)
	if err != nil {
		return preview.Side{}, err
	}
	name := "builtin"
	if s.cfg.Policies.Path != "" {
		name = s.cfg.Policies.Path
	}
	return sideOf(name, engine), nil
}

// named is the set that a word on the command line means: builtin, a folder, a
// bundle's file, or a git revision. git:REVISION is always a revision.
func (s *sides) named(ctx context.Context, word string) (preview.Side, error) {
	if rev, ok := strings.CutPrefix(word, "git:"); ok {
		return s.revision(ctx, rev)
	}
	if word == "builtin" {
		return s.load(ctx, word, s.cfg, policy.Options{Builtin: true})
	}
	switch info, err := os.Stat(s.place(word)); {
	case err == nil && info.IsDir():
		return s.folder(ctx, word, s.place(word))
	case err == nil:
		return s.bundle(ctx, word)
	case !errors.Is(err, os.ErrNotExist):
		return preview.Side{}, usage(err)
	case strings.ContainsRune(word, filepath.Separator) && strings.HasSuffix(word, string(filepath.Separator)):
		return preview.Side{}, usagef("there is no folder %s; check the name", word)
	}
	side, err := s.revision(ctx, word)
	if err != nil {
		return side, usagef("%q is neither a folder nor a bundle's file nor builtin, and as a git revision: %w", word, err)
	}
	return side, nil
}

// bundle loads a bundle's file, verified as the configuration has it for its own.
func (s *sides) bundle(ctx context.Context, name string) (preview.Side, error) {
	cfg := s.cfg
	cfg.Policies.Bundle = s.place(name)
	o, _, err := bundleOptions(ctx, cfg, policybundle.Forgets{}, time.Now, policy.Options{})
	if err != nil {
		return preview.Side{}, err
	}
	return s.load(ctx, name, s.cfg, o)
}

// folder stands in for the configured folder: where the configuration has the
// shipped policies beside one, they stay.
func (s *sides) folder(ctx context.Context, name, path string) (preview.Side, error) {
	return s.load(ctx, name, s.cfg, policy.Options{Path: path, Builtin: beside(s.cfg)})
}

// beside reports whether the shipped policies stand beside a folder.
func beside(cfg config.Config) bool { return cfg.Policies.Builtin && cfg.Policies.Path != "" }

// load loads a set other than the configured one, with the parameters of a
// configuration as far as it has them.
func (s *sides) load(ctx context.Context, name string, cfg config.Config, o policy.Options) (preview.Side, error) {
	data, err := policyset.Data(cfg.Policies.Data)
	if err != nil {
		return preview.Side{}, usage(err)
	}
	o.Data = data
	bare, err := policy.Load(ctx, policies.FS, o)
	if errors.Is(err, policy.ErrUnverified) {
		return preview.Side{}, &codeError{code: exitHeld, err: err}
	}
	if err != nil {
		return preview.Side{}, usage(err)
	}
	var dropped []string
	o.Params, dropped = known(policyset.Params(cfg), bare.Policies())
	for _, only := range cfg.Policies.Only {
		if slices.ContainsFunc(bare.Policies(), func(p policy.Policy) bool { return p.Name == only }) {
			o.Only = append(o.Only, only)
		}
	}
	if len(dropped) > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s does not know the configured %s, so it was left out there", name, strings.Join(dropped, ", ")))
	}
	engine, err := policy.Load(ctx, policies.FS, o)
	if err != nil {
		return preview.Side{}, usage(err)
	}
	return sideOf(name, engine), nil
}

func sideOf(name string, e *policy.Engine) preview.Side {
	return preview.Side{Policies: preview.Policies{Name: name, Bundle: bundleOf(e)}, Judge: e}
}

// noPolicies asks for nothing: a revision from before there were any.
type noPolicies struct{}

// Decide answers that everything stays.
func (noPolicies) Decide(_ context.Context, req policy.Request) (retention.Judgement, error) {
	return retention.Judgement{EvaluatedAt: req.EvaluatedAt}, nil
}

// NeedsDeleted reports that nothing is restored.
func (noPolicies) NeedsDeleted() bool { return false }

var _ enforce.Judge = noPolicies{}

// known leaves out what a policy set has no policy or parameter for, and names it.
func known(p policy.Params, list []policy.Policy) (policy.Params, []string) {
	has := map[string]map[string]any{}
	for _, pol := range list {
		has[pol.Name] = pol.Params
	}
	dropped := map[string]bool{}
	only := func(v policy.Values) policy.Values {
		out := policy.Values{}
		for name, values := range v {
			params, ok := has[name]
			if !ok {
				dropped["params."+name] = true
				continue
			}
			out[name] = map[string]any{}
			for k, value := range values {
				if _, ok := params[k]; ok {
					out[name][k] = value
				} else {
					dropped["params."+name+"."+k] = true
				}
			}
		}
		return out
	}
	out := policy.Params{All: only(p.All), Owners: map[string]policy.OwnerParams{}}
	for login, o := range p.Owners {
		kept := policy.OwnerParams{All: only(o.All)}
		for _, pp := range o.Packages {
			kept.Packages = append(kept.Packages, policy.PackageParams{Glob: pp.Glob, Values: only(pp.Values)})
		}
		out.Owners[login] = kept
	}
	return out, slices.Sorted(maps.Keys(dropped))
}
