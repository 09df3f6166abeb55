package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
	"golang.org/x/sync/errgroup"
)

var inputSchema = ast.SchemaRootRef.Append(ast.StringTerm("input"))

// set is a policy set that has been read, parsed and checked.
type set struct {
	files    files
	caps     *ast.Capabilities
	schemas  *ast.SchemaSet
	data     map[string]any // data.json without its params
	policies []Policy       // all of them, whatever Options.Only names
	layers   []layer
}

// readSet reads and parses everything and checks what can be checked before
// compiling. The error is for what keeps the check from being made at all.
func readSet(ctx context.Context, f files, o Options) (*set, Findings, error) {
	caps, err := readCapabilities(f.capabilities)
	if err != nil {
		return nil, nil, err
	}
	s := &set{files: f, caps: caps}
	if s.schemas, err = readSchemas(f.schema); err != nil {
		return nil, nil, err
	}
	if s.data, err = readData(f.data, o.Data); err != nil {
		return nil, nil, err
	}
	found := s.parse()
	if err := ctx.Err(); err != nil || len(found) > 0 {
		return s, found, err
	}
	found = s.checkLibraries()
	policies, problems := readPolicies(s.files.sources)
	s.policies = policies
	found = append(found, problems...)
	found = append(found, checkParamRefs(s.files.sources, policies)...)
	s.layers, problems = o.Params.layers(policies)
	found = append(found, problems...)
	for _, name := range o.Only {
		if !slices.ContainsFunc(policies, func(p Policy) bool { return p.Name == name }) {
			found = append(found, unknownName("there is no policy", name, namesOf(policies)))
		}
	}
	if len(found) == 0 && len(policies) == 0 {
		found = append(found, Finding{Message: "there are no policies; switch the shipped ones on or name a folder that holds some"})
	}
	return s, found.sorted(), nil
}

func namesOf(policies []Policy) []string {
	out := make([]string, len(policies))
	for i, p := range policies {
		out[i] = p.Name
	}
	return out
}

// readSchemas puts the schema in twice: for the annotations, and as the type of
// every input, so that a module without an annotation is checked too.
func readSchemas(text []byte) (*ast.SchemaSet, error) {
	var schema any
	if err := util.UnmarshalJSON(text, &schema); err != nil {
		return nil, fmt.Errorf("read the input schema: %w", err)
	}
	set := ast.NewSchemaSet()
	set.Put(inputSchema, schema)
	set.Put(ast.SchemaRootRef, schema)
	return set, nil
}

// readData merges data.json and the caller's documents. The parameters are the
// engine's own, and a document in the place of a package would replace rules.
func readData(shipped []byte, given map[string]any) (map[string]any, error) {
	out := map[string]any{}
	if len(shipped) > 0 {
		if err := json.Unmarshal(shipped, &out); err != nil {
			return nil, fmt.Errorf("read %s: %w", dataFile, err)
		}
		delete(out, "params")
	}
	for name, document := range given {
		if slices.Contains([]string{"params", "retention", "lib"}, name) {
			return nil, fmt.Errorf("a data document cannot be called %q; name it otherwise", name)
		}
		out[name] = document
	}
	return normalised(out)
}

// parse parses the sources, several at a time: it is a good part of what starting
// takes.
func (s *set) parse() Findings {
	of := make([]Findings, len(s.files.sources))
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for i := range s.files.sources {
		all.Go(func() error {
			src := &s.files.sources[i]
			if name, line := aliasInComments(src.text); line > 0 {
				of[i] = Findings{{File: src.name, Line: line, Message: fmt.Sprintf(noAliases, name)}}
				return nil
			}
			module, err := ast.ParseModuleWithOpts(src.name, string(src.text), ast.ParserOptions{
				ProcessAnnotation: true, Capabilities: s.caps, RegoVersion: ast.RegoV1,
			})
			if err != nil {
				of[i] = findingsOf(err)
			}
			src.module = module
			return nil
		})
	}
	_ = all.Wait() // what is wrong is a finding, not an error
	return slices.Concat(of...).sorted()
}

// checkLibraries keeps the user's modules out of the packages that the shipped
// ones use: rules of the same package would mix.
func (s *set) checkLibraries() Findings {
	shipped := map[string]source{}
	for _, src := range s.files.sources {
		if src.shipped && !src.isTest() {
			shipped[src.module.Package.Path.String()] = src
		}
	}
	var found Findings
	for _, src := range s.files.sources {
		path := src.module.Package.Path
		if src.shipped || src.isTest() {
			continue
		}
		_, _, isPolicy := policyNameOf(src.module)
		if by, taken := shipped[path.String()]; taken && !isPolicy {
			found.add(src.module.Package.Location, "%s is a shipped library (%s); give the package another name", path, by.name)
		}
		if path.HasPrefix(paramsData) {
			found.add(src.module.Package.Location, "%s is where the parameters are; give the package another name", path)
		}
	}
	return found
}

// compile compiles the modules, with or without their tests.
func (s *set) compile(withTests bool) (*ast.Compiler, map[string]*ast.Module, Findings) {
	caps := s.caps
	if withTests {
		caps = testCapabilities(caps)
	}
	modules := map[string]*ast.Module{}
	for _, src := range s.files.sources {
		if withTests || !src.isTest() {
			modules[src.name] = src.module
		}
	}
	compiler := newCompiler(caps, s.schemas, s.data)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, nil, findingsOf(compiler.Errors).sorted()
	}
	return compiler, modules, nil
}

func newCompiler(caps *ast.Capabilities, schemas *ast.SchemaSet, data map[string]any) *ast.Compiler {
	return ast.NewCompiler().
		WithCapabilities(caps).
		WithSchemas(schemas).
		WithUseTypeCheckAnnotations(true).
		WithStrict(true).
		WithDefaultRegoVersion(ast.RegoV1).
		WithPathConflictsCheck(func(path []string) (bool, error) { return hasPath(data, path), nil }).
		SetErrorLimit(0)
}

// hasPath reports whether a data document lies at the path of a package or rule.
func hasPath(data map[string]any, path []string) bool {
	var at any = data
	for _, p := range path {
		m, ok := at.(map[string]any)
		if !ok {
			return false
		}
		if at, ok = m[p]; !ok {
			return false
		}
	}
	return true
}
