package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in the configuration file. Line and Column count from 1;
// a zero Line means the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns file:line:column, as editors understand it.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one mistake in the configuration file.
type Problem struct {
	Position
	Message string // what is wrong and what would be right
	Near    string // the word that was probably meant, or ""
}

// Error returns the problem as one line: position, message and near word.
func (p Problem) Error() string {
	s := p.Message
	if where := p.Position.String(); where != "" {
		s = where + ": " + s
	}
	if p.Near != "" {
		s += fmt.Sprintf("; did you mean %q?", p.Near)
	}
	return s
}

// Errors holds all mistakes of a configuration file, sorted by position.
type Errors []Problem

// Error returns the problems, one per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems one by one.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, p := range e {
		errs[i] = p
	}
	return errs
}

// maxProblems bounds what a broken file makes a person read.
const maxProblems = 50

// asError returns the problems sorted and cut, or nil when there are none.
func asError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	sortProblems(problems)
	if more := len(problems) - maxProblems; more > 0 {
		last := problems[maxProblems]
		last.Message, last.Near = fmt.Sprintf("and %d more problems: repair the first ones and try again", more), ""
		problems = append(problems[:maxProblems:maxProblems], last)
	}
	return Errors(problems)
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// quote shows a word of the file, cut to a length that can be read.
func quote(s string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
