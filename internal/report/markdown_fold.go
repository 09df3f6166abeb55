package report

import (
	"bufio"
	"fmt"
	"strings"
	"unicode"
)

// bounded writes a document within its number of bytes, its tables folded.
func (m markdown) bounded(d document) {
	var b strings.Builder
	w := bufio.NewWriter(&b)
	markdown{w}.head(d)
	_ = w.Flush() // a strings.Builder takes everything
	fmt.Fprint(m.w, b.String())
	m.folded(d.tables, d.most-b.Len())
}

// folded writes tables that people open one by one, within a number of bytes.
// What does not fit is counted, never cut through.
func (m markdown) folded(tables []table, room int) {
	const lastLine = 200 // kept for the count of what was left out
	room -= lastLine
	rows, whole := 0, 0
	for _, t := range tables {
		n := len(t.rows)
		text := foldedTable(t, n)
		for len(text) > room && n > 0 {
			n /= 2
			text = foldedTable(t, n)
		}
		if n == 0 && len(t.rows) > 0 || len(text) > room {
			rows, whole = rows+len(t.rows), whole+1
			continue
		}
		rows += len(t.rows) - n
		room -= len(text)
		fmt.Fprint(m.w, text)
	}
	switch {
	case whole > 0:
		m.line("**Left out for length: ", fmt.Sprintf("%s, among them all of %s.", count(rows, "row"), count(whole, "table")), "** `--format json` has everything.\n")
	case rows > 0:
		m.line("**Left out for length: ", count(rows, "row"), ".** `--format json` has everything.\n")
	}
}

// foldedTable is a table with its first n rows, behind its heading where it has
// one.
func foldedTable(t table, n int) string {
	left := len(t.rows) - n
	t.rows = t.rows[:n]
	if left > 0 {
		t.notes = append(t.notes[:len(t.notes):len(t.notes)], fmt.Sprintf("%s more of this table left out", count(left, "row")))
	}
	heading := t.heading
	t.heading = ""
	var b strings.Builder
	w := bufio.NewWriter(&b)
	markdown{w}.table(t)
	_ = w.Flush() // a strings.Builder takes everything
	if heading == "" {
		return b.String()
	}
	return "<details><summary>" + element(heading) + " " + escapeElement(clean(t.fold)) + "</summary>\n\n" + b.String() + "</details>\n\n"
}

// element is text as code where GitHub reads HTML, not Markdown.
func element(s string) string { return "<code>" + escapeElement(clean(s)) + "</code>" }

// escapeElement writes every mark as an entity: nothing in it is markup, a link
// or a mention.
func escapeElement(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" /-+,", r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
