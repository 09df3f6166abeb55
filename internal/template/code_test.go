package template

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/funcenv"
	"github.com/shelflife-dev/shelflife/internal/metrics"
)

// environmentOf is what the functions say that they read. What config reads for
// the enforcer besides is added here.
func environmentOf() map[string][]string {
	return map[string][]string{
		"EnforcerFunction": append(funcenv.Enforcer(), "GITHUB_API_URL", "SHELFLIFE_REGISTRY_URL"),
		"WebhookFunction":  funcenv.Webhook(),
	}
}

// sources are the files of a function and of all that it links of this module.
func sources(t *testing.T, function string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=Dir,GoFiles,Module", "../../functions/"+function).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var files []string
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			Dir     string
			GoFiles []string
			Module  *struct{ Main bool }
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || !p.Module.Main {
			continue
		}
		for _, f := range p.GoFiles {
			files = append(files, filepath.Join(p.Dir, f))
		}
	}
}

// selected are the names that files take from a package: X of metrics.X.
func selected(t *testing.T, files []string, pkg string) []string {
	t.Helper()
	var out []string
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if id, ok := s.X.(*ast.Ident); ok && id.Name == pkg && !slices.Contains(out, s.Sel.Name) {
					out = append(out, s.Sel.Name)
				}
			}
			return true
		})
	}
	return out
}

// constants are the string constants of a package's files.
func constants(t *testing.T, glob string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				for i, name := range v.Names {
					if i < len(v.Values) {
						if lit, ok := v.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING && v.Type == nil {
							out[name.Name] = strings.Trim(lit.Value, `"`)
						}
					}
				}
			}
		}
	}
	return out
}

// metricsOf are the metrics that each function names in its code, in the
// namespace that it writes to.
func metricsOf(t *testing.T) map[string][]string {
	t.Helper()
	names := constants(t, "../metrics/*.go")
	out := map[string][]string{}
	for _, function := range []string{"enforcer", "webhook"} {
		key := metrics.Namespace + "/" + function
		for _, s := range selected(t, sources(t, function), "metrics") {
			if name, ok := names[s]; ok && s != "Namespace" {
				out[key] = append(out[key], name)
			}
		}
		if len(out[key]) == 0 {
			t.Fatalf("the %s names no metric: the code has changed its form", function)
		}
	}
	return out
}

// A variable that is read, but not listed, could be forgotten in the template.
func TestFunctionsListEveryVariableTheyRead(t *testing.T) {
	listed := slices.Concat(funcenv.Enforcer(), funcenv.Webhook())
	names := constants(t, "../funcenv/*.go")
	if len(names) < 10 {
		t.Fatalf("only %v: the constants have changed their form", names)
	}
	for name, variable := range names {
		if !slices.Contains(listed, variable) {
			t.Errorf("%s (%s) is in no function's list", name, variable)
		}
	}
}
