package packages

import (
	"testing"
	"unicode/utf8"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Whatever bytes come for a list of versions, none is taken that couldn't be
// addressed, and no active container version whose tags weren't told passes for
// an untagged one.
func FuzzDecodeVersions(f *testing.F) {
	for _, s := range []string{
		``, `null`, `[]`, `[null]`, `{}`, `[{"id":1,"name":"a"}]`,
		`[{"id":1,"name":"a","metadata":{"container":{"tags":["x","sha256-0"]}},"created_at":"2025-01-02T03:04:05Z"}]`,
		`[{"id":1,"name":"a","metadata":{"docker":{"tag":"x"}},"deleted_at":"0001-01-01T00:00:00Z"}]`,
		`[{"id":1e3,"name":"a"}]`, `[{"ID":1,"NAME":"a"}]`, "[{\"id\":1,\"name\":\"\xff\"}]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		vs, err := decodeVersions(body, retention.Container, retention.Active)
		if err != nil {
			if len(vs) > 0 {
				t.Fatalf("%d versions along with the error %v", len(vs), err)
			}
			return
		}
		for _, v := range vs {
			switch {
			case v.ID <= 0 || v.Name == "":
				t.Fatalf("version without address: %+v", v)
			case v.noTags && v.Tagged():
				t.Fatalf("tags that were not told: %+v", v)
			case v.IsActive() == !v.DeletedAt.IsZero():
				t.Fatalf("state %s with deleted_at %s", v.State, v.DeletedAt)
			}
		}
	})
}

// Error bodies never break the reader or the terminal that shows them.
func FuzzParseErrorBody(f *testing.F) {
	for _, s := range []string{
		``, `{`, `{"message":"m"`, `{"message":1,"errors":"x"}`, `{"errors":[{"message":"a"},"b",3,null]}`,
		`<html>`, `{"message":"\u001b[2J"}`, "{\"message\":\"\xff\"}", `{"message":{"a":[`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := parseErrorBody(body)
		for _, s := range []string{w.message, w.documentationURL} {
			if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxMessage+1 || clean(s) != s && utf8.RuneCountInString(s) <= maxMessage {
				t.Fatalf("%q is not fit to be printed", s)
			}
		}
	})
}
