package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestGeneratedPartsAreInStep(t *testing.T) {
	parts := map[string]string{"input": inputTables(t), "catalogue": catalogue(t)}
	raw, err := os.ReadFile("policies.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	for name, want := range parts {
		begin, end := "<!-- generated: "+name+" -->\n", "<!-- end of generated: "+name+" -->"
		before, rest, ok := strings.Cut(doc, begin)
		got, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("docs/policies.md has no part %q between %q and %q", name, begin, end)
		}
		if diff := cmp.Diff(want, got); diff != "" && !*update {
			t.Errorf("docs/policies.md: the part %q is out of step (-want +got); go test ./docs -update writes it:\n%s", name, diff)
		}
		doc = before + begin + want + end + after
	}
	if *update {
		if err := os.WriteFile("policies.md", []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// schema is what is used of a JSON Schema.
type schema struct {
	Description string            `json:"description"`
	Type        any               `json:"type"`
	Enum        []string          `json:"enum"`
	Required    []string          `json:"required"`
	Properties  map[string]schema `json:"properties"`
	Items       *schema           `json:"items"`
}

func inputTables(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "policies", "schemas", "input.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| field | type | what |\n|---|---|---|\n")
	s.rows(&b, "")
	return b.String()
}

// rows writes the fields of an object, those of the objects in it after it.
func (s schema) rows(b *strings.Builder, prefix string) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		kind := p.kind()
		if !slices.Contains(s.Required, name) {
			kind += ", may be absent"
		}
		what := p.Description
		if len(p.Enum) > 0 {
			what = strings.TrimSuffix(what, ".") + ": `" + strings.Join(p.Enum, "`, `") + "`."
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", prefix, name, kind, cell(what))
		switch {
		case p.Properties != nil && prefix+name != "package.owner": // the same as owner
			p.rows(b, prefix+name+".")
		case p.Items != nil && p.Items.Properties != nil:
			p.Items.rows(b, prefix+name+"[].")
		}
	}
}

func (s schema) kind() string {
	switch v := s.Type.(type) {
	case string:
		if v == "array" && s.Items != nil {
			return "array of " + s.Items.kind() + "s"
		}
		return v
	case []any:
		var words []string
		for _, w := range v {
			words = append(words, fmt.Sprint(w))
		}
		return strings.Join(words, " or ")
	}
	return "any"
}

// cell makes a text fit for a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

// metadata is what is used of the METADATA of a policy.
type metadata struct {
	Title       string
	Description string
	Custom      struct {
		Mode      string
		Severity  string
		Params    map[string]any
		ParamsDoc map[string]string `yaml:"params_doc"`
	}
}

func catalogue(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "policies", "retention", "*", "*.rego"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no shipped policies: %v", err)
	}
	var b strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.rego") {
			continue
		}
		m := readMetadata(t, file)
		fmt.Fprintf(&b, "### %s\n\n%s. Mode `%s`, severity `%s`.\n\n%s\n\n",
			strings.TrimSuffix(filepath.Base(file), ".rego"), m.Title, m.Custom.Mode, m.Custom.Severity, strings.TrimSpace(m.Description))
		if len(m.Custom.Params) == 0 {
			b.WriteString("No parameters.\n\n")
			continue
		}
		b.WriteString("| parameter | default | what |\n|---|---|---|\n")
		for _, name := range slices.Sorted(maps.Keys(m.Custom.Params)) {
			value, err := json.Marshal(m.Custom.Params[name])
			if err != nil {
				t.Fatal(err)
			}
			if m.Custom.ParamsDoc[name] == "" {
				t.Errorf("%s: params_doc says nothing of %s", file, name)
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", name, cell(string(value)), cell(m.Custom.ParamsDoc[name]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// readMetadata reads the METADATA block above a file's package line.
func readMetadata(t *testing.T, file string) metadata {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(raw), "\npackage ")
	_, block, ok2 := strings.Cut(head, "# METADATA\n")
	if !ok || !ok2 {
		t.Fatalf("%s: no METADATA above its package", file)
	}
	var text strings.Builder
	for line := range strings.Lines(block) {
		text.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, "#"), " "))
	}
	var m metadata
	if err := yaml.Unmarshal([]byte(text.String()), &m); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return m
}
