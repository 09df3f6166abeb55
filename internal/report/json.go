package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// JSON writes a view as indented JSON: stable order, [] rather than null for
// what is empty, & < > as they are. Characters that a terminal could obey are
// escaped, which means the same to every JSON reader.
func JSON(w io.Writer, v View) error {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v.value()); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	if _, err := w.Write(escapeControls(raw.Bytes())); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// escapeControls escapes what encoding/json leaves in strings although it is
// not harmless: DEL, the C1 controls, and invisible or direction-turning
// characters. Outside strings, JSON is ASCII.
func escapeControls(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r < 0x7F || isHarmless(r) {
			out = append(out, b[i:i+size]...)
		} else {
			out = append(out, escapeRune(r)...)
		}
		i += size
	}
	return out
}

// list returns s, or an empty list that JSON shows as [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
