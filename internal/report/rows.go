package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Rows are the answer to a query. A row has a value for each column: nil, a
// bool, a number, text, bytes or a time.
type Rows struct {
	Columns []string
	Rows    [][]any
}

// record is one row, written as an object with its columns in their order. A
// column that has the name of an earlier one gets its number behind the name.
type record struct {
	names  []string
	values []any
}

// MarshalJSON writes the object.
func (r record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range r.names {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := appendJSON(&b, name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		var v any
		if i < len(r.values) {
			v = jsonValue(r.values[i])
		}
		if err := appendJSON(&b, v); err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func appendJSON(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // Encode's line break
	return nil
}

func jsonValue(v any) any {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v
}

func (r Rows) value() any {
	names := distinct(r.Columns)
	out := make([]record, len(r.Rows))
	for i, row := range r.Rows {
		out[i] = record{names, row}
	}
	return out
}

// distinct numbers names that come again: a, a_2, a_3.
func distinct(names []string) []string {
	used := map[string]bool{}
	out := make([]string, len(names))
	for i, name := range names {
		unique := name
		for n := 2; used[unique]; n++ {
			unique = fmt.Sprintf("%s_%d", name, n)
		}
		used[unique] = true
		out[i] = unique
	}
	return out
}

func (r Rows) document() document {
	t := table{}
	for _, c := range r.Columns {
		t.columns = append(t.columns, column{name: c, least: 8})
	}
	for _, row := range r.Rows {
		cells := make([]cell, len(r.Columns))
		for i := range cells {
			if i < len(row) {
				cells[i] = text(sqlText(row[i]))
			}
		}
		t.rows = append(t.rows, cells)
	}
	return listing(t, "No rows.", count(len(r.Rows), "row"))
}

func sqlText(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

// Grid is any other table: columns, rows, notes below it. JSON shows Document,
// or the rows as objects when it is nil.
type Grid struct {
	Title    string
	Columns  []string
	Rows     [][]string
	Notes    []string
	Empty    string // said when there are no rows
	Summary  string
	Document any
}

func (g Grid) value() any {
	if g.Document != nil {
		return g.Document
	}
	return g.asRows().value()
}

func (g Grid) asRows() Rows {
	r := Rows{Columns: g.Columns}
	for _, row := range g.Rows {
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = v
		}
		r.Rows = append(r.Rows, values)
	}
	return r
}

func (g Grid) document() document {
	d := g.asRows().document()
	if len(g.Rows) == 0 {
		d.empty = g.Empty
	}
	d.title, d.notes, d.summary = g.Title, g.Notes, g.Summary
	return d
}
