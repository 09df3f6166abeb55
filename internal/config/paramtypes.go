package config

import (
	"encoding/json"
	"reflect"
)

// typeName is the kind of a value as JSON has it, "" for null. Numbers may come
// from YAML, from JSON or from Rego metadata, so that Go has several types for them.
func typeName(v any) string {
	if v == nil {
		return ""
	}
	if _, ok := v.(json.Number); ok {
		return "a number"
	}
	switch reflect.TypeOf(v).Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a group of keys"
	}
	return "a number"
}

// number returns the value of what typeName calls a number.
func number(v any) float64 {
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		if err != nil {
			return 0
		}
		return f
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.CanInt():
		return float64(rv.Int())
	case rv.CanUint():
		return float64(rv.Uint())
	case rv.CanFloat():
		return rv.Float()
	}
	return 0
}

// elements returns the items of what typeName calls a list.
func elements(v any) []any {
	rv := reflect.ValueOf(v)
	out := make([]any, rv.Len())
	for i := range out {
		out[i] = rv.Index(i).Interface()
	}
	return out
}
