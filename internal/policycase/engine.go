package policycase

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/policy"
)

// configured is the policy set of a configuration file.
type configured struct {
	engine *policy.Engine
	params policy.Params
}

// engine is the policy set of a case with its parameters and documents. own is
// the set under test, nil where the folder has no policies.
func (r *runner) engine(ctx context.Context, own *policy.Engine, s source, f *File, c *caseSpec, say func(place, text string)) (*policy.Engine, error) {
	v := policy.Variant{Only: c.Policies, Data: map[string]any{}, Print: say}
	if v.Only == nil {
		v.Only = f.Policies
	}
	maps.Copy(v.Data, f.Data)
	maps.Copy(v.Data, c.Data)
	params := overlay(f.Params, c.Params)
	if f.Config != "" {
		set, err := r.config(ctx, s, f.Config)
		if err != nil {
			return nil, err
		}
		v.Params = beside(set.params, f, params)
		return set.engine.Variant(v)
	}
	v.Params = policy.Params{All: params}
	if v.Only == nil {
		if v.Only = policiesIn(own, path.Dir(s.shown)); v.Only == nil {
			return nil, errors.New("there is no policy in the folder of the case file; name those that the cases are about: policies: [keep_tags]")
		}
	}
	if hasAll(own, v.Only) {
		return own.Variant(v)
	}
	wide, err := r.wideEngine(ctx, own)
	if err != nil {
		return nil, err
	}
	return wide.Variant(v)
}

// config loads the policy set of a configuration file beside the case file.
func (r *runner) config(ctx context.Context, s source, name string) (configured, error) {
	if s.place == "" || r.options.Config == nil {
		return configured{}, fmt.Errorf("config %s cannot be read here", name)
	}
	place := filepath.Join(filepath.Dir(s.place), filepath.FromSlash(name))
	if set, ok := r.configs[place]; ok {
		return set, nil
	}
	o, err := r.options.Config(place)
	if err != nil {
		return configured{}, err
	}
	engine, err := policy.Load(ctx, r.shipped, o)
	if err != nil {
		return configured{}, fmt.Errorf("%s: %w", place, err)
	}
	set := configured{engine: engine, params: o.Params}
	r.configs[place] = set
	return set, nil
}

// wideEngine has the shipped policies besides those under test.
func (r *runner) wideEngine(ctx context.Context, own *policy.Engine) (*policy.Engine, error) {
	if r.wide != nil {
		return r.wide, nil
	}
	o := policy.Options{Builtin: true, TimeLimit: r.options.TimeLimit}
	if own != nil {
		o.Path = r.options.Path
	}
	for _, name := range policy.CompatNames(r.shipped) {
		if !hasAll(own, []string{name}) {
			o.Compat = append(o.Compat, name)
		}
	}
	engine, err := policy.Load(ctx, r.shipped, o)
	r.wide = engine
	return engine, err
}

// policiesIn are the policies whose files lie in a folder.
func policiesIn(e *policy.Engine, folder string) []string {
	var out []string
	if e == nil {
		return nil
	}
	for _, p := range e.Loaded() {
		if slices.ContainsFunc(p.Files, func(name string) bool { return path.Dir(name) == folder }) {
			out = append(out, p.Name)
		}
	}
	return out
}

func hasAll(e *policy.Engine, names []string) bool {
	if e == nil {
		return false
	}
	loaded := e.Loaded()
	for _, name := range names {
		if !slices.ContainsFunc(loaded, func(p policy.Policy) bool { return p.Name == name }) {
			return false
		}
	}
	return true
}

// overlay puts parameters over others, one by one.
func overlay(base, over policy.Values) policy.Values {
	out := policy.Values{}
	for _, values := range []policy.Values{base, over} {
		for name, params := range values {
			if out[name] == nil {
				out[name] = map[string]any{}
			}
			maps.Copy(out[name], params)
		}
	}
	return out
}

// beside adds a case's parameters to those of a configuration, over all of them.
func beside(p policy.Params, f *File, params policy.Values) policy.Params {
	if len(params) == 0 {
		return p
	}
	login := f.Owner.login()
	owners := maps.Clone(p.Owners)
	if owners == nil {
		owners = map[string]policy.OwnerParams{}
	}
	o := owners[login]
	o.Packages = append(slices.Clone(o.Packages), policy.PackageParams{Glob: "**", Values: params})
	owners[login] = o
	return policy.Params{All: p.All, Owners: owners}
}
