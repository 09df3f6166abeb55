package template

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a parsed template. Values are as encoding/json would give them;
// the short forms of functions (!Ref, !GetAtt) are written out: {"Ref": …},
// {"Fn::GetAtt": …}.
type Template struct {
	Parameters map[string]any
	Conditions map[string]any
	Globals    any
	Resources  map[string]Resource
	Outputs    map[string]any
	// Order and ParameterOrder hold the names as they stand in the file.
	Order, ParameterOrder []string
}

// Resource is one resource of a template.
type Resource struct {
	Name       string
	Type       string
	Condition  string // "" when it is always made
	Properties any
	All        map[string]any // with Properties, Metadata and policies of deletion
}

// Load reads a template from a file.
func Load(path string) (Template, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Template{}, err
	}
	return Parse(raw)
}

// Parse reads a template.
func Parse(raw []byte) (Template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return Template{}, fmt.Errorf("parse the template: %w", err)
	}
	if len(doc.Content) != 1 {
		return Template{}, errors.New("parse the template: it is empty")
	}
	v, err := value(doc.Content[0])
	if err != nil {
		return Template{}, fmt.Errorf("parse the template: %w", err)
	}
	root, _ := v.(map[string]any)
	t := Template{
		Parameters: object(root["Parameters"]), Conditions: object(root["Conditions"]), Globals: root["Globals"],
		Resources: map[string]Resource{}, Outputs: object(root["Outputs"]),
		Order: keys(doc.Content[0], "Resources"), ParameterOrder: keys(doc.Content[0], "Parameters"),
	}
	for name, r := range object(root["Resources"]) {
		all := object(r)
		kind, _ := all["Type"].(string)
		condition, _ := all["Condition"].(string)
		t.Resources[name] = Resource{Name: name, Type: kind, Condition: condition, Properties: all["Properties"], All: all}
	}
	if len(t.Resources) == 0 {
		return Template{}, errors.New("parse the template: it has no resources")
	}
	return t, nil
}

// keys returns the keys of one object of the document, in its order.
func keys(root *yaml.Node, name string) []string {
	var out []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != name {
			continue
		}
		for j := 0; j < len(root.Content[i+1].Content); j += 2 {
			out = append(out, root.Content[i+1].Content[j].Value)
		}
	}
	return out
}

func value(n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return nil, fmt.Errorf("line %d: CloudFormation takes no YAML anchors", n.Line)
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		name := strings.TrimPrefix(n.Tag, "!")
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		plain := *n
		plain.Tag = ""
		arg, err := value(&plain)
		return map[string]any{name: arg}, err
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := out[key]; twice {
				return nil, fmt.Errorf("line %d: %s is there twice", n.Content[i].Line, key)
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			out[key] = v
		}
		return out, nil
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	var out any
	return out, n.Decode(&out)
}
