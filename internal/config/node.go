package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/near"
)

// Bounds of what is read, so that no file can make the decoder work without
// end: aliases count each time they are used.
const (
	maxNodes = 50_000
	maxDepth = 32
	maxKey   = 200 // bytes
)

// span is where a value stands, and the key that names it.
type span struct{ key, value Position }

// positions holds the span of everything in the file, by its path:
// "owners[0].params.expire_untagged.older_than_days".
type positions map[string]span

func field(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// decoder fills Go values from YAML nodes by the values' json tags, and
// collects problems in place of stopping at the first.
type decoder struct {
	file     string
	at       positions
	problems []Problem
	broken   map[string]bool // paths that have a problem already
	nodes    int
	depth    int
	full     bool // a bound was passed: nothing more is read
}

func newDecoder(file string) *decoder {
	return &decoder{file: file, at: positions{}, broken: map[string]bool{}}
}

func (d *decoder) position(n *yaml.Node) Position {
	return Position{File: d.file, Line: n.Line, Column: n.Column}
}

// fail records a problem with the value at path.
func (d *decoder) fail(path string, where Position, near, format string, args ...any) {
	d.broken[path] = true
	d.problems = append(d.problems, Problem{Position: where, Message: fmt.Sprintf(format, args...), Near: near})
}

// failAt records a problem with a value that has been decoded, unless it or
// what holds it has one already.
func (d *decoder) failAt(path, near, format string, args ...any) {
	for p, ok := path, true; ok; p, ok = parent(p) {
		if d.broken[p] {
			return
		}
	}
	d.fail(path, d.at.value(d.file, path), near, format, args...)
}

// parent is the path of what holds the value at path; false at the top.
func parent(path string) (string, bool) {
	if path == "" {
		return "", false
	}
	return path[:max(0, strings.LastIndexAny(path, ".["))], true
}

// value returns the position of the value at path, or of the nearest thing that holds it.
func (at positions) value(file, path string) Position {
	for p, ok := path, true; ok; p, ok = parent(p) {
		if s, found := at[p]; found {
			return s.value
		}
	}
	return Position{File: file, Line: 1, Column: 1}
}

// enter follows aliases and counts; it returns nil when a bound is passed.
func (d *decoder) enter(n *yaml.Node, path string) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	d.nodes++
	if !d.full && (d.nodes > maxNodes || d.depth > maxDepth) {
		d.full = true
		d.fail(path, d.position(n), "", "too large: more than %d values or %d levels, aliases counted each time; repeat less", maxNodes, maxDepth)
	}
	if d.full {
		return nil
	}
	d.depth++
	return n
}

// decode fills v from n. v is addressable.
func (d *decoder) decode(n *yaml.Node, path string, v reflect.Value) {
	if n = d.enter(n, path); n == nil {
		return
	}
	defer func() { d.depth-- }()
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		d.fail(path, d.position(n), "", "%s has no value; give it one or leave it out", last(path))
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if d.leaf(n, path, v.Addr().Interface()) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	default:
		d.scalar(n, path, v)
	}
}

// keysOf returns the fields of a struct type by their key in the file.
func keysOf(t reflect.Type) map[string]int {
	keys := map[string]int{}
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if t.Field(i).IsExported() && key != "-" && key != "" {
			keys[key] = i
		}
	}
	return keys
}

func (d *decoder) object(n *yaml.Node, path string, v reflect.Value) {
	keys := keysOf(v.Type())
	known := slices.Sorted(maps.Keys(keys))
	d.pairs(n, path, func(key string, k, value *yaml.Node) {
		i, ok := keys[key]
		if !ok {
			hint := near.First(key, known)
			message := "unknown key " + quote(key)
			if hint == "" {
				message += "; the keys here are " + strings.Join(known, ", ")
			}
			d.fail(field(path, key), d.position(k), hint, "%s", message)
			return
		}
		d.decode(value, field(path, key), v.Field(i))
	})
}

// pairs calls each for every key of a mapping, once, and notes where it stands.
func (d *decoder) pairs(n *yaml.Node, path string, each func(key string, k, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fail(path, d.position(n), "", "%s is %s; write keys and values", last(path), describe(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !d.full; i += 2 {
		k, value := n.Content[i], n.Content[i+1]
		switch first := seen[k.Value]; {
		case k.ShortTag() == "!!merge":
			d.fail(path, d.position(k), "", `merge keys ("<<") are not read; repeat the keys, or use an alias for a whole value`)
		case k.Kind != yaml.ScalarNode || k.Value == "" || len(k.Value) > maxKey:
			d.fail(path, d.position(k), "", "a key is a plain word of at most %d characters", maxKey)
		case first > 0:
			d.fail(field(path, k.Value), d.position(k), "", "key %s is already on line %d; keep one of them", quote(k.Value), first)
		default:
			seen[k.Value] = k.Line
			d.at[field(path, k.Value)] = span{key: d.position(k), value: d.position(value)}
			each(k.Value, k, value)
		}
	}
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.fail(path, d.position(n), "", "%s is %s; write a list", last(path), describe(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.at[index(path, i)] = span{key: d.position(item), value: d.position(item)}
		d.decode(item, index(path, i), out.Index(i))
		if d.full {
			return
		}
	}
	v.Set(out)
}

func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	tag := n.ShortTag()
	ok := n.Kind == yaml.ScalarNode
	want := "text; put it in quotes"
	switch v.Kind() {
	case reflect.Bool:
		ok, want = ok && tag == "!!bool" && n.Decode(v.Addr().Interface()) == nil, "true or false"
	case reflect.Int, reflect.Int64:
		ok, want = ok && tag == "!!int" && n.Decode(v.Addr().Interface()) == nil, "a whole number"
	case reflect.Float64:
		ok, want = ok && (tag == "!!int" || tag == "!!float") && n.Decode(v.Addr().Interface()) == nil, "a number"
	default:
		if ok = ok && (tag == "!!str" || tag == "!!timestamp"); ok {
			v.SetString(n.Value)
		}
	}
	if !ok {
		d.fail(path, d.position(n), "", "%s is %s, but must be %s", last(path), describe(n), want)
	}
}

// last names a value by the last key of its path.
func last(path string) string {
	if path == "" {
		return "the file"
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}

// describe says what a node is, in the words of somebody who writes YAML.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a group of keys"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!bool":
		return "the truth value " + quote(n.Value)
	case n.ShortTag() == "!!int" || n.ShortTag() == "!!float":
		return "the number " + n.Value
	case n.ShortTag() == "!!null":
		return "empty"
	}
	return "the text " + quote(n.Value)
}
