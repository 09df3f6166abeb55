package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/near"
)

// Params are parameters of policies: policy, then parameter, then value. Values
// are what JSON can hold, with int for whole numbers.
type Params map[string]map[string]any

// CheckParams compares the file with the policies that were loaded: known maps
// each policy to its parameters and their defaults. Unknown policies, unknown
// parameters and values of another type than the default come back as Errors,
// with their positions.
func (c Config) CheckParams(known map[string]map[string]any) error {
	k := checker{file: c.File, at: c.at, known: known}
	k.params("params", c.Params)
	for i, o := range c.Owners {
		k.params(field(index("owners", i), "params"), o.Params)
		for j, p := range o.PackageParams {
			k.params(field(index(field(index("owners", i), "package_params"), j), "params"), p.Params)
		}
	}
	for i, name := range c.Policies.Only {
		k.policy(index("policies.only", i), name)
	}
	return asError(k.problems)
}

type checker struct {
	file     string
	at       positions
	known    map[string]map[string]any
	problems []Problem
}

func (k *checker) fail(where Position, hint, format string, args ...any) {
	k.problems = append(k.problems, Problem{Position: where, Message: fmt.Sprintf(format, args...), Near: hint})
}

// policy reports a name that no loaded policy has.
func (k *checker) policy(path, name string) bool {
	if _, ok := k.known[name]; ok {
		return true
	}
	names := slices.Sorted(maps.Keys(k.known))
	k.fail(k.at[path].key, near.First(name, names), "unknown policy %s%s", quote(name), list("; the policies are ", names))
	return false
}

func (k *checker) params(path string, p Params) {
	for policy, values := range p {
		at := field(path, policy)
		if !k.policy(at, policy) {
			continue
		}
		names := slices.Sorted(maps.Keys(k.known[policy]))
		for name, value := range values {
			fallback, ok := k.known[policy][name]
			if !ok {
				k.fail(k.at[field(at, name)].key, near.First(name, names), "policy %s has no parameter %s%s", policy, quote(name), list("; its parameters are ", names))
				continue
			}
			if want := mismatch(value, fallback); want != "" {
				k.fail(k.at.value(k.file, field(at, name)), "", "parameter %s of %s must be %s, like its default %v", name, policy, want, fallback)
			}
		}
	}
}

func list(intro string, names []string) string {
	if len(names) == 0 {
		return "; there are none"
	}
	return intro + strings.Join(names, ", ")
}

// mismatch says what a value should have been, judged by the default; "" if it
// fits. A default of null takes anything. A number may be negative only where
// its default is: below zero, "older than" would mean everything.
func mismatch(value, fallback any) string {
	want := typeName(fallback)
	if want == "" {
		return ""
	}
	if typeName(value) != want {
		return want
	}
	switch want {
	case "a number":
		if number(value) < 0 && number(fallback) >= 0 {
			return "a number from 0"
		}
	case "a list":
		items := elements(fallback)
		if len(items) == 0 || typeName(items[0]) == "" {
			return ""
		}
		for _, item := range elements(value) {
			if typeName(item) != typeName(items[0]) {
				return "a list in which each item is " + typeName(items[0])
			}
		}
	}
	return ""
}
