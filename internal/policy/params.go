package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/shelflife-dev/shelflife/internal/near"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Values are parameters by policy and name.
type Values map[string]map[string]any

// Params override the defaults that the policies' METADATA names: first All,
// then the owner's, then those of each of the owner's globs that matches the
// package's name, in their order. The zero Params override nothing.
type Params struct {
	All    Values
	Owners map[string]OwnerParams // by login, without regard to case
}

// OwnerParams are the overrides for one owner.
type OwnerParams struct {
	All      Values
	Packages []PackageParams
}

// PackageParams are the overrides for the packages of one owner whose name
// matches a glob, as doublestar reads it: ** also matches slashes.
type PackageParams struct {
	Glob   string
	Values Values
}

// layer is one set of overrides, checked and normalised.
type layer struct {
	owner  string // "" for every owner
	glob   string // "" for every package
	values Values
}

func (l layer) holds(ref retention.PackageRef) bool {
	if l.owner != "" && !retention.SameLogin(l.owner, ref.Owner) {
		return false
	}
	return l.glob == "" || doublestar.MatchUnvalidated(l.glob, ref.Name)
}

// layers checks the overrides against the policies and puts them in order.
func (p Params) layers(policies []Policy) ([]layer, Findings) {
	defaults := Values{}
	for _, q := range policies {
		defaults[q.Name] = q.Params
	}
	var found Findings
	var out []layer
	add := func(where string, l layer) {
		checked, problems := checkValues(where, l.values, defaults)
		found = append(found, problems...)
		if len(checked) > 0 {
			l.values = checked
			out = append(out, l)
		}
	}
	add("params", layer{values: p.All})
	for _, login := range slices.Sorted(maps.Keys(p.Owners)) {
		o := p.Owners[login]
		where := "params of owner " + login
		add(where, layer{owner: login, values: o.All})
		for _, g := range o.Packages {
			at := fmt.Sprintf("%s, packages %q", where, g.Glob)
			if g.Glob == "" || !doublestar.ValidatePattern(g.Glob) {
				found = append(found, Finding{Message: at + ": the glob is malformed; write one like team/** or *-cache"})
				continue
			}
			add(at, layer{owner: login, glob: g.Glob, values: g.Values})
		}
	}
	return out, found
}

func checkValues(where string, given, defaults Values) (Values, Findings) {
	var found Findings
	out := Values{}
	for _, policy := range slices.Sorted(maps.Keys(given)) {
		known, ok := defaults[policy]
		if !ok {
			found = append(found, unknownName(where+": unknown policy", policy, slices.Sorted(maps.Keys(defaults))))
			continue
		}
		values, err := normalised(given[policy])
		if err != nil {
			found = append(found, Finding{Message: fmt.Sprintf("%s: %s: %s", where, policy, err)})
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			def, ok := known[name]
			if !ok {
				f := unknownName(where+": unknown parameter "+policy+".", name, slices.Sorted(maps.Keys(known)))
				found = append(found, f)
			} else if err := sameKind(values[name], def); err != nil {
				found = append(found, Finding{Message: fmt.Sprintf("%s: %s.%s %s", where, policy, name, err)})
			}
		}
		out[policy] = values
	}
	return out, found
}

// unknownName says what there is instead.
func unknownName(what, name string, known []string) Finding {
	f := Finding{Near: near.Names(name, known)}
	if strings.HasSuffix(what, ".") {
		f.Message = what + name
	} else {
		f.Message = fmt.Sprintf("%s %q", what, name)
	}
	switch {
	case len(f.Near) > 0:
		f.Message += ": " + near.DidYouMean(f.Near)
	case len(known) > 0:
		f.Message += "; there is " + strings.Join(known, ", ")
	default:
		f.Message += "; there is none"
	}
	return f
}

// effective returns the parameters that hold for a package, and a key that is
// the same for the same layers.
func effective(policies []Policy, layers []layer, ref retention.PackageRef) (key string, params func() map[string]any) {
	var held []layer
	bits := make([]byte, len(layers))
	for i, l := range layers {
		bits[i] = '0'
		if l.holds(ref) {
			bits[i] = '1'
			held = append(held, l)
		}
	}
	return string(bits), func() map[string]any { return merged(policies, held) }
}

func merged(policies []Policy, held []layer) map[string]any {
	out := make(map[string]any, len(policies))
	for _, p := range policies {
		values := make(map[string]any, len(p.Params))
		maps.Copy(values, p.Params)
		for _, l := range held {
			maps.Copy(values, l.values[p.Name])
		}
		out[p.Name] = values
	}
	return out
}

// canonical writes layers for the digest.
func canonical(layers []layer) ([]byte, error) {
	type written struct {
		Owner, Glob string
		Values      Values
	}
	out := make([]written, len(layers))
	for i, l := range layers {
		out[i] = written{strings.ToLower(l.owner), l.glob, l.values}
	}
	return json.Marshal(out)
}
