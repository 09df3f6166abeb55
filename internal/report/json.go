package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/shelflife-dev/shelflife/internal/jsonlist"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Streamer is a document that writes itself as indented JSON, a part at a time.
type Streamer interface {
	WriteJSON(w io.Writer) error
}

// JSON writes a view as indented JSON: stable order, [] rather than null for
// what is empty, & < > as they are. Characters that a terminal could obey are
// escaped, which means the same to every JSON reader.
func JSON(w io.Writer, v View) error {
	out := bufio.NewWriter(w)
	safe := &escaper{w: out}
	if err := encode(safe, v.value()); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	safe.flush()
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func encode(w io.Writer, value any) error {
	if s, ok := value.(Streamer); ok {
		return s.WriteJSON(w)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

// long is a document with a list of items that is written an item at a time.
type long struct {
	doc   any // with an empty list in place of the items
	name  string
	items []retention.Item
}

// WriteJSON writes the document. Nothing in an item that JSON shows as a list is null.
func (l long) WriteJSON(w io.Writer) error {
	listed := func(yield func(retention.Item) bool) {
		for _, it := range l.items {
			it.Tags, it.Rules, it.Overruled = list(it.Tags), list(it.Rules), list(it.Overruled)
			if !yield(it) {
				return
			}
		}
	}
	return jsonlist.Write(w, l.doc, l.name, listed, jsonlist.Style{Indent: true})
}

// escaper escapes what encoding/json leaves in strings although it is not
// harmless: DEL, the C1 controls, and invisible or direction-turning characters.
// Outside strings, JSON is ASCII.
type escaper struct {
	w    *bufio.Writer // keeps its first error
	part []byte        // the beginning of a character whose rest is not there yet
}

// Write never fails; the writer below keeps its error.
func (e *escaper) Write(b []byte) (int, error) {
	n := len(b)
	for len(e.part) > 0 && len(b) > 0 {
		if e.part = append(e.part, b[0]); utf8.FullRune(e.part) {
			whole := e.part
			e.part = nil
			e.escape(whole)
		}
		b = b[1:]
	}
	e.escape(b)
	return n, nil
}

func (e *escaper) escape(b []byte) {
	for len(b) > 0 {
		plain := 0
		for plain < len(b) && b[plain] < 0x7F {
			plain++
		}
		e.w.Write(b[:plain])
		if b = b[plain:]; len(b) == 0 {
			return
		}
		if !utf8.FullRune(b) {
			e.part = append([]byte(nil), b...)
			return
		}
		r, size := utf8.DecodeRune(b)
		if isHarmless(r) {
			e.w.Write(b[:size])
		} else {
			e.w.WriteString(escapeRune(r))
		}
		b = b[size:]
	}
}

// flush writes what is left of a character that never came whole.
func (e *escaper) flush() { e.w.Write(e.part) }

// list returns s, or an empty list that JSON shows as [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
