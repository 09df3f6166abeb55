package template

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// object is v as an object, nil when it is none. Reading a nil map is harmless.
func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// at follows names into objects; nil when one is missing.
func at(v any, path ...string) any {
	for _, name := range path {
		v = object(v)[name]
	}
	return v
}

// text is v as a string, "" when it is none.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// number is v as a whole number; ok is false when it is none.
func number(v any) (int, bool) {
	n, ok := v.(int)
	return n, ok
}

// list is v as a list: many places take one value or several.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func texts(v any) []string {
	var out []string
	for _, e := range list(v) {
		out = append(out, text(e))
	}
	return out
}

// branches returns every value that v can have: both sides of each Fn::If, down
// to the last, without AWS::NoValue.
func branches(v any) []any {
	arms, ok := at(v, "Fn::If").([]any)
	switch {
	case ok && len(arms) == 3:
		return append(branches(arms[1]), branches(arms[2])...)
	case text(at(v, "Ref")) == "AWS::NoValue":
		return nil
	}
	return []any{v}
}

// condition is the name of the condition under which v is there, "" when it
// always is: of {"Fn::If": [C, v, NoValue]} it is C.
func condition(v any) string {
	arms, ok := at(v, "Fn::If").([]any)
	if !ok || len(arms) != 3 {
		return ""
	}
	return text(arms[0])
}

var subName = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

// references returns the resources, parameters and pseudo parameters that a
// value names, at any depth.
func references(v any) []string {
	var out []string
	add := func(name string) {
		name, _, _ = strings.Cut(name, ".")
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if s := text(v["Ref"]); s != "" {
				add(s)
			}
			if s := first(texts(v["Fn::GetAtt"])); s != "" {
				add(s)
			}
			for _, m := range subName.FindAllStringSubmatch(text(v["Fn::Sub"]), -1) {
				add(m[1])
			}
			for _, name := range sorted(v) {
				walk(v[name])
			}
		}
	}
	walk(v)
	return out
}

// show writes a value in the template's own short form, for people.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, fn := range []string{"Ref", "Fn::GetAtt", "Fn::Sub"} {
			if s := text(v[fn]); s != "" && len(v) == 1 {
				s = strings.TrimSuffix(s, ".Arn")
				return strings.ReplaceAll(subName.ReplaceAllString(s, "$1"), ".Arn", "")
			}
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
