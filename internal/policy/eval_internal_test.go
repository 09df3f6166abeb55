package policy

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/types"
)

func TestAPanicDuringEvaluationIsAnError(t *testing.T) {
	boom := &rego.Function{Name: "boom", Decl: types.NewFunction(types.Args(types.N), types.N)}
	query, err := rego.New(rego.Query("boom(1)"), rego.Function1(boom, func(rego.BuiltinContext, *ast.Term) (*ast.Term, error) {
		panic("out of luck")
	})).PrepareForEval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{timeLimit: time.Second}
	if _, err := e.eval(context.Background(), query, ast.InternedEmptyObjectValue); err == nil || !strings.Contains(err.Error(), "panicked: out of luck") {
		t.Errorf("error %v", err)
	}
}

func TestResultsOfAnotherShapeAreErrors(t *testing.T) {
	expression := func(v any) rego.ResultSet {
		return rego.ResultSet{{Expressions: []*rego.ExpressionValue{{Value: v}}}}
	}
	for name, results := range map[string]rego.ResultSet{
		"none":     nil,
		"two":      append(expression(1), expression(2)...),
		"no term":  expression(true),
		"no array": expression(ast.StringTerm("x")),
	} {
		t.Run(name, func(t *testing.T) {
			if values, err := readResults(results); err == nil {
				t.Errorf("values %v", values)
			}
		})
	}
}
