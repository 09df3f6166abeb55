package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// kindOf names a value's JSON type as people write about it.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	default:
		return "a number"
	}
}

// normalised turns whatever YAML, JSON or Go made of an object into the JSON
// types, with numbers as json.Number.
func normalised(m map[string]any) (map[string]any, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	out := map[string]any{}
	if err := d.Decode(&out); err != nil {
		return nil, err
	}
	return out, nil
}

// sameKind checks a value against the default that it replaces: the same JSON
// type, arrays with elements of the default's element type, objects with
// values of the default's types below the default's keys. A default of null
// and an empty default array say nothing about what goes there.
func sameKind(value, def any) error {
	if def == nil {
		return nil
	}
	if kindOf(value) != kindOf(def) {
		return fmt.Errorf("is %s and has to be %s", kindOf(value), kindOf(def))
	}
	switch def := def.(type) {
	case []any:
		if len(def) == 0 {
			return nil
		}
		for i, element := range value.([]any) {
			if err := sameKind(element, def[0]); err != nil {
				return fmt.Errorf("element %d %w", i, err)
			}
		}
	case map[string]any:
		given := value.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(given)) {
			if d, ok := def[k]; ok {
				if err := sameKind(given[k], d); err != nil {
					return fmt.Errorf("key %q %w", k, err)
				}
			}
		}
	}
	return nil
}
