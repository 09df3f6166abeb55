package policy

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Names that policies know time by. Whatever else tells the time is told apart
// from it by nothing.
const instantKey = "evaluated_at"

var ageKeys = []string{"age_days", "idle_days", "restorable_days"}

// unwatchable says why what a module makes of ages can't be seen in the calls of
// builtins alone; "" when it can. Most of it has to do with numbers that are met
// without a call: in patterns, and by =.
func unwatchable(m *ast.Module, builtins map[string]*ast.Builtin) string {
	l := &look{builtins: builtins, names: map[string]bool{}}
	for _, i := range m.Imports {
		if path, ok := i.Path.Value.(ast.Ref); ok && path[0].Equal(ast.InputRootDocument) {
			l.say("it imports from input")
		}
		l.names[string(i.Name())] = true
	}
	for _, r := range m.Rules {
		l.names[plain(r.Head.Ref()[0].Value)] = true
		if slices.ContainsFunc(r.Head.Args, hasNumber) {
			l.say("a function matches a number")
		}
	}
	ast.NewGenericVisitor(l.visit).Walk(m)
	return l.why
}

// look goes through one module.
type look struct {
	builtins map[string]*ast.Builtin
	names    map[string]bool // of rules and imports
	why      string          // the first thing found
}

func (l *look) say(why string) bool {
	if l.why == "" {
		l.why = why
	}
	return true
}

func (l *look) visit(x any) bool {
	switch x := x.(type) {
	case *ast.Import:
		return true
	case *ast.TemplateString:
		return l.say("it has a template string")
	case *ast.Expr:
		if x.IsEquality() {
			return l.say("it unifies with =")
		}
		if x.IsAssignment() && hasNumber(x.Operand(0)) {
			return l.say("a pattern holds a number")
		}
		if op := x.Operator(); op != nil && shadowed(op, l.names, l.builtins) {
			return l.say("it names something like a builtin")
		}
	case *ast.SomeDecl:
		for _, s := range x.Symbols {
			if call, ok := s.Value.(ast.Call); ok && slices.ContainsFunc(call[1:len(call)-1], hasNumber) {
				return l.say("a pattern holds a number")
			}
		}
	case ast.Call:
		if op, ok := x[0].Value.(ast.Ref); ok && shadowed(op, l.names, l.builtins) {
			return l.say("it names something like a builtin")
		}
	case ast.Ref:
		return l.visitRef(x)
	case ast.String:
		if string(x) == instantKey {
			return l.say("it reads input.evaluated_at")
		}
	}
	return false
}

func (l *look) visitRef(r ast.Ref) bool {
	if !r[0].Equal(ast.InputRootDocument) {
		return false
	}
	if len(r) == 1 {
		return l.say("it takes input as a whole")
	}
	if _, ok := r[1].Value.(ast.String); !ok {
		return l.say("it computes what it reads of input")
	}
	return false
}

func shadowed(op ast.Ref, names map[string]bool, builtins map[string]*ast.Builtin) bool {
	return builtins[op.String()] != nil && names[plain(op[0].Value)]
}

// hasNumber reports whether a pattern holds a number.
func hasNumber(t *ast.Term) bool {
	if t == nil {
		return false
	}
	found := false
	ast.WalkTerms(t, func(t *ast.Term) bool {
		if _, ok := t.Value.(ast.Ref); ok {
			return true // an index there picks, it doesn't match
		}
		_, number := t.Value.(ast.Number)
		found = found || number
		return found
	})
	return found
}

// mentionsAges reports whether a module names an age.
func mentionsAges(m *ast.Module) bool {
	found := false
	ast.WalkTerms(m, func(t *ast.Term) bool {
		s, ok := t.Value.(ast.String)
		found = found || ok && slices.Contains(ageKeys, string(s))
		return found
	})
	return found
}

// readsOwnDecisions reports whether a rule of the module looks at its decisions:
// their reasons may hold ages.
func readsOwnDecisions(m *ast.Module) bool {
	found := false
	for _, r := range m.Rules {
		ast.WalkVars(r.Body, func(v ast.Var) bool {
			found = found || string(v) == decisionsRule
			return found
		})
	}
	return found
}

// references lists what a module refers to below data, as far as it is constant.
func references(m *ast.Module) []ast.Ref {
	var out []ast.Ref
	add := func(r ast.Ref) {
		if r[0].Equal(ast.DefaultRootDocument) {
			out = append(out, r.ConstantPrefix())
		}
	}
	for _, i := range m.Imports {
		if r, ok := i.Path.Value.(ast.Ref); ok {
			add(r)
		}
	}
	ast.WalkRefs(m.Rules, func(r ast.Ref) bool {
		add(r)
		return false
	})
	return out
}

// closure is a module with all that it refers to, directly or not.
func closure(of []*ast.Module, all []*ast.Module) []*ast.Module {
	seen := map[*ast.Module]bool{}
	var out []*ast.Module
	todo := slices.Clone(of)
	for len(todo) > 0 {
		m := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[m] {
			continue
		}
		seen[m] = true
		out = append(out, m)
		for _, ref := range references(m) {
			for _, other := range all {
				if path := other.Package.Path; ref.HasPrefix(path) || path.HasPrefix(ref) {
					todo = append(todo, other)
				}
			}
		}
		for _, other := range all { // the same package in another file
			if other.Package.Path.Equal(m.Package.Path) {
				todo = append(todo, other)
			}
		}
	}
	return out
}

