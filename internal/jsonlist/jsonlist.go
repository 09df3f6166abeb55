// Package jsonlist writes and reads JSON documents that have one long list, an
// entry at a time, so that memory holds an entry and not the document. What it
// writes is, byte for byte, what encoding/json makes of the whole. It knows no
// format of its own and opens nothing.
package jsonlist

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Style is how a document is written.
type Style struct {
	Indent     bool // two spaces a level, and a line break at the end
	EscapeHTML bool // as json.Marshal does
}

// Write writes doc with entries in its list. doc must be an object that
// encodes with an empty list, not null, under name at its top level; nothing
// before that may hold an empty list of the same name.
func Write[T any](w io.Writer, doc any, name string, entries iter.Seq[T], s Style) error {
	frame, err := s.encode(doc, "")
	if err != nil {
		return fmt.Errorf("encode document: %w", err)
	}
	key, gap := `"`+name+`":`, ""
	if s.Indent {
		key, gap = "\n  "+key+" ", "\n    "
	}
	// Quotes and line breaks are escaped in JSON strings, so the key is found only where it is one.
	before, after, found := bytes.Cut(frame, []byte(key+"[]"))
	if !found {
		return fmt.Errorf("encode document: it has no empty list %q", name)
	}
	b := bufio.NewWriter(w)
	b.Write(before)
	b.WriteString(key + "[")
	some := false
	for e := range entries {
		if some {
			b.WriteByte(',')
		}
		b.WriteString(gap)
		some = true
		one, err := s.encode(e, "    ")
		if err != nil {
			return fmt.Errorf("encode an entry of %q: %w", name, err)
		}
		b.Write(one)
	}
	if some && s.Indent {
		b.WriteString("\n  ")
	}
	b.WriteByte(']')
	b.Write(after)
	if s.Indent {
		b.WriteByte('\n')
	}
	return b.Flush()
}

// encode encodes one value without the line break at its end.
func (s Style) encode(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(s.EscapeHTML)
	if s.Indent {
		enc.SetIndent(prefix, "  ")
	}
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// ErrTrailing says that something follows the document.
var ErrTrailing = errors.New("there is something after the end of the document")

// Read reads a document: everything but the list called name goes into doc, as
// encoding/json would put it there, and each entry of the list to add. Unknown
// fields, of doc and of entries, are errors.
func Read[T any](r io.Reader, doc any, name string, add func(T) error) error {
	err := read(r, doc, name, add)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the document is cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func read[T any](r io.Reader, doc any, name string, add func(T) error) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := open(dec, '{'); err != nil {
		return err
	}
	frame := []byte{'{'}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string) // in an object, More is followed by a name
		if key == name {
			if err := readList(dec, add); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		if frame, err = appendField(dec, frame, key); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return ErrTrailing
	}
	whole := json.NewDecoder(bytes.NewReader(append(frame, '}')))
	whole.DisallowUnknownFields()
	return whole.Decode(doc)
}

// appendField copies one field's value into the object that is built.
func appendField(dec *json.Decoder, frame []byte, key string) ([]byte, error) {
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	quoted, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	if len(frame) > 1 {
		frame = append(frame, ',')
	}
	frame = append(append(frame, quoted...), ':')
	return append(frame, value...), nil
}

func readList[T any](dec *json.Decoder, add func(T) error) error {
	if err := open(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var one T
		if err := dec.Decode(&one); err != nil {
			return err
		}
		if err := add(one); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func open(dec *json.Decoder, with json.Delim) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != with {
		return fmt.Errorf("found %v where %v was expected", tok, with)
	}
	return nil
}
