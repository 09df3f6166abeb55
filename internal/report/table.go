package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Table writes a view for people at a terminal.
func Table(w io.Writer, v View, o Options) error {
	return buffered(w, func(b *bufio.Writer) { terminal{b, o}.document(v.document()) })
}

type terminal struct {
	w *bufio.Writer
	o Options
}

func (t terminal) line(parts ...string) { fmt.Fprintln(t.w, strings.Join(parts, "")) }

func (t terminal) document(d document) {
	if d.title != "" {
		t.line(strings.TrimSpace(clean(d.title) + " " + clean(d.subject)))
	}
	for _, f := range d.facts {
		t.line("  ", clean(f.name), ": ", clean(f.value))
	}
	if d.title != "" && (len(d.tables) > 0 || d.empty != "") {
		t.line()
	}
	if len(d.tables) == 0 && d.empty != "" {
		t.line(clean(d.empty))
	}
	layouts := fit(d.tables, t.o.Width)
	for i, tab := range d.tables {
		if i > 0 {
			t.line()
		}
		t.table(tab, layouts[i])
	}
	if dropped := droppedOf(layouts); len(dropped) > 0 {
		t.line("(no room for ", clean(strings.Join(dropped, ", ")), "; widen the terminal or use --format json)")
	}
	if len(d.notes) > 0 {
		t.line()
	}
	for _, n := range d.notes {
		t.line(t.paint(doubtful, "! "), clean(n))
	}
	if d.summary != "" {
		if len(d.tables) > 0 || len(d.notes) > 0 {
			t.line()
		}
		t.line(clean(d.summary))
	}
}

func (t terminal) table(tab table, l layout) {
	indent := ""
	if tab.heading != "" {
		t.line(clean(tab.heading))
		indent = "  "
	}
	header := make([]cell, len(tab.columns))
	for i, c := range tab.columns {
		header[i] = cell{text: c.name, tone: faint}
	}
	t.row(indent, tab.columns, header, l)
	for row := range tab.each() {
		t.row(indent, tab.columns, row, l)
	}
	for _, n := range tab.notes {
		t.line(indent, t.paint(doubtful, "! "), clean(n))
	}
}

func (t terminal) row(indent string, columns []column, row []cell, l layout) {
	var b strings.Builder
	blank := 0 // columns' worth of spaces not written yet, so that no line ends in them
	for i, c := range row {
		if l.widths[i] < 0 {
			continue
		}
		s := cut(c, l.widths[i])
		pad := max(0, l.widths[i]-width(s))
		if columns[i].right {
			blank, pad = blank+pad, 0
		}
		if s != "" {
			b.WriteString(strings.Repeat(" ", blank))
			b.WriteString(t.paint(c.tone, s))
			blank = 0
		}
		blank += pad + gap
	}
	t.line(indent, b.String())
}

func (t terminal) paint(as tone, s string) string {
	code := [...]string{bad: "31", good: "32", doubtful: "33", faint: "2"}[as]
	if !t.o.Color || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// whole is the text of a cell without cutting, lead first.
func whole(c cell) (lead, rest string) {
	if c.branch != "" {
		return c.branch, clean(c.text)
	}
	lead = clean(c.lead)
	if c.child {
		lead = "└ " + lead
	}
	if len(c.more) > 0 {
		lead += fmt.Sprintf(" (+%d)", len(c.more))
	}
	if c.lead != "" && c.text != "" {
		lead += ": "
	}
	return lead, clean(c.text)
}

// cut shortens the rest of a cell, never its lead, to a width.
func cut(c cell, to int) string {
	lead, rest := whole(c)
	if width(lead)+width(rest) <= to {
		return lead + rest
	}
	return lead + measure().Truncate(rest, max(1, to-width(lead)), "…")
}

// measure does not look at the locale: the same text has the same width everywhere.
func measure() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

func width(s string) int { return measure().StringWidth(s) }
