package policy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/shelflife-dev/shelflife/internal/near"
)

// Finding is one thing that is wrong with a policy set.
type Finding struct {
	File    string   `json:"file,omitempty"` // "" when no file is to blame, as for parameters
	Line    int      `json:"line,omitempty"` // from 1; 0 when unknown
	Col     int      `json:"col,omitempty"`  // from 1; 0 when unknown
	Message string   `json:"message"`        // ends with the near names or the next step
	Near    []string `json:"near,omitempty"` // names that may have been meant, nearest first
}

// String returns file:line:col: message.
func (f Finding) String() string {
	at := f.place()
	if at == "" {
		return f.Message
	}
	return at + ": " + f.Message
}

// place is file:line:col, as far as it is known.
func (f Finding) place() string {
	at := f.File
	if f.Line > 0 {
		at += fmt.Sprintf(":%d", f.Line)
		if f.Col > 0 {
			at += fmt.Sprintf(":%d", f.Col)
		}
	}
	return at
}

// Findings is the error of a policy set that cannot be used.
type Findings []Finding

// Error lists all findings, one a line.
func (fs Findings) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders by place and drops repetitions.
func (fs Findings) sorted() Findings {
	slices.SortFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(fs, func(a, b Finding) bool { return a.String() == b.String() })
}

// asFindings is nil when there are none.
func asFindings(found Findings) error {
	if len(found) == 0 {
		return nil
	}
	return found
}

func (fs *Findings) add(at *ast.Location, format string, args ...any) {
	*fs = append(*fs, findingAt(at, fmt.Sprintf(format, args...)))
}

func findingAt(at *ast.Location, message string) Finding {
	f := Finding{Message: message}
	if at != nil {
		f.File, f.Line, f.Col = at.File, at.Row, at.Col
	}
	return f
}

// findingsOf translates OPA's errors.
func findingsOf(err error) Findings {
	var many ast.Errors
	var one *ast.Error
	switch {
	case errors.As(err, &many):
		out := make(Findings, 0, len(many))
		for _, e := range many {
			out = append(out, findingOf(e))
		}
		return out
	case errors.As(err, &one):
		return Findings{findingOf(one)}
	default:
		return Findings{{Message: err.Error()}}
	}
}

var undefinedFunction = regexp.MustCompile(`^undefined function (\S+)$`)

func findingOf(e *ast.Error) Finding {
	f := findingAt(e.Location, e.Message)
	if d, ok := e.Details.(*ast.RefErrInvalidDetail); ok && len(d.OneOf) > 0 && d.Pos < len(d.Ref) {
		return misspeltField(f, d)
	}
	if m := undefinedFunction.FindStringSubmatch(e.Message); m != nil {
		return undefinedBuiltin(f, m[1])
	}
	if e.Details != nil {
		f.Message += ": " + strings.Join(trimmed(e.Details.Lines()), "; ")
	}
	return f
}

// misspeltField turns "undefined ref" into the name that was meant.
func misspeltField(f Finding, d *ast.RefErrInvalidDetail) Finding {
	name, parent := plain(d.Ref[d.Pos].Value), dotted(d.Ref[:d.Pos])
	names := make([]string, 0, len(d.OneOf))
	for _, v := range d.OneOf {
		names = append(names, plain(v))
	}
	if at := d.Ref[d.Pos].Location; at != nil && at.File == f.File && at.Row >= f.Line {
		f.Line, f.Col = at.Row, at.Col
	}
	f.Near = near.Names(name, names)
	f.Message = fmt.Sprintf("%s has no field %q", parent, name)
	if len(f.Near) > 0 {
		f.Message += ": " + near.DidYouMean(f.Near)
	} else {
		f.Message += "; it has " + strings.Join(names, ", ")
	}
	return f
}

func undefinedBuiltin(f Finding, name string) Finding {
	known := builtinNames(ast.CapabilitiesForThisVersion())
	if slices.Contains(known, name) {
		f.Message = fmt.Sprintf("%s is not available to policies: %s", name, whyRefused(name))
		return f
	}
	f.Near = near.Names(name, known)
	f.Message = fmt.Sprintf("there is no function %s", name)
	if len(f.Near) > 0 {
		f.Message += ": " + near.DidYouMean(f.Near)
	}
	return f
}

// dotted writes a reference as people do, also where a field bears the name of
// a keyword, as package does.
func dotted(r ast.Ref) string {
	var b strings.Builder
	for i, t := range r {
		s, isText := t.Value.(ast.String)
		switch {
		case i == 0:
			b.WriteString(t.Value.String())
		case isText && identifier.MatchString(string(s)):
			b.WriteString("." + string(s))
		default:
			b.WriteString("[" + t.Value.String() + "]")
		}
	}
	return b.String()
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func plain(v ast.Value) string {
	if s, ok := v.(ast.String); ok {
		return string(s)
	}
	return v.String()
}

// trimmed makes one line's worth of OPA's details: single spaces, no carets.
func trimmed(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if l = strings.Join(strings.Fields(l), " "); l != "" && strings.Trim(l, "^") != "" {
			out = append(out, l)
		}
	}
	return out
}
