package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// variants are documents that differ from doc in one place: a value changed, a key
// or an element taken out, an element doubled.
func variants(doc any, at string, with func(where string, changed any)) {
	switch v := doc.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			without := maps.Clone(v)
			delete(without, key)
			with(at+"."+key+" taken out", without)
			variants(v[key], at+"."+key, func(where string, changed any) {
				other := maps.Clone(v)
				other[key] = changed
				with(where, other)
			})
		}
	case []any:
		for i := range v {
			here := fmt.Sprintf("%s[%d]", at, i)
			with(here+" taken out", slices.Delete(slices.Clone(v), i, i+1))
			with(here+" doubled", slices.Insert(slices.Clone(v), i, v[i]))
			variants(v[i], here, func(where string, changed any) {
				other := slices.Clone(v)
				other[i] = changed
				with(where, other)
			})
		}
	case string:
		with(at+" longer", v+"x")
		if v != "" {
			with(at+" empty", "")
		}
	case json.Number:
		with(at+" other", json.Number("7"+v.String()))
	case bool:
		with(at+" turned", !v)
	}
}

// TestAChangeOfAnySingleFieldOfAPlanIsCaught goes over the whole document. What opens
// all the same has to be the very plan that was sealed: a key taken out whose value
// was the zero one says nothing else.
func TestAChangeOfAnySingleFieldOfAPlanIsCaught(t *testing.T) {
	sealed := sealed(t)
	original, err := Open(context.Background(), bytes.NewReader(sealed), key, now)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(original)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(sealed))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	caught, harmless := 0, 0
	variants(doc, "", func(where string, changed any) {
		raw, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := Open(context.Background(), bytes.NewReader(raw), key, now)
		if err != nil {
			caught++
			return
		}
		got, err := json.Marshal(opened)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: another plan opens under the seal:\n%s", where, got)
		}
		harmless++
	})
	if caught < 200 || harmless > caught/10 {
		t.Errorf("%d changes caught, %d without effect: too few to mean anything", caught, harmless)
	}
	t.Logf("%d changes caught, %d without effect", caught, harmless)
}

func TestAPlanThatIsTooLargeIsNotRead(t *testing.T) {
	r := &endless{}
	if _, err := open(context.Background(), r, key, now, 1<<20); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") || r.given > 2<<20 {
		t.Errorf("%v, after %d bytes", err, r.given)
	}
	b := append(sealed(t), bytes.Repeat([]byte(" "), 1000)...)
	if _, err := open(context.Background(), bytes.NewReader(b), key, now, int64(len(b))); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	if _, err := open(context.Background(), bytes.NewReader(b), key, now, int64(len(b))-1); err == nil {
		t.Error("a byte more than the limit opens")
	}
}

// endless gives spaces for ever.
type endless struct{ given int }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	e.given += len(b)
	return len(b), nil
}
