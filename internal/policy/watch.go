package policy

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Watch is a judge of one package over time: its answers are those of Decide, and
// beside them it says until when the same questions have the same answers. It
// finds that out from the comparisons of ages that an evaluation makes, so it is
// exact; where it can't (input.evaluated_at, arithmetic on ages, a policy that
// fails) answers hold for their instant only. It is for one goroutine.
type Watch struct {
	engine *Engine
	free   map[uint64][]retention.Decision // what no age has a part in, by state of the package
	until  time.Time                       // of the answers since Reset
	limit  bool
}

// maxStates bounds of how many states of its package a Watch remembers something:
// those before and after a plan, and a few more.
const maxStates = 8

// NewWatch returns a Watch for one package.
func (e *Engine) NewWatch() *Watch {
	return &Watch{engine: e, free: map[uint64][]retention.Decision{}}
}

// Reset forgets until when earlier answers hold.
func (w *Watch) Reset() { w.until, w.limit = time.Time{}, false }

// Holds reports whether the answers given since Reset, and whatever follows from
// them alone, are the same at a later instant. Their reasons may name other ages.
func (w *Watch) Holds(at time.Time) bool { return !w.limit || at.Before(w.until) }

// Ends notes an instant at which something else than the answers changes.
func (w *Watch) Ends(at time.Time) {
	if !w.limit || at.Before(w.until) {
		w.until, w.limit = at, true
	}
}

// NeedsDeleted reports whether some policy may restore.
func (w *Watch) NeedsDeleted() bool { return w.engine.NeedsDeleted() }

// Decide answers as Engine.Decide does.
func (w *Watch) Decide(ctx context.Context, req Request) (retention.Judgement, error) {
	set := w.engine.watched()
	if set == nil || len(set.opaque) > 0 {
		w.Ends(req.EvaluatedAt)
		return w.engine.Decide(ctx, req)
	}
	j, ok, err := w.decide(ctx, set, req)
	if err != nil || ok {
		return j, err
	}
	w.Ends(req.EvaluatedAt) // a policy failed: Decide says how
	return w.engine.Decide(ctx, req)
}

func (w *Watch) decide(ctx context.Context, set *watchedSet, req Request) (j retention.Judgement, ok bool, err error) {
	j.EvaluatedAt = req.EvaluatedAt
	if err := ctx.Err(); err != nil {
		return j, false, fmt.Errorf("decide about %s: %w", req.Inventory.Ref(), err)
	}
	p, err := set.program(ctx, w.engine, req.Inventory.Ref())
	if err != nil {
		return j, false, nil //nolint:nilerr // Decide meets the same error, and says it in the usual words
	}
	input := NewInput(req).value(&terms{clocked: true})
	state := stateOf(req.Inventory)
	free, known := w.free[state]
	if !known {
		var m *moments
		if free, m, ok = w.engine.ask(ctx, p.free, set.free, input, req.Inventory); !ok {
			return j, false, ctx.Err()
		}
		if m.unclear || m.days >= 0 {
			w.note(m, req.EvaluatedAt)
		} else {
			if len(w.free) == maxStates {
				clear(w.free)
			}
			w.free[state] = free
		}
	}
	timed, m, ok := w.engine.ask(ctx, p.timed, set.timed, input, req.Inventory)
	if !ok {
		return j, false, ctx.Err()
	}
	w.note(m, req.EvaluatedAt)
	if slices.ContainsFunc(free, looksClocked) || slices.ContainsFunc(timed, looksClocked) {
		j, err := w.engine.Decide(ctx, req)
		return j, true, err
	}
	j.Decisions = slices.Concat(free, timed)
	slices.SortFunc(j.Decisions, compareDecisions)
	return j, true, nil
}

func (w *Watch) note(m *moments, at time.Time) {
	if until := m.until(at); !until.IsZero() {
		w.Ends(until)
	}
}

// clockedText is a number as ages are written while they are watched.
var clockedText = regexp.MustCompile(`[0-9]e[+-]?0`)

// looksClocked reports whether the words of a decision may hold such a number.
func looksClocked(d retention.Decision) bool {
	return clockedText.MatchString(d.Reason) || clockedText.Match(d.Data)
}

// ask evaluates some of the policies and watches; ok is false where one of them
// did not answer as the contract asks.
func (e *Engine) ask(ctx context.Context, query rego.PreparedEvalQuery, which []int, input ast.Value, inv retention.Inventory) ([]retention.Decision, *moments, bool) {
	m := newMoments()
	if len(which) == 0 {
		return nil, m, true
	}
	values, err := e.eval(withMoments(ctx, m), query, input)
	if err != nil || len(values) != len(which) {
		return nil, m, false
	}
	reader := newAnswerReader(inv)
	var out []retention.Decision
	for i, v := range values {
		decisions, err := reader.read(e.policies[which[i]], answer{value: v})
		if err != nil {
			return nil, m, false
		}
		out = append(out, decisions...)
	}
	return out, m, true
}

