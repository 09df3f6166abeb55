package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/near"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// leaf decodes the types that the file writes in their own way. It reports
// whether v was one of them.
func (d *decoder) leaf(n *yaml.Node, path string, v any) bool {
	switch to := v.(type) {
	case *retention.Mode:
		if s, ok := oneOf(d, n, path, []string{"observe", "enforce"}); ok {
			*to, _ = retention.ParseMode(s) // oneOf let only its words through
		}
	case *retention.OwnerKind:
		*to, _ = oneOf(d, n, path, []retention.OwnerKind{retention.Organization, retention.User})
	case *retention.PackageType:
		*to, _ = oneOf(d, n, path, retention.PackageTypes())
	case *CredentialKind:
		*to, _ = oneOf(d, n, path, []CredentialKind{KindApp, KindToken})
	case *time.Duration:
		parseLeaf(d, n, path, to, ParseDuration)
	case *Cron:
		parseLeaf(d, n, path, to, ParseCron)
	case *Policies:
		return d.policies(n, path, to)
	case *Params:
		d.params(n, path, to)
	default:
		return false
	}
	return true
}

// oneOf reads a word that must be one of the given.
func oneOf[T ~string](d *decoder, n *yaml.Node, path string, allowed []T) (T, bool) {
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
		if n.Kind == yaml.ScalarNode && n.Value == words[i] {
			return a, true
		}
	}
	hint := ""
	if n.Kind == yaml.ScalarNode {
		hint = near.First(n.Value, words)
	}
	d.fail(path, d.position(n), hint, "%s is %s, but must be one of %s", last(path), describe(n), strings.Join(words, ", "))
	return "", false
}

// parseLeaf reads a scalar with a parser of its text.
func parseLeaf[T any](d *decoder, n *yaml.Node, path string, to *T, parse func(string) (T, error)) {
	if n.Kind != yaml.ScalarNode {
		d.fail(path, d.position(n), "", "%s is %s, but must be text", last(path), describe(n))
		return
	}
	v, err := parse(n.Value)
	if err != nil {
		d.fail(path, d.position(n), "", "%s: %v", last(path), err)
		return
	}
	*to = v
}

// policies reads the short form "builtin"; it leaves groups of keys to object.
func (d *decoder) policies(n *yaml.Node, path string, to *Policies) bool {
	if n.Kind != yaml.ScalarNode {
		return false
	}
	if n.Value != "builtin" {
		d.fail(path, d.position(n), near.First(n.Value, []string{"builtin"}),
			"policies is %s, but must be builtin or keys such as {path: ./policies}", describe(n))
		return true
	}
	to.Builtin = true
	return true
}

// params reads policy → parameter → value. Whether such policies and
// parameters exist is for CheckParams to say.
func (d *decoder) params(n *yaml.Node, path string, to *Params) {
	out := Params{}
	d.pairs(n, path, func(policy string, _, value *yaml.Node) {
		values, ok := d.any(value, field(path, policy)).(map[string]any)
		if !ok {
			d.failAt(field(path, policy), "", "params of %s are %s; write parameters and values, such as {older_than_days: 14}", quote(policy), describe(value))
			return
		}
		out[policy] = values
	})
	*to = out
}

// any reads a value of any type in the form that encoding/json gives, with int
// for whole numbers. Dates stay text.
func (d *decoder) any(n *yaml.Node, path string) any {
	if n = d.enter(n, path); n == nil {
		return nil
	}
	defer func() { d.depth-- }()
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		d.pairs(n, path, func(key string, _, value *yaml.Node) { out[key] = d.any(value, field(path, key)) })
		return out
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			d.at[index(path, i)] = span{key: d.position(item), value: d.position(item)}
			out = append(out, d.any(item, index(path, i)))
			if d.full {
				break
			}
		}
		return out
	}
	v, err := scalarValue(n)
	if err != nil {
		d.fail(path, d.position(n), "", "%s: %v", last(path), err)
	}
	return v
}

func scalarValue(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return decodeScalar[bool](n)
	case "!!int":
		return decodeScalar[int](n)
	case "!!float":
		f, err := decodeScalar[float64](n)
		if err == nil && (f-f != 0) { // infinite or not a number: neither exists in JSON
			return nil, fmt.Errorf("%s is not a number that policies can see; write a finite one", n.Value)
		}
		return f, err
	case "!!str", "!!timestamp":
		return n.Value, nil
	}
	return nil, fmt.Errorf("%s is of a type (%s) that policies cannot see; write text, a number, true or false", quote(n.Value), n.ShortTag())
}

func decodeScalar[T any](n *yaml.Node) (v T, err error) {
	if err := n.Decode(&v); err != nil {
		return v, fmt.Errorf("%s is not a %s that can be read; write it plainly or put it in quotes", quote(n.Value), reflect.TypeFor[T]())
	}
	return v, nil
}
