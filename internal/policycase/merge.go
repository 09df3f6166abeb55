package policycase

import "reflect"

// merge returns a group of keys with those set that over sets.
func merge[T any](base, over T) T {
	out := reflect.ValueOf(&base).Elem()
	from := reflect.ValueOf(over)
	for i := range out.NumField() {
		if f := from.Field(i); out.Field(i).CanSet() && !f.IsZero() {
			out.Field(i).Set(f)
		}
	}
	return base
}
