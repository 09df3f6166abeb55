package policy

import (
	"context"
	"errors"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// watchedName is the name of the builtin that notes what another one is asked. It
// has no dot: a part of a name that is a keyword would be written otherwise.
func watchedName(builtin string) string { return "watched_" + strings.ReplaceAll(builtin, ".", "_") }

// watching says what a builtin did about ages: it notes what the result depends
// on, and returns the result, written as an age where it is one.
type watching func(m *moments, operands []*ast.Term, result *ast.Term) *ast.Term

// watcherOf returns how a builtin is watched, nil where it needs no watching: it
// treats numbers as things, whatever they say.
func watcherOf(name string) watching {
	switch name {
	case "gt", "gte", "lt", "lte", "equal", "neq":
		return watchComparison
	case "plus":
		return watchSum(1)
	case "minus":
		return watchSum(-1)
	case "sort", "max", "min":
		return watchOrder
	case "internal.member_2", "internal.member_3":
		return watchMember
	case "and", "or", "intersection", "union", "array.slice", "object.get":
		return watchMembers
	case "count", "array.concat", "array.reverse", "object.keys", "object.union", "object.union_n",
		"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name",
		"walk", "print", "internal.print", "assign", "eq", "rego.metadata.chain", "rego.metadata.rule":
		return nil
	}
	return watchOther
}

func watchComparison(m *moments, operands []*ast.Term, result *ast.Term) *ast.Term {
	m.compared(operands[0].Value, operands[1].Value)
	return result
}

// watchSum lets an age stay one when a fixed number is added or taken away, and
// the difference of two ages be a fixed number.
func watchSum(sign int) watching {
	return func(m *moments, operands []*ast.Term, result *ast.Term) *ast.Term {
		a, aok := readClocked(operands[0].Value)
		b, bok := readClocked(operands[1].Value)
		if !aok || !bok {
			return watchMembers(m, operands, result)
		}
		n, isNumber := result.Value.(ast.Number)
		if !madeOfAges(numberOf(operands[0])) && !madeOfAges(numberOf(operands[1])) {
			return result
		}
		sum, known := write(n, a.slope+sign*b.slope)
		if !isNumber || !known {
			m.unclear = true
			return result
		}
		return ast.NewTerm(sum)
	}
}

func numberOf(t *ast.Term) ast.Number {
	n, _ := t.Value.(ast.Number)
	return n
}

// watchOrder lets ages be sorted among themselves: their order never changes.
func watchOrder(m *moments, operands []*ast.Term, result *ast.Term) *ast.Term {
	if !hasAge(operands[0].Value) {
		return result
	}
	switch list := operands[0].Value.(type) {
	case *ast.Array:
		m.unclear = m.unclear || !ordered(list.Sorted())
	case ast.Set:
		m.unclear = m.unclear || !ordered(list.Sorted())
	default:
		m.unclear = true
	}
	return result
}

// watchMember is for x in xs: an age could equal a member at one instant and not
// at another.
func watchMember(m *moments, operands []*ast.Term, result *ast.Term) *ast.Term {
	for i := range len(operands) - 1 {
		switch v := operands[i].Value.(type) {
		case ast.String, ast.Boolean, ast.Null:
		case ast.Number:
			if madeOfAges(v) || holdsAge(operands[len(operands)-1].Value) {
				m.unclear = true
			}
		default:
			m.unclear = m.unclear || hasAge(v)
		}
	}
	return result
}

// watchMembers is for builtins that look for equal members.
func watchMembers(m *moments, operands []*ast.Term, result *ast.Term) *ast.Term {
	for _, o := range operands {
		m.unclear = m.unclear || isAge(o) || holdsAge(o.Value)
	}
	return result
}

// holdsAge reports whether one of the members of a set or an array is an age.
func holdsAge(v ast.Value) bool {
	switch v := v.(type) {
	case ast.Set:
		return v.Until(isAge)
	case *ast.Array:
		return v.Until(isAge)
	}
	return false
}

func isAge(t *ast.Term) bool {
	return madeOfAges(numberOf(t))
}

// watchOther is for all other builtins: what they make of an age is not known.
func watchOther(m *moments, operands []*ast.Term, result *ast.Term) *ast.Term {
	for _, o := range operands {
		m.unclear = m.unclear || hasAge(o.Value)
	}
	return result
}

type momentsKey struct{}

func withMoments(ctx context.Context, m *moments) context.Context {
	return context.WithValue(ctx, momentsKey{}, m)
}

// watchedBuiltin is a builtin under its watched name.
func watchedBuiltin(b *ast.Builtin) *ast.Builtin {
	out := *b
	out.Name, out.Infix = watchedName(b.Name), ""
	return &out
}

// implement makes the option that runs a watched builtin.
func implement(b *ast.Builtin) func(*rego.Rego) {
	work, watch := topdown.GetBuiltin(b.Name), watcherOf(b.Name)
	return rego.FunctionDyn(&rego.Function{Name: watchedName(b.Name), Decl: b.Decl}, func(bctx rego.BuiltinContext, operands []*ast.Term) (*ast.Term, error) {
		m, ok := bctx.Context.Value(momentsKey{}).(*moments)
		if !ok || work == nil {
			return nil, errors.New("it is not being watched")
		}
		var result *ast.Term
		err := work(bctx, operands, func(t *ast.Term) error {
			result = t
			return nil
		})
		if err != nil || result == nil {
			watchOther(m, operands, nil) // whether it fails may depend on an age
			return nil, err
		}
		return watch(m, operands, result), nil
	})
}
