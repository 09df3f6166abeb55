package report

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Policy is one policy as its METADATA describes it.
type Policy struct {
	Name        string             `json:"name"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Mode        retention.Mode     `json:"mode"`
	Severity    retention.Severity `json:"severity"`
	Params      map[string]any     `json:"params"` // with their defaults
	Source      string             `json:"source"` // builtin, or the file
}

// Policies lists policies.
type Policies []Policy

func (ps Policies) value() any {
	out := make([]Policy, len(ps))
	for i, p := range ps {
		if p.Params == nil {
			p.Params = map[string]any{}
		}
		out[i] = p
	}
	return struct {
		Schema   string   `json:"schema"`
		Policies []Policy `json:"policies"`
	}{"shelflife.policies/v1", out}
}

func (ps Policies) document() document {
	t := table{columns: []column{
		{name: "POLICY", code: true}, {name: "MODE"}, {name: "SEVERITY"}, {name: "TITLE", least: 10}, {name: "PARAMETERS", code: true, least: 10, drop: 1}, {name: "SOURCE", code: true, least: 7, drop: 2},
	}}
	for _, p := range ps {
		mode := cell{text: p.Mode.String(), tone: faint}
		if p.Mode == retention.Enforce {
			mode.tone = plain
		}
		t.rows = append(t.rows, []cell{text(p.Name), mode, text(string(p.Severity)), text(p.Title), text(paramsText(p.Params)), text(p.Source)})
	}
	return listing(t, "No policies: write policies: builtin in shelflife.yaml to use the shipped ones.", count(len(ps), "policy"))
}

// paramsText shows parameters as name=value, sorted by name.
func paramsText(params map[string]any) string {
	s := ""
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if s != "" {
			s += " "
		}
		s += name + "=" + compact(params[name])
	}
	return s
}

// compact shows a value as JSON on one line; what JSON cannot hold is named as such.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "(not a JSON value)"
	}
	return string(b)
}
