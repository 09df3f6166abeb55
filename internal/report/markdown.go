package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Markdown writes a view for a pull request, an issue or a job summary, in
// GitHub's dialect. Names are code; in prose, everything that GitHub would make
// into markup, a link or a mention is escaped or code.
func Markdown(w io.Writer, v View) error {
	return buffered(w, func(b *bufio.Writer) { markdown{b}.document(v.document()) })
}

type markdown struct{ w *bufio.Writer }

func (m markdown) line(parts ...string) { fmt.Fprintln(m.w, strings.Join(parts, "")) }

func (m markdown) document(d document) {
	if d.most > 0 {
		m.bounded(d)
		return
	}
	m.head(d)
	for _, tab := range d.tables {
		m.table(tab)
	}
}

// head is everything above the tables.
func (m markdown) head(d document) {
	if d.title != "" {
		heading := "## " + prose(d.title)
		if d.subject != "" {
			heading += " " + code(d.subject)
		}
		m.line(heading, "\n")
	}
	for _, f := range d.facts {
		m.line("- ", prose(f.name), ": ", prose(f.value))
	}
	if len(d.facts) > 0 {
		m.line()
	}
	if d.summary != "" {
		m.line("**", prose(d.summary), "**\n")
	}
	if len(d.tables) == 0 && d.empty != "" {
		m.line(prose(d.empty), "\n")
	}
	for _, n := range d.notes {
		m.line("- ⚠ ", prose(n))
	}
	if len(d.notes) > 0 {
		m.line()
	}
}

func (m markdown) table(tab table) {
	if tab.heading != "" {
		m.line("### ", code(tab.heading), "\n")
	}
	header, rule := "|", "|"
	for _, c := range tab.columns {
		header += " " + prose(c.name) + " |"
		if c.right {
			rule += " ---: |"
		} else {
			rule += " --- |"
		}
	}
	m.line(header)
	m.line(rule)
	for row := range tab.each() {
		line := "|"
		for i, c := range row {
			line += " " + m.cell(c, tab.columns[i].code) + " |"
		}
		m.line(line)
	}
	m.line()
	for _, n := range tab.notes {
		m.line("- ⚠ ", prose(n))
	}
	if len(tab.notes) > 0 {
		m.line()
	}
}

func (m markdown) cell(c cell, asCode bool) string {
	show := prose
	if asCode {
		show = code
	}
	s := show(c.text)
	if c.branch != "" {
		return code(c.branch + c.text)
	}
	if c.lead != "" {
		s = strings.TrimSuffix(code(c.lead)+": "+s, ": ")
	}
	if c.child {
		s = "└ " + s
	}
	for _, more := range c.more {
		s += "<br>" + m.cell(more, asCode)
	}
	return s
}

// code shows text as it is, in the manner of code: GitHub finds no markup,
// link or mention there. Where a plain code span could be broken out of, an
// element with every mark as an entity does the same.
func code(s string) string {
	s = clean(s)
	if s == "" {
		return ""
	}
	if strings.TrimSpace(s) == s && !strings.ContainsAny(s, "`|\\") {
		return "`" + s + "`"
	}
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range s {
		if r < 0x80 && r != ' ' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteString("</code>")
	return b.String()
}

// Code is text as Markdown shows it in the manner of code, whatever is in it.
func Code(s string) string { return code(s) }

// Prose is text as Markdown shows it with all of its markup escaped.
func Prose(s string) string { return prose(s) }

// prose escapes all markup in text. Words that GitHub would link (mentions,
// addresses, issue numbers) become code, where it does not.
func prose(s string) string {
	words := strings.Split(clean(s), " ")
	for i, word := range words {
		if isLinked(word) {
			words[i] = code(word)
		} else {
			words[i] = escapeMarkup(word)
		}
	}
	return strings.Join(words, " ")
}

func isLinked(word string) bool {
	lower := strings.ToLower(word)
	return strings.ContainsAny(word, "@#") || strings.Contains(lower, "://") || strings.Contains(lower, "www.") ||
		strings.Contains(lower, "gh-") || strings.HasPrefix(lower, "mailto:") || strings.HasPrefix(lower, "xmpp:")
}

func escapeMarkup(word string) string {
	var b strings.Builder
	for i, r := range word {
		switch {
		case strings.ContainsRune("|<>&`\\", r): // these would act in tables and HTML too
			fmt.Fprintf(&b, "&#%d;", r)
		case strings.ContainsRune("*_[]~$!", r), i == 0 && strings.ContainsRune("#+-=", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