// stateOf identifies what a package looks like apart from its ages, among the
// states that one reading of it goes through.
func stateOf(inv retention.Inventory) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(inv.Package.State))
	var b [9]byte
	for _, v := range inv.Versions {
		binary.LittleEndian.PutUint64(b[:], uint64(v.ID))
		b[8] = 0
		if v.IsActive() {
			b[8] = 1
		}
		_, _ = h.Write(b[:])
	}
	return h.Sum64()
}

// watchedSet is the policy set compiled so that its builtins note what they are
// asked. The policies are named by their places in Engine.policies.
type watchedSet struct {
	free   []int // in which no age has a part, as far as their text tells
	timed  []int
	opaque []int // what they make of ages can't be seen
	why    map[string]string

	compiler   *ast.Compiler
	implements []func(*rego.Rego)
	mu         sync.Mutex
	programs   map[string]*watchedProgram
}

type watchedProgram struct{ free, timed rego.PreparedEvalQuery }

// watched compiles the set once, when it is first asked for; nil when that fails:
// then nothing is known of how long an answer holds.
func (e *Engine) watched() *watchedSet {
	e.watchOnce.Do(func() {
		if set, err := e.newWatchedSet(); err == nil {
			e.watchSet = set
		}
	})
	return e.watchSet
}

func (e *Engine) newWatchedSet() (*watchedSet, error) {
	builtins := map[string]*ast.Builtin{}
	caps := *e.source.caps
	caps.Builtins = slices.Clone(caps.Builtins)
	out := &watchedSet{why: map[string]string{}, programs: map[string]*watchedProgram{}}
	for _, b := range e.source.caps.Builtins {
		if builtins[b.Name] = b; watcherOf(b.Name) != nil && !b.Relation {
			caps.Builtins = append(caps.Builtins, watchedBuiltin(b))
			out.implements = append(out.implements, implement(b))
		}
	}
	var plainModules []*ast.Module
	modules := map[string]*ast.Module{}
	for _, s := range e.source.files.sources {
		if !s.isTest() {
			plainModules = append(plainModules, s.module)
			modules[s.name] = watchedModule(s.module, builtins)
		}
	}
	for i, p := range e.policies {
		switch why := e.whyOpaque(p, plainModules, builtins); {
		case why != "":
			out.opaque, out.why[p.Name] = append(out.opaque, i), why
		case slices.ContainsFunc(closure(modulesOf(p.Name, plainModules), plainModules), mentionsAges):
			out.timed = append(out.timed, i)
		default:
			out.free = append(out.free, i)
		}
	}
	out.compiler = newCompiler(&caps, e.source.schemas, e.source.data)
	if out.compiler.Compile(modules); out.compiler.Failed() {
		return nil, fmt.Errorf("compile the watched policies: %w", out.compiler.Errors)
	}
	return out, nil
}

func modulesOf(policy string, all []*ast.Module) []*ast.Module {
	var out []*ast.Module
	for _, m := range all {
		if policyOf(m) == policy {
			out = append(out, m)
		}
	}
	return out
}

// whyOpaque says why the answers of a policy can't be followed over time.
func (e *Engine) whyOpaque(p Policy, all []*ast.Module, builtins map[string]*ast.Builtin) string {
	for _, m := range closure(modulesOf(p.Name, all), all) {
		other := policyOf(m)
		switch why := unwatchable(m, builtins); {
		case why != "":
			return why + " (" + m.Package.Location.File + ":" + strconv.Itoa(m.Package.Location.Row) + ")"
		case other != "" && other != p.Name && mentionsAges(m):
			return "it asks policy " + other + ", which reads ages"
		case other == p.Name && readsOwnDecisions(m):
			return "it reads its own decisions"
		}
	}
	return ""
}

func (s *watchedSet) program(ctx context.Context, e *Engine, ref retention.PackageRef) (*watchedProgram, error) {
	key, params := effective(e.all, e.layers, ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.programs[key]; ok {
		return p, nil
	}
	values := params()
	prepare := func(which []int) (rego.PreparedEvalQuery, error) {
		var list []Policy
		for _, i := range which {
			list = append(list, e.policies[i])
		}
		return e.prepare(ctx, s.compiler, values, list, s.implements...)
	}
	p := &watchedProgram{}
	var err error
	if p.free, err = prepare(s.free); err == nil {
		p.timed, err = prepare(s.timed)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare the watched policies: %w", err)
	}
	s.programs[key] = p
	return p, nil
}
