package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/report"
)

func (a *app) policyDocsCommand() *cobra.Command {
	var f policyFlags
	c := &cobra.Command{
		Use:   "docs",
		Short: "Write the catalogue of the policies from their METADATA",
		Long: `Write the catalogue of the policies as Markdown: what each does, its mode and
severity, and its parameters with their types, defaults and meaning (params_doc
in the METADATA). With --format json, the same as data.`,
		Example: "  shelflife policy docs > policies.md\n  shelflife policy docs --path ./policies",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			opts, cfg, err := a.policyOptions(c.Context(), f)
			if err != nil {
				return err
			}
			engine, err := loadPolicies(c.Context(), cfg, opts)
			if err != nil {
				return err
			}
			list := engine.Policies()
			slices.SortFunc(list, func(x, y policy.Policy) int { return strings.Compare(x.Name, y.Name) })
			if a.format == report.FormatJSON.String() {
				return a.show(report.Grid{Document: catalogueDocument(list)})
			}
			_, err = fmt.Fprint(a.out, catalogue(list))
			return err
		},
	}
	f.flag(c)
	return c
}

// documentedParam is one parameter in the catalogue.
type documentedParam struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default any    `json:"default"`
	Doc     string `json:"doc"`
}

func documentedParams(p policy.Policy) []documentedParam {
	out := []documentedParam{}
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		out = append(out, documentedParam{Name: name, Type: paramType(p.Params[name]), Default: p.Params[name], Doc: p.ParamsDoc[name]})
	}
	return out
}

// paramType says what may be written in place of a default.
func paramType(def any) string {
	switch v := def.(type) {
	case nil:
		return "anything"
	case bool:
		return "true or false"
	case string:
		return "text"
	case []any:
		if len(v) > 0 {
			return "list of " + paramType(v[0])
		}
		return "list"
	case map[string]any:
		return "group of keys"
	}
	return "number"
}

func catalogueDocument(list []policy.Policy) any {
	type entry struct {
		Name        string            `json:"name"`
		Title       string            `json:"title"`
		Description string            `json:"description"`
		Mode        string            `json:"mode"`
		Severity    string            `json:"severity"`
		Params      []documentedParam `json:"params"`
	}
	out := []entry{}
	for _, p := range list {
		out = append(out, entry{p.Name, p.Title, p.Description, p.Mode.String(), string(p.Severity), documentedParams(p)})
	}
	return struct {
		Schema   string  `json:"schema"`
		Policies []entry `json:"policies"`
	}{"shelflife.policy-docs/v1", out}
}

func catalogue(list []policy.Policy) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "### %s\n\n%s. Mode `%s`, severity `%s`.\n\n%s\n\n", p.Name, plainText(p.Title), p.Mode, p.Severity, plainText(p.Description))
		params := documentedParams(p)
		if len(params) == 0 {
			b.WriteString("No parameters.\n\n")
			continue
		}
		b.WriteString("| parameter | type | default | what |\n|---|---|---|---|\n")
		for _, param := range params {
			text, err := json.Marshal(param.Default)
			if err != nil {
				text = []byte("(not a JSON value)")
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", report.Code(param.Name), param.Type, report.Code(string(text)), oneLine(plainText(param.Doc)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// plainText shows what an author wrote, line by line. Of Markdown it leaves only
// spans of code: policies come from others too, and what they say must neither link,
// load or call somebody, nor be obeyed by a terminal.
func plainText(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i, line := range lines {
		parts := strings.Split(line, "`")
		if len(parts)%2 == 0 { // a span that does not end here is none
			lines[i] = report.Prose(line)
			continue
		}
		for j, part := range parts {
			if j%2 == 1 {
				parts[j] = report.Code(part)
			} else {
				parts[j] = report.Prose(part)
			}
		}
		lines[i] = strings.Join(parts, "")
	}
	return strings.Join(lines, "\n")
}

// oneLine makes a text fit for a cell of a Markdown table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
