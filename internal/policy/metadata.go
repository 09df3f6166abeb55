package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/shelflife-dev/shelflife/internal/near"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Policy is what is known of one loaded policy without evaluating it.
type Policy struct {
	Name        string             `json:"name"` // the last part of its package, retention.<name>
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Mode        retention.Mode     `json:"mode"`
	Severity    retention.Severity `json:"severity"`
	Params      map[string]any     `json:"params"`               // defaults; numbers are json.Number
	ParamsDoc   map[string]string  `json:"params_doc,omitempty"` // what the parameters mean
	Scope       string             `json:"scope"`                // of the METADATA block: "package"
	File        string             `json:"file"`                 // where the METADATA is
	Line        int                `json:"line"`
	Files       []string           `json:"files"` // all of its files
	Builtin     bool               `json:"builtin"`

	// What the policy may answer, as far as its text tells; true where it
	// computes the action.
	CanDelete        bool `json:"can_delete"`
	CanRestore       bool `json:"can_restore"`
	CanDeletePackage bool `json:"can_delete_package"`
}

// defaultSeverity is that of a policy whose METADATA names none.
const defaultSeverity retention.Severity = "info"

var (
	policyName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	customNames = []string{"mode", "severity", "params", "params_doc"}
	retentions  = ast.MustParseRef("data.retention")
)

// policyNameOf returns the name of the policy that the module belongs to. ok is
// false for modules elsewhere; depth is the number of path elements below data.retention.
func policyNameOf(m *ast.Module) (name string, depth int, ok bool) {
	p := m.Package.Path
	if !p.HasPrefix(retentions) {
		return "", 0, false
	}
	depth = len(p) - len(retentions)
	if depth == 0 {
		return "", 0, true
	}
	return plain(p[len(retentions)].Value), depth, true
}

// readPolicies finds the policies among the parsed sources, tests left out.
func readPolicies(sources []source) ([]Policy, Findings) {
	var found Findings
	byName := map[string][]source{}
	for _, s := range sources {
		name, depth, ok := policyNameOf(s.module)
		switch {
		case !ok || s.isTest():
			continue
		case depth != 1:
			found.add(s.module.Package.Location,
				"a policy is a package directly below retention, as retention.expire_untagged; put helpers into a package outside retention")
		case !policyName.MatchString(name):
			found.add(s.module.Package.Location, "policy name %q is not in snake_case", name)
		default:
			byName[name] = append(byName[name], s)
		}
	}
	policies := make([]Policy, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		p, problems := readPolicy(name, byName[name])
		policies = append(policies, p)
		found = append(found, problems...)
	}
	return policies, found
}

func readPolicy(name string, sources []source) (Policy, Findings) {
	first := sources[0]
	p := Policy{
		Name: name, File: first.name, Line: first.module.Package.Location.Row,
		Severity: defaultSeverity, Params: map[string]any{}, Builtin: first.shipped,
	}
	var found Findings
	var metadata *ast.Annotations
	for _, s := range sources {
		p.Files = append(p.Files, s.name)
		if s.shipped != first.shipped {
			found.add(s.module.Package.Location,
				"policy %q is among the shipped ones already; give yours another name or switch the shipped ones off", name)
		}
		for _, a := range s.module.Annotations {
			if a.Scope == "package" {
				metadata = a // a second one is the compiler's error
			}
			found = append(found, checkSchemaAnnotations(a)...)
		}
	}
	found = append(found, readAnswers(&p, sources)...)
	if metadata == nil {
		found.add(first.module.Package.Location,
			"policy %q has no METADATA; put a block with title and description above its package line", name)
		return p, found
	}
	return p, append(found, readMetadata(&p, metadata)...)
}

func readMetadata(p *Policy, a *ast.Annotations) Findings {
	var found Findings
	p.Title, p.Description, p.Scope = a.Title, strings.TrimSpace(a.Description), a.Scope
	p.File, p.Line = a.Location.File, a.Location.Row
	if p.Title == "" {
		found.add(a.Location, "the METADATA of policy %q has no title", p.Name)
	}
	if p.Description == "" {
		found.add(a.Location, "the METADATA of policy %q has no description", p.Name)
	}
	for _, key := range slices.Sorted(maps.Keys(a.Custom)) {
		if err := readCustom(p, key, a.Custom[key]); err != nil {
			f := findingAt(a.Location, fmt.Sprintf("policy %q: %s", p.Name, err))
			f.Near = near.Names(key, customNames)
			found = append(found, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.ParamsDoc)) {
		if _, declared := p.Params[name]; !declared {
			f := unknownName(fmt.Sprintf("policy %q: params_doc is about a parameter that is none:", p.Name), name, slices.Sorted(maps.Keys(p.Params)))
			f.File, f.Line, f.Col = a.Location.File, a.Location.Row, a.Location.Col
			found = append(found, f)
		}
	}
	return found
}

// readCustom reads one entry of custom. Entries of the author's own are left
// alone unless they look like a slip of the pen.
func readCustom(p *Policy, key string, value any) error {
	switch key {
	case "mode":
		mode, err := retention.ParseMode(fmt.Sprint(value))
		if err != nil {
			return fmt.Errorf("custom.mode: %w", err)
		}
		p.Mode = mode
	case "severity":
		s := retention.Severity(fmt.Sprint(value))
		if !slices.Contains(retention.Severities(), s) {
			return fmt.Errorf("custom.severity %q is none of %v", s, retention.Severities())
		}
		p.Severity = s
	case "params":
		if value == nil {
			return nil
		}
		m, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("custom.params is %s, not an object of names and defaults", kindOf(value))
		}
		params, err := normalised(m)
		if err != nil {
			return fmt.Errorf("custom.params: %w", err)
		}
		p.Params = params
	case "params_doc":
		return readParamsDoc(p, value)
	default:
		if names := near.Names(key, customNames); len(names) > 0 {
			return fmt.Errorf("custom.%s is not known: %s", key, near.DidYouMean(names))
		}
	}
	return nil
}

// readParamsDoc reads what the parameters mean. Whether each is declared can't
// be said yet: the entries come in the order of their names.
func readParamsDoc(p *Policy, value any) error {
	m, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("custom.params_doc is %s, not an object of names and texts", kindOf(value))
	}
	p.ParamsDoc = make(map[string]string, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		text, ok := m[name].(string)
		if !ok {
			return fmt.Errorf("custom.params_doc.%s is %s and has to be a text", name, kindOf(m[name]))
		}
		p.ParamsDoc[name] = strings.TrimSpace(text)
	}
	return nil
}

// checkSchemaAnnotations refuses to loosen the type of the input: every input
// document follows the one schema, and only so are misspelt fields found.
func checkSchemaAnnotations(a *ast.Annotations) Findings {
	var found Findings
	for _, s := range a.Schemas {
		if len(s.Path) == 0 || !s.Path.HasPrefix(ast.InputRootRef) {
			continue
		}
		if len(s.Path) != 1 || !s.Schema.Equal(inputSchema) {
			found.add(a.Location, "the input has one schema; write schemas: - input: schema.input")
		}
	}
	return found
}
