package policy

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Pair is two policy sets that judge the same packages, such as before and after
// a change. Policies that are the same in both, with all that they refer to, their
// parameters and their data, are asked once.
type Pair struct {
	engines [2]*Engine

	mu       sync.Mutex
	programs map[[2]string]*pairProgram // by the parameters' layers that hold on each side
}

// NewPair returns a Pair.
func NewPair(a, b *Engine) *Pair {
	return &Pair{engines: [2]*Engine{a, b}, programs: map[[2]string]*pairProgram{}}
}

// pairProgram is what is asked of the packages with one set of parameters.
type pairProgram struct {
	shared [2][]int // the policies that are the same, by their places in each engine
	own    [2][]int
	once   rego.PreparedEvalQuery // the shared ones, in the first engine
	alone  [2]rego.PreparedEvalQuery
}

// PairJudge judges one package with one of the two sets. It is for one goroutine,
// together with the other one of its package.
type PairJudge struct {
	pair *Pair
	side int
	seen *seen
}

// seen is what was asked of one package already, by what it looks like.
type seen struct {
	shared map[uint64][]retention.Decision
}

// Judges returns a judge of each set for one package, which is asked about at one
// instant only.
func (p *Pair) Judges() (a, b *PairJudge) {
	s := &seen{shared: map[uint64][]retention.Decision{}}
	return &PairJudge{p, 0, s}, &PairJudge{p, 1, s}
}

// NeedsDeleted reports whether some policy may restore.
func (j *PairJudge) NeedsDeleted() bool { return j.pair.engines[j.side].NeedsDeleted() }

// Decide answers as the Engine of its side does.
func (j *PairJudge) Decide(ctx context.Context, req Request) (retention.Judgement, error) {
	e := j.pair.engines[j.side]
	p, err := j.pair.program(ctx, req.Inventory.Ref())
	if err != nil || len(p.shared[0]) == 0 {
		return e.Decide(ctx, req) // where it met an error, Decide says it in the usual words
	}
	input := NewInput(req).Value()
	state := stateOf(req.Inventory)
	shared, known := j.seen.shared[state]
	ok := true
	if !known {
		if shared, _, ok = j.pair.engines[0].ask(ctx, p.once, p.shared[0], input, req.Inventory); ok {
			j.seen.shared[state] = shared
		}
	}
	if ok {
		var own []retention.Decision
		if own, _, ok = e.ask(ctx, p.alone[j.side], p.own[j.side], input, req.Inventory); ok {
			out := retention.Judgement{EvaluatedAt: req.EvaluatedAt, Decisions: slices.Concat(shared, own)}
			slices.SortFunc(out.Decisions, compareDecisions)
			return out, nil
		}
	}
	return e.Decide(ctx, req) // a policy failed: Decide says which
}

func (p *Pair) program(ctx context.Context, ref retention.PackageRef) (*pairProgram, error) {
	var keys [2]string
	var params [2]map[string]any
	var fill [2]func() map[string]any
	for i, e := range p.engines {
		keys[i], fill[i] = effective(e.all, e.layers, ref)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if out, ok := p.programs[keys]; ok {
		return out, nil
	}
	for i := range params {
		params[i] = fill[i]()
	}
	out, err := p.newProgram(ctx, params)
	if err != nil {
		return nil, err
	}
	p.programs[keys] = out
	return out, nil
}

func (p *Pair) newProgram(ctx context.Context, params [2]map[string]any) (*pairProgram, error) {
	out := &pairProgram{}
	a, b := p.engines[0], p.engines[1]
	prints := map[string]int{} // of B's policies
	for i, pol := range b.policies {
		print, err := b.print(pol, params[1])
		if err != nil {
			return nil, err
		}
		prints[print] = i
	}
	for i, pol := range a.policies {
		print, err := a.print(pol, params[0])
		if err != nil {
			return nil, err
		}
		if j, same := prints[print]; same {
			out.shared[0], out.shared[1] = append(out.shared[0], i), append(out.shared[1], j)
		}
	}
	for side, e := range p.engines {
		for i := range e.policies {
			if !slices.Contains(out.shared[side], i) {
				out.own[side] = append(out.own[side], i)
			}
		}
	}
	var err error
	if out.once, err = a.subset(ctx, out.shared[0], params[0]); err != nil {
		return nil, err
	}
	for side, e := range p.engines {
		if out.alone[side], err = e.subset(ctx, out.own[side], params[side]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// subset prepares some of the policies.
func (e *Engine) subset(ctx context.Context, which []int, params map[string]any) (rego.PreparedEvalQuery, error) {
	var list []Policy
	for _, i := range which {
		list = append(list, e.policies[i])
	}
	return e.prepare(ctx, e.compiler, params, list)
}

// print identifies everything that the answers of a policy can depend on, beside
// the package.
func (e *Engine) print(p Policy, params map[string]any) (string, error) {
	var all []*ast.Module
	texts := map[*ast.Module]source{}
	for _, s := range e.source.files.sources {
		if !s.isTest() {
			all, texts[s.module] = append(all, s.module), s
		}
	}
	var parts []string
	read := map[string]any{}
	for _, m := range closure(modulesOf(p.Name, all), all) {
		parts = append(parts, m.Package.Path.String()+"\n"+string(texts[m].text))
		for name, values := range params {
			if name == policyOf(m) || mentions(m, name) || computesParams(m) {
				read[name] = values
			}
		}
	}
	slices.Sort(parts)
	documents, err := json.Marshal([]any{p.Name, parts, read, e.data})
	if err != nil {
		return "", fmt.Errorf("compare policy %s: %w", p.Name, err)
	}
	sum := sha256.Sum256(documents)
	return string(sum[:]), nil
}

// mentions reports whether a module holds a text.
func mentions(m *ast.Module, text string) bool {
	found := false
	ast.WalkTerms(m, func(t *ast.Term) bool {
		s, ok := t.Value.(ast.String)
		found = found || ok && string(s) == text
		return found
	})
	return found
}

// computesParams reports whether a module may read parameters of a policy that it
// does not name: data.params at a computed place, or a computed name given to the
// library. The library itself reads what it is asked for.
func computesParams(m *ast.Module) bool {
	if m.Package.Path.Equal(paramsLibrary) {
		return false
	}
	aliases := importAliases(m)
	found := false
	library := func(call []*ast.Term) {
		op, ok := call[0].Value.(ast.Ref)
		if !ok {
			return
		}
		text := op.String()
		for alias, path := range aliases {
			if path.Equal(paramsLibrary) {
				text = strings.Replace(text, alias+".", paramsLibrary.String()+".", 1)
			}
		}
		if strings.HasPrefix(text, paramsLibrary.String()+".") && (len(call) < 2 || !neverNumber(call[1])) {
			found = true
		}
	}
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Import:
			path, ok := x.Path.Value.(ast.Ref)
			found = found || ok && path.HasPrefix(paramsData)
		case *ast.Expr:
			if terms, ok := x.Terms.([]*ast.Term); ok {
				library(terms)
			}
		case ast.Call:
			library(x)
		case ast.Ref:
			if paramsData.HasPrefix(x.ConstantPrefix()) && x[0].Equal(ast.DefaultRootDocument) {
				found = true // data, data.params, or data[…]
			}
		}
		return found
	}).Walk(m)
	return found
}
