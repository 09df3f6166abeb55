package report

import (
	"fmt"
	"strings"
	"time"
)

// document is what the formats for people render: the same for all of them.
// Its strings are raw; each format makes them harmless.
type document struct {
	title   string
	subject string // what the title is about: an id, a name
	facts   []fact
	tables  []table
	empty   string // said when there is no table
	notes   []string
	summary string
	// most bounds the Markdown in bytes and folds its tables; 0 does neither.
	most int
}

type fact struct{ name, value string }

type table struct {
	heading string
	fold    string // said behind the heading where the table is folded
	columns []column
	rows    [][]cell
	notes   []string
}

type column struct {
	name  string
	right bool
	code  bool // Markdown shows its cells as code
	least int  // the width it may be cut to; 0 means never cut
	drop  int  // left out when there is no room, the highest first; 0 means never
}

type cell struct {
	lead  string // never cut
	text  string
	more  []cell // said in full by Markdown, counted by tables
	child bool   // goes with the row above
	// branch is the drawing before a node of a tree, never cut.
	branch string
	tone   tone
}

// tone is what a colour would say.
type tone int

const (
	plain tone = iota
	bad
	good
	doubtful
	faint
)

func text(s string) cell { return cell{text: s} }

func texts(values ...string) []cell {
	cells := make([]cell, len(values))
	for i, v := range values {
		cells[i] = text(v)
	}
	return cells
}

// shortDigest shows a digest by its first twelve hexadecimal digits, and
// anything else as it is.
func shortDigest(s string) string {
	const prefix, digits = "sha256:", 12
	if strings.HasPrefix(s, prefix) && len(s) == len(prefix)+64 {
		return s[:len(prefix)+digits]
	}
	return s
}

// age says how long before now t was, in its largest unit; "" when unknown.
func age(t, now time.Time) string {
	if t.IsZero() || now.IsZero() {
		return ""
	}
	d := now.Sub(t)
	switch {
	case d < 0:
		return "0m"
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// stamp shows an instant to the minute, in UTC; "" when unknown.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// day shows the date of an instant, in UTC; "" when unknown.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// count says n of something, in the plural if need be.
func count(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "ay"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
