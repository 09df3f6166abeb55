package policy

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// program is the policies made ready to run with one set of parameters.
type program struct {
	together rego.PreparedEvalQuery // all policies, answers in their order
	// alone prepares one query for each policy; needed only when something failed.
	alone func() ([]rego.PreparedEvalQuery, error)
}

// program returns the program for a package, made once for each set of
// parameters: their number is that of the overrides in the configuration, not
// that of the packages.
func (e *Engine) program(ctx context.Context, ref retention.PackageRef) (*program, error) {
	key, params := effective(e.all, e.layers, ref)
	e.mu.Lock()
	defer e.mu.Unlock()
	if p, ok := e.programs[key]; ok {
		return p, nil
	}
	p, err := e.newProgram(ctx, params())
	if err != nil {
		return nil, err
	}
	e.programs[key] = p
	return p, nil
}

// prepare makes a query of some policies with a set of parameters.
func (e *Engine) prepare(ctx context.Context, compiler *ast.Compiler, params map[string]any, policies []Policy, more ...func(*rego.Rego)) (rego.PreparedEvalQuery, error) {
	documents := maps.Clone(e.data)
	documents["params"] = params
	options := append([]func(*rego.Rego){
		rego.Compiler(compiler),
		// The documents are turned into OPA's values once, not at every look.
		rego.Store(inmem.NewFromObjectWithOpts(documents, inmem.OptReturnASTValuesOnRead(true))),
		rego.Query(query(policies)),
		// Without it an error in a builtin silently makes a keep rule undefined.
		rego.StrictBuiltinErrors(true),
		rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t, nil }),
	}, more...)
	// Prepared for good: the first caller's cancellation must not stick.
	return rego.New(options...).PrepareForEval(context.WithoutCancel(ctx))
}

func (e *Engine) newProgram(ctx context.Context, params map[string]any) (*program, error) {
	together, err := e.prepare(ctx, e.compiler, params, e.policies)
	if err != nil {
		return nil, fmt.Errorf("prepare the policies: %w", err)
	}
	alone := sync.OnceValues(func() ([]rego.PreparedEvalQuery, error) {
		out := make([]rego.PreparedEvalQuery, len(e.policies))
		for i := range e.policies {
			q, err := e.prepare(ctx, e.compiler, params, e.policies[i:i+1])
			if err != nil {
				return nil, fmt.Errorf("prepare policy %s: %w", e.policies[i].Name, err)
			}
			out[i] = q
		}
		return out, nil
	})
	return &program{together: together, alone: alone}, nil
}

// query asks for an array with one element for each policy: an array of its
// decisions, empty when they are undefined, so that an undefined one does not
// take the others with it.
func query(policies []Policy) string {
	parts := make([]string, len(policies))
	for i, p := range policies {
		parts[i] = "[d | d := data.retention[" + strconv.Quote(p.Name) + "]." + decisionsRule + "]"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