// rewriter gives the builtins of a module their watched names.
type rewriter struct {
	builtins map[string]*ast.Builtin
	days     map[string]bool    // names of the library's function for reasons
	texts    map[*ast.Expr]bool // make nothing but a reason
	reasons  map[*ast.Term]bool // the same, in the head of a rule
	library  bool               // the module is that library
}

// watchedModule is a copy of a module whose builtins note what they are asked.
func watchedModule(m *ast.Module, builtins map[string]*ast.Builtin) *ast.Module {
	m = m.Copy()
	r := &rewriter{builtins: builtins, days: map[string]bool{}, texts: map[*ast.Expr]bool{}, reasons: map[*ast.Term]bool{}}
	library := ast.MustParseRef("data.lib.versions")
	r.library = m.Package.Path.Equal(library)
	r.days["data.lib.versions.days"] = true
	for _, i := range m.Imports {
		if path, ok := i.Path.Value.(ast.Ref); ok && path.Equal(library) {
			r.days[string(i.Name())+".days"] = true
		}
	}
	if _, _, ok := policyNameOf(m); ok {
		for _, rule := range m.Rules {
			r.findReasons(rule)
		}
	}
	ast.NewGenericVisitor(r.visit).Walk(m)
	return m
}

func (r *rewriter) visit(x any) bool {
	switch x := x.(type) {
	case *ast.Package, *ast.Import, *ast.Annotations:
		return true
	case *ast.Rule:
		// It is called for reasons only: anywhere else, the call is another one.
		return r.library && plain(x.Head.Ref()[0].Value) == "days"
	case *ast.Term:
		return r.reasons[x]
	case *ast.Expr:
		if r.texts[x] {
			return true
		}
		if terms, ok := x.Terms.([]*ast.Term); ok {
			r.rename(terms)
		}
	case *ast.SomeDecl:
		for _, s := range x.Symbols {
			if call, ok := s.Value.(ast.Call); ok {
				for _, t := range call[1:] {
					ast.NewGenericVisitor(r.visit).Walk(t)
				}
			}
		}
		return true
	case ast.Call:
		r.rename(x)
	}
	return false
}

func (r *rewriter) rename(terms []*ast.Term) {
	op, ok := terms[0].Value.(ast.Ref)
	if !ok {
		return
	}
	name := op.String()
	if r.days[name] {
		name = "floor"
	} else if r.builtins[name] == nil || watcherOf(name) == nil || name == "equal" && slices.ContainsFunc(terms[1:], neverNumber) {
		return
	}
	terms[0] = ast.NewTerm(ast.Ref{ast.VarTerm(watchedName(name))}).SetLocation(terms[0].Location)
}

// neverNumber reports whether a term is written as something else than a number.
func neverNumber(t *ast.Term) bool {
	switch t.Value.(type) {
	case ast.String, ast.Boolean, ast.Null:
		return true
	}
	return false
}

// findReasons finds what makes the reason of a decision and nothing else: what
// it says of an age changes with time, and changes no decision.
func (r *rewriter) findReasons(rule *ast.Rule) {
	if plain(rule.Head.Ref()[0].Value) != decisionsRule || rule.Head.Key == nil {
		return
	}
	answer, ok := rule.Head.Key.Value.(ast.Object)
	if !ok {
		return
	}
	reason := answer.Get(ast.StringTerm("reason"))
	if reason == nil {
		return
	}
	if v, ok := reason.Value.(ast.Var); ok {
		r.findReason(rule, v)
	} else if r.onlyText(reason) {
		r.reasons[reason] = true
	}
}

// findReason finds the assignment of a variable that is used in the head only.
func (r *rewriter) findReason(rule *ast.Rule, v ast.Var) {
	uses := 0
	ast.WalkVars(rule, func(w ast.Var) bool {
		if w == v {
			uses++
		}
		return false
	})
	if uses != 2 { // once in the head, once assigned
		return
	}
	for _, e := range rule.Body {
		if e.IsAssignment() && e.Operand(0).Value.Compare(v) == 0 && len(e.With) == 0 && !e.Negated && r.onlyText(e.Operand(1)) {
			r.texts[e] = true
		}
	}
}

// textBuiltins give a result for every number.
var textBuiltins = []string{"sprintf", "concat", "floor", "ceil", "round", "abs", "plus", "minus", "mul", "format_int"}

// onlyText reports whether every call in a term has a result whatever an age is.
func (r *rewriter) onlyText(t *ast.Term) bool {
	ok := true
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension:
			ok = false
		case ast.Call:
			op := x[0].Value.String()
			ok = ok && (r.days[op] || slices.Contains(textBuiltins, op))
		}
		return !ok
	}).Walk(t)
	return ok
}

// policyOf names the policy that a module belongs to, "" for a library.
func policyOf(m *ast.Module) string {
	name, _, ok := policyNameOf(m)
	if !ok {
		return ""
	}
	return strings.TrimSpace(name)
}
