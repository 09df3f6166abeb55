package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/shelflife-dev/shelflife/internal/harmless"
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
	safe := harmless.NewJSON(out)
	if err := encode(safe, v.value()); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	if err := errors.Join(safe.Flush(), out.Flush()); err != nil {
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

// list returns s, or an empty list that JSON shows as [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
