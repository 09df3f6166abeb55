package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

var (
	paramsLibrary = ast.MustParseRef("data.lib.params")
	paramsData    = ast.MustParseRef("data.params")
)

// checkParamRefs finds parameters that no METADATA declares. The schema cannot:
// parameters are data, and a misspelt one would be undefined for ever, which
// silently takes the rule out. Only literal names are looked at.
func checkParamRefs(sources []source, policies []Policy) Findings {
	declared := Values{}
	for _, p := range policies {
		declared[p.Name] = p.Params
	}
	var found Findings
	for _, s := range sources {
		if _, _, ok := policyNameOf(s.module); !ok || s.isTest() {
			continue
		}
		aliases := importAliases(s.module)
		ast.WalkRefs(s.module, func(r ast.Ref) bool {
			policy, name, ok := paramOfRef(r, aliases)
			if ok {
				found = append(found, undeclared(r[0].Location, policy, name, declared)...)
			}
			return false
		})
		ast.WalkTerms(s.module, func(t *ast.Term) bool {
			if call, ok := t.Value.(ast.Call); ok {
				found = append(found, checkParamCall(call, aliases, declared)...)
			}
			return false
		})
		ast.WalkExprs(s.module, func(e *ast.Expr) bool {
			if e.IsCall() {
				found = append(found, checkParamCall(ast.Call(e.Terms.([]*ast.Term)), aliases, declared)...)
			}
			return false
		})
	}
	return found
}

// importAliases maps the names a module imports to what they stand for.
func importAliases(m *ast.Module) map[string]ast.Ref {
	out := map[string]ast.Ref{}
	for _, i := range m.Imports {
		if ref, ok := i.Path.Value.(ast.Ref); ok {
			out[string(i.Name())] = ref
		}
	}
	return out
}

func resolved(r ast.Ref, aliases map[string]ast.Ref) ast.Ref {
	if v, ok := r[0].Value.(ast.Var); ok {
		if full, ok := aliases[string(v)]; ok {
			return full.Concat(r[1:])
		}
	}
	return r
}

// paramOfRef reads data.params.<policy>[.<name>] and params.of("<policy>").<name>.
func paramOfRef(r ast.Ref, aliases map[string]ast.Ref) (policy, name string, ok bool) {
	if call, isCall := r[0].Value.(ast.Call); isCall {
		policy, _, ok = paramOfCall(call, aliases)
		if ok && len(r) > 1 {
			name = stringOf(r[1])
		}
		return policy, name, ok
	}
	full := resolved(r, aliases)
	if !full.HasPrefix(paramsData) || len(full) <= len(paramsData) {
		return "", "", false
	}
	if policy = stringOf(full[len(paramsData)]); policy == "" {
		return "", "", false
	}
	if len(full) > len(paramsData)+1 {
		name = stringOf(full[len(paramsData)+1])
	}
	return policy, name, true
}

// paramOfCall reads the call of a function of lib.params: its first argument
// is a policy, the second, where there is one, a parameter.
func paramOfCall(call ast.Call, aliases map[string]ast.Ref) (policy, name string, ok bool) {
	operator, isRef := call[0].Value.(ast.Ref)
	if !isRef || len(call) < 2 || !resolved(operator, aliases).HasPrefix(paramsLibrary) {
		return "", "", false
	}
	if policy = stringOf(call[1]); policy == "" {
		return "", "", false
	}
	if len(call) > 2 {
		name = stringOf(call[2])
	}
	return policy, name, true
}

func checkParamCall(call ast.Call, aliases map[string]ast.Ref, declared Values) Findings {
	policy, name, ok := paramOfCall(call, aliases)
	if !ok {
		return nil
	}
	return undeclared(call[0].Location, policy, name, declared)
}

// undeclared is empty when policy, and name unless it is "", are declared.
func undeclared(at *ast.Location, policy, name string, declared Values) Findings {
	known, ok := declared[policy]
	f := unknownName("there is no policy", policy, slices.Sorted(maps.Keys(declared)))
	if ok {
		if _, there := known[name]; there || name == "" {
			return nil
		}
		f = unknownName(fmt.Sprintf("the METADATA of %s declares no parameter", policy), name, slices.Sorted(maps.Keys(known)))
	}
	message, near := f.Message, f.Near
	f = findingAt(at, message)
	f.Near = near
	return Findings{f}
}

func stringOf(t *ast.Term) string {
	if s, ok := t.Value.(ast.String); ok {
		return string(s)
	}
	return ""
}
