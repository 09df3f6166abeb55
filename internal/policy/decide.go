package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Decide evaluates all policies over one package. A policy that fails there, or
// that answers otherwise than the contract says, is a failure of the judgement
// and has no decisions in it; the decisions of the others stand. The error is
// for what is no policy's fault: the caller's own cancellation.
func (e *Engine) Decide(ctx context.Context, req Request) (retention.Judgement, error) {
	ref := req.Inventory.Ref()
	judgement := retention.Judgement{EvaluatedAt: req.EvaluatedAt}
	if err := ctx.Err(); err != nil {
		return judgement, fmt.Errorf("decide about %s: %w", ref, err)
	}
	p, err := e.program(ctx, ref)
	if err != nil {
		return judgement, fmt.Errorf("decide about %s: %w", ref, err)
	}
	input := NewInput(req).Value()
	answers, err := e.answers(ctx, p, input)
	if err != nil {
		return judgement, fmt.Errorf("decide about %s: %w", ref, err)
	}
	reader := newAnswerReader(req.Inventory)
	for i, a := range answers {
		decisions, err := reader.read(e.policies[i], a)
		if err != nil {
			judgement.Failures = append(judgement.Failures, failure(ref, e.policies[i], err))
			continue
		}
		judgement.Decisions = append(judgement.Decisions, decisions...)
	}
	slices.SortFunc(judgement.Decisions, compareDecisions)
	return judgement, nil
}

// answer is what one policy said: the value of decisions, nil when undefined,
// or why it said nothing.
type answer struct {
	value ast.Value
	err   error
}

// answers evaluates all policies at once. Where that fails, each is evaluated
// alone, which shows whose fault it was and saves the others' answers.
func (e *Engine) answers(ctx context.Context, p *program, input ast.Value) ([]answer, error) {
	values, err := e.eval(ctx, p.together, input)
	if err == nil && len(values) != len(e.policies) {
		err = fmt.Errorf("%d answers from %d policies", len(values), len(e.policies))
	}
	if err == nil {
		out := make([]answer, len(values))
		for i, v := range values {
			out[i].value = v
		}
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	alone, err := p.alone()
	if err != nil {
		return nil, err
	}
	out := make([]answer, len(alone))
	for i, query := range alone {
		values, err := e.eval(ctx, query, input)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			out[i].err = err
		case len(values) != 1:
			out[i].err = fmt.Errorf("%d answers from one policy", len(values))
		default:
			out[i].value = values[0]
		}
	}
	return out, nil
}

// eval runs one query within the time limit. A panic below is an error like
// any other: one policy must not end the run.
func (e *Engine) eval(ctx context.Context, query rego.PreparedEvalQuery, input ast.Value) (values []ast.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			values, err = nil, fmt.Errorf("the evaluation panicked: %v", r)
		}
	}()
	limited, cancel := context.WithTimeout(ctx, e.timeLimit)
	defer cancel()
	options := []rego.EvalOption{rego.EvalParsedInput(input)}
	if e.tracer != nil {
		options = append(options, rego.EvalQueryTracer(e.tracer))
	}
	if e.printer != nil {
		options = append(options, rego.EvalPrintHook(e.printer))
	}
	results, err := query.Eval(limited, options...)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && (topdown.IsCancel(err) || errors.Is(err, context.DeadlineExceeded)):
		return nil, fmt.Errorf("it took longer than %s; make it do less for each version", e.timeLimit)
	case err != nil:
		return nil, errors.New(evaluationError(err))
	}
	return readResults(results)
}

// readResults takes the array of comprehensions apart that query builds.
func readResults(results rego.ResultSet) ([]ast.Value, error) {
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return nil, fmt.Errorf("the query gave %d results instead of one", len(results))
	}
	term, ok := results[0].Expressions[0].Value.(*ast.Term)
	if !ok {
		return nil, fmt.Errorf("the query gave a %T", results[0].Expressions[0].Value)
	}
	all, ok := term.Value.(*ast.Array)
	if !ok {
		return nil, fmt.Errorf("the query gave %s", ast.ValueName(term.Value))
	}
	values := make([]ast.Value, all.Len())
	for i := range values {
		if one, ok := all.Elem(i).Value.(*ast.Array); ok && one.Len() == 1 {
			values[i] = one.Elem(0).Value
		}
	}
	return values, nil
}

// evaluationError is OPA's message with its place but without its codes.
func evaluationError(err error) string {
	var e *topdown.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return findingAt(e.Location, strings.Join(strings.Fields(e.Message), " ")).String()
}

func failure(ref retention.PackageRef, p Policy, err error) retention.Problem {
	return retention.Problem{
		Owner: ref.Owner, Package: ref.String(), Kind: retention.ProblemPolicy, Policy: p.Name,
		Detail: fmt.Sprintf("policy %s has no say here: %s; nothing of this package is deleted until it answers (%s)", p.Name, err, p.File),
	}
}

func compareDecisions(a, b retention.Decision) int {
	return cmp.Or(
		strings.Compare(a.Policy, b.Policy), strings.Compare(a.Rule, b.Rule),
		strings.Compare(string(a.Target), string(b.Target)), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Action, b.Action), strings.Compare(a.Reason, b.Reason),
		strings.Compare(string(a.Data), string(b.Data)),
	)
}
