package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Format is a form of output. The zero Format is a table.
type Format int

// The formats.
const (
	FormatTable Format = iota
	FormatJSON
	FormatMarkdown
	FormatHTML
)

var formatNames = [...]string{"table", "json", "markdown", "html"}

// String returns the word that --format takes.
func (f Format) String() string {
	if f < 0 || int(f) >= len(formatNames) {
		return fmt.Sprintf("invalid(%d)", int(f))
	}
	return formatNames[f]
}

// ParseFormat reads the word that --format takes.
func ParseFormat(s string) (Format, error) {
	for i, name := range formatNames {
		if s == name {
			return Format(i), nil
		}
	}
	return 0, fmt.Errorf("format %q is not known; use one of %s", s, strings.Join(formatNames[:], ", "))
}

// Options are how to show a view: Width and Color for tables, Home for HTML.
type Options struct {
	Width int    // columns of the terminal; 0 for no limit
	Color bool   // use ANSI colours
	Home  string // address that the page leads back to; "" in a file
}

// UseColor reports whether to colour: it was asked for and NO_COLOR is not set.
func UseColor(asked bool, env func(string) string) bool { return asked && env("NO_COLOR") == "" }

// View is something that can be shown in every format. The views are the types
// of this package: Plan, Run, Runs, Verifications, Policies, Packages, Versions,
// Graph, Rows and Grid, and several of them as Views.
type View interface {
	document() document
	value() any // what JSON shows
}

// Write shows a view in a format.
func Write(w io.Writer, f Format, v View, o Options) error {
	if several, ok := v.(Views); ok && f != FormatHTML {
		for _, v := range several {
			if err := Write(w, f, v, o); err != nil {
				return err
			}
		}
		return nil
	}
	switch f {
	case FormatTable:
		return Table(w, v, o)
	case FormatJSON:
		return JSON(w, v)
	case FormatMarkdown:
		return Markdown(w, v)
	case FormatHTML:
		return HTML(w, v, o)
	}
	return fmt.Errorf("write report: format %v is not known; use one of %s", f, strings.Join(formatNames[:], ", "))
}

// buffered runs write on a buffer over w and reports the first error of w.
func buffered(w io.Writer, write func(*bufio.Writer)) error {
	b := bufio.NewWriter(w)
	write(b)
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
