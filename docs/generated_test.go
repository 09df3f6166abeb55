package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestGeneratedPartsAreInStep(t *testing.T) {
	inStep(t, "policies.md", "input", inputTables(t))
	inStep(t, "policies.md", "catalogue", catalogue(t))
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

// catalogue is what shelflife policy docs writes.
func catalogue(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(build(t), "shelflife"), "policy", "docs")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("shelflife policy docs: %v", err)
	}
	return string(out)
}
