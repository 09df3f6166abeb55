package html

import (
	"bufio"
	"encoding/json"
	"strconv"
)

// Encoder writes JSON that is harmless inside a script element, piece by piece:
// <, >, & and the line separators are escaped in every string, so that no text
// can end the element or begin a comment. The first error sticks.
type Encoder struct {
	w     *bufio.Writer
	small []byte
	err   error
}

// Err is the first error.
func (e *Encoder) Err() error { return e.err }

func (e *Encoder) raw(s string) {
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

// String writes a string.
func (e *Encoder) String(s string) { e.Value(s) }

// Int writes a number.
func (e *Encoder) Int(n int64) {
	if e.err == nil {
		e.small = strconv.AppendInt(e.small[:0], n, 10)
		_, e.err = e.w.Write(e.small)
	}
}

// Value writes anything small that encoding/json can hold; it escapes as above.
func (e *Encoder) Value(v any) {
	if e.err != nil {
		return
	}
	var b []byte
	if b, e.err = json.Marshal(v); e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

// List writes a list of n values, each by a call of write.
func (e *Encoder) List(n int, write func(i int)) {
	e.raw("[")
	for i := range n {
		if i > 0 {
			e.raw(",")
		}
		write(i)
	}
	e.raw("]")
}

// Object writes an object with the given fields, in order.
func (e *Encoder) Object(fields ...Field) {
	e.raw("{")
	for i, f := range fields {
		if i > 0 {
			e.raw(",\n")
		}
		e.String(f.Name)
		e.raw(":")
		f.Write(e)
	}
	e.raw("}")
}

// Field is one field of an object. Fields are written in the order in which they
// are listed, so that a later one may hold what writing an earlier one gathered.
type Field struct {
	Name  string
	Write func(*Encoder)
}

// Values is a field with a small value.
func Values(name string, v func() any) Field {
	return Field{name, func(e *Encoder) { e.Value(v()) }}
}
