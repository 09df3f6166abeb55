package jsonlist

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type entry struct {
	Name string            `json:"name"`
	Tags []string          `json:"tags"`
	More map[string]string `json:"more,omitempty"`
}

type doc struct {
	Title string  `json:"title"`
	List  []entry `json:"list"`
	Tail  []entry `json:"tail"`
	Sum   *int    `json:"sum"`
}

func randomDoc() *rapid.Generator[doc] {
	one := rapid.Custom(func(t *rapid.T) entry {
		return entry{
			Name: rapid.String().Draw(t, "name"),
			Tags: rapid.SliceOf(rapid.StringMatching(`["\[\]{}:,a-z<&\n]*`)).Draw(t, "tags"),
			More: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "more"),
		}
	})
	return rapid.Custom(func(t *rapid.T) doc {
		d := doc{Title: rapid.OneOf(rapid.String(), rapid.Just(`"list":[]`), rapid.Just("\n  \"list\": []")).Draw(t, "title"),
			List: rapid.SliceOfN(one, 0, 4).Draw(t, "list"), Tail: rapid.SliceOfN(one, 0, 2).Draw(t, "tail")}
		if rapid.Bool().Draw(t, "has sum") {
			n := rapid.Int().Draw(t, "sum")
			d.Sum = &n
		}
		return d
	})
}

// std is what encoding/json makes of the document.
func std(t testing.TB, d doc, s Style) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(s.EscapeHTML)
	if s.Indent {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(d); err != nil {
		t.Fatal(err)
	}
	if !s.Indent {
		return strings.TrimSuffix(b.String(), "\n")
	}
	return b.String()
}

func TestPropertiesWriteIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := randomDoc().Draw(rt, "doc")
		s := Style{Indent: rapid.Bool().Draw(rt, "indent"), EscapeHTML: rapid.Bool().Draw(rt, "escape")}
		frame := d
		frame.List = []entry{}
		var got bytes.Buffer
		if err := Write(&got, frame, "list", slices.Values(d.List), s); err != nil {
			rt.Fatal(err)
		}
		if d.List == nil {
			d.List = []entry{}
		}
		if diff := cmp.Diff(std(t, d, s), got.String()); diff != "" {
			rt.Fatalf("(-encoding/json +ours)\n%s", diff)
		}
	})
}

func TestPropertiesReadIsWhatEncodingJSONReads(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := randomDoc().Draw(rt, "doc")
		text := std(t, d, Style{Indent: rapid.Bool().Draw(rt, "indent")})
		var want, got doc
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			rt.Fatal(err)
		}
		got.List = []entry{}
		if d.List == nil {
			return // null is refused, see below
		}
		err := Read(strings.NewReader(text), &got, "list", func(e entry) error { got.List = append(got.List, e); return nil })
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("(-encoding/json +ours)\n%s", diff)
		}
	})
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", ``, "cut short"},
		{"no object", `[]`, "found [ where { was expected"},
		{"a list that is none", `{"list":null}`, "list: found <nil> where [ was expected"},
		{"an unknown field of the document", `{"title":"x","extra":1}`, `unknown field "extra"`},
		{"an unknown field of an entry", `{"list":[{"nom":"x"}]}`, `unknown field "nom"`},
		{"a document cut short", `{"list":[{"name":"x"}`, "cut short"},
		{"something behind it", `{"list":[]} {}`, ErrTrailing.Error()},
		{"a wrong type", `{"title":1}`, "cannot unmarshal number"},
		{"entries without a comma", `{"list":[{"name":"x"} {"name":"y"}]}`, "expected comma"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d doc
			err := Read(strings.NewReader(c.text), &d, "list", func(entry) error { return nil })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestReadStopsWhereAddDoes(t *testing.T) {
	enough := errors.New("enough")
	n := 0
	err := Read(strings.NewReader(`{"list":[{"name":"a"},{"name":"b"}]}`), &doc{}, "list", func(entry) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("%d entries and error %v, want 1 and %v", n, err, enough)
	}
}

func TestWriteNeedsTheList(t *testing.T) {
	err := Write(io.Discard, doc{}, "list", slices.Values([]entry{}), Style{})
	if err == nil || !strings.Contains(err.Error(), `no empty list "list"`) {
		t.Errorf("a null list gave %v", err)
	}
}
