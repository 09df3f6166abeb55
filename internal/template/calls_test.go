package template

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// calls are the operations of AWS that files name in the interfaces through which
// they call it: GetItem(context.Context, *dynamodb.GetItemInput, …). A client's
// own methods are called through these alone.
func calls(t *testing.T, files []string) []string {
	t.Helper()
	var out []string
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		services := map[string]string{}
		for _, i := range f.Imports {
			name := strings.Trim(i.Path.Value, `"`)
			if service, ok := strings.CutPrefix(name, "github.com/aws/aws-sdk-go-v2/service/"); ok && !strings.Contains(service, "/") {
				local := path.Base(name)
				if i.Name != nil {
					local = i.Name.Name
				}
				services[local] = service
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			m, ok := n.(*ast.InterfaceType)
			if !ok {
				return true
			}
			for _, method := range m.Methods.List {
				if call := operation(method, services); call != "" && !slices.Contains(out, call) {
					out = append(out, call)
				}
			}
			return true
		})
	}
	slices.Sort(out)
	if len(out) < 10 {
		t.Fatalf("only %v: the interfaces have changed their form", out)
	}
	return out
}

func operation(method *ast.Field, services map[string]string) string {
	f, ok := method.Type.(*ast.FuncType)
	if !ok || len(method.Names) != 1 {
		return ""
	}
	for _, p := range f.Params.List {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		sel, ok := star.X.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		pkg, ok := sel.X.(*ast.Ident)
		name := method.Names[0].Name
		if ok && services[pkg.Name] != "" && sel.Sel.Name == name+"Input" {
			return services[pkg.Name] + ":" + name
		}
	}
	return ""
}
