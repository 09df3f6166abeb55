package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown/print"
)

// Variant says how an engine differs from the one that it is made from.
type Variant struct {
	Only   []string       // evaluate only these; nil for those of the engine
	Params Params         // in place of the engine's
	Data   map[string]any // documents besides the engine's, which they replace
	// Print hears what the policies print, where they were compiled to: under
	// TestOptions.Also. Elsewhere print does nothing.
	Print func(place, text string)
}

// Variant returns an engine over the same compiled policies with other
// parameters, documents or choice of policies, for trying policies out: it
// costs no compilation and has no Bundle. Unknown policies and parameters are
// Findings.
func (e *Engine) Variant(v Variant) (*Engine, error) {
	out := &Engine{
		policies: e.policies, all: e.all, compiler: e.compiler, timeLimit: e.timeLimit,
		tracer: e.tracer, printer: hookOf(v.Print), programs: map[string]*program{},
	}
	layers, found := v.Params.layers(e.all)
	if v.Only != nil {
		out.policies = nil
		for _, p := range e.all {
			if slices.Contains(v.Only, p.Name) {
				out.policies = append(out.policies, p)
			}
		}
		for _, name := range v.Only {
			if !slices.ContainsFunc(e.all, func(p Policy) bool { return p.Name == name }) {
				found = append(found, unknownName("there is no policy", name, namesOf(e.all)))
			}
		}
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("change the policies' setting: %w", found)
	}
	data, err := readData(nil, v.Data)
	if err != nil {
		return nil, fmt.Errorf("change the policies' setting: %w", err)
	}
	for _, m := range e.compiler.Modules {
		if name := plain(m.Package.Path[1].Value); data[name] != nil {
			return nil, fmt.Errorf("change the policies' setting: a data document cannot be called %q, which is a package; name it otherwise", name)
		}
	}
	out.layers = layers
	out.data = maps.Clone(e.data)
	maps.Copy(out.data, data)
	return out, nil
}

// Loaded returns every policy of the set, also those that are not evaluated.
func (e *Engine) Loaded() []Policy { return slices.Clone(e.all) }

// titleOf is the title of a rule's own METADATA, "" without one.
func titleOf(r *ast.Rule) string {
	for _, a := range r.Annotations {
		if a.Title != "" {
			return a.Title
		}
	}
	return ""
}

// hook calls a function for each print.
type hook func(place, text string)

// Print implements print.Hook.
func (h hook) Print(at print.Context, text string) error {
	h(findingAt(at.Location, "").place(), text)
	return nil
}

func hookOf(f func(place, text string)) print.Hook {
	if f == nil {
		return nil
	}
	return hook(f)
}
