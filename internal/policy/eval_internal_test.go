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

func TestEditDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "", 3}, {"tgged", "tagged", 1},
		{"taged", "tagged", 1}, {"tagegd", "tagged", 1}, {"kitten", "sitting", 3}, {"abc", "xyz", 3},
	} {
		if got := editDistance(tc.a, tc.b); got != tc.want {
			t.Errorf("from %q to %q: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestNearNamesAreFewAndNearestFirst(t *testing.T) {
	got := strings.Join(nearNames("rank_taged", []string{"rank", "rank_tagged", "rank_root", "rank_untagged", "rank_target", "tagged", "rank_taged"}), " ")
	if got != "rank_tagged rank_target rank_untagged" {
		t.Errorf("near names %s", got)
	}
	if got := nearNames("x", []string{"older_than_days", "tags"}); got != nil {
		t.Errorf("near names %v", got)
	}
}
