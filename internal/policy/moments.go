package policy

import (
	"strconv"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// moments notes until when an evaluation at one instant would come out the same.
// An evaluation depends on time only through ages, and on an age only where it is
// compared: as long as every comparison that it made has the same result, it takes
// the same way. Whatever else is done with an age makes it unclear, and then it
// holds for no later instant at all.
type moments struct {
	days    float64 // how many days it holds; less than 0 for ever
	unclear bool
}

func newMoments() *moments { return &moments{days: -1} }

// holds returns the first instant at which it may come out otherwise; the zero
// time when there is none.
func (m *moments) until(at time.Time) time.Time {
	switch {
	case m.unclear:
		return at
	case m.days < 0:
		return time.Time{}
	}
	return at.Add(time.Duration(m.days * float64(24*time.Hour)))
}

// ends notes that a comparison changes after that many days.
func (m *moments) ends(days float64) {
	days = max(0, days-tie)
	if m.days < 0 || days < m.days {
		m.days = days
	}
}

// tie is how near, in days (9 ms), two numbers have to be for the rounding of
// ages to matter.
const tie = 1e-7

// Ages are written so that they can be told from other numbers, in the same value:
// days since with the exponent e0, days left with e+0, the days between two ages
// with e-0. Nothing else makes numbers that are written like that.
const (
	growing   = "e0"
	shrinking = "e+0"
	between   = "e-0"
)

// clocked is a number with how it changes, in days a day.
type clocked struct {
	value float64
	slope int
	// rounded says that it is made of ages, and in its last digits differs from
	// instant to instant.
	rounded bool
}

// readClocked reads a number; ok is false for what is no number.
func readClocked(v ast.Value) (c clocked, ok bool) {
	n, ok := v.(ast.Number)
	if !ok {
		return c, false
	}
	c.value, ok = n.Float64()
	switch {
	case strings.HasSuffix(string(n), growing):
		c.slope = 1
	case strings.HasSuffix(string(n), shrinking):
		c.slope = -1
	case strings.HasSuffix(string(n), between):
		c.rounded = true
	}
	return c, ok
}

// madeOfAges reports whether a number is an age or made of ages.
func madeOfAges(n ast.Number) bool {
	s := string(n)
	return strings.HasSuffix(s, growing) || strings.HasSuffix(s, shrinking) || strings.HasSuffix(s, between)
}

// write writes a number that changes in that way; ok is false where there is no
// way to write it.
func write(n ast.Number, slope int) (ast.Number, bool) {
	f, ok := n.Float64()
	as, known := map[int]string{1: growing, -1: shrinking, 0: between}[slope]
	return ast.Number(strconv.FormatFloat(f, 'f', -1, 64) + as), ok && known
}

// compared notes a comparison of two values.
func (m *moments) compared(a, b ast.Value) {
	x, isNumber := readClocked(a)
	y, both := readClocked(b)
	if !isNumber || !both {
		if hasAge(a) || hasAge(b) {
			// A number and something else compare by their kinds.
			m.unclear = m.unclear || composite(a) && composite(b)
		}
		return
	}
	slope := float64(x.slope - y.slope)
	apart := x.value - y.value
	switch {
	case slope == 0 && !x.rounded && !y.rounded: // two ages stay as they are apart
	case apart > -tie && apart < tie:
		m.ends(0)
	case apart*slope < 0:
		m.ends(-apart / slope)
	}
}

func composite(v ast.Value) bool {
	switch v.(type) {
	case *ast.Array, ast.Object, ast.Set:
		return true
	}
	return false
}

// hasAge reports whether a value is or holds an age.
func hasAge(v ast.Value) bool {
	switch v := v.(type) {
	case ast.Number:
		return madeOfAges(v)
	case *ast.Array:
		return v.Until(func(t *ast.Term) bool { return hasAge(t.Value) })
	case ast.Set:
		return v.Until(func(t *ast.Term) bool { return hasAge(t.Value) })
	case ast.Object:
		return v.Until(func(k, t *ast.Term) bool { return hasAge(k.Value) || hasAge(t.Value) })
	}
	return false
}

// ordered reports whether the order of neighbours in a sorted list is the same at
// any time: they differ before an age is met, or by two ages that grow alike.
func ordered(list *ast.Array) bool {
	for i := 1; i < list.Len(); i++ {
		if !alwaysOrdered(list.Elem(i-1).Value, list.Elem(i).Value) {
			return false
		}
	}
	return true
}

func alwaysOrdered(a, b ast.Value) bool {
	if !hasAge(a) && !hasAge(b) {
		return true
	}
	x, xok := a.(*ast.Array)
	y, yok := b.(*ast.Array)
	if xok && yok {
		for i := range min(x.Len(), y.Len()) {
			v, w := x.Elem(i).Value, y.Elem(i).Value
			if !alwaysOrdered(v, w) {
				return false
			}
			if v.Compare(w) != 0 {
				return true
			}
		}
		return true
	}
	v, vok := readClocked(a)
	w, wok := readClocked(b)
	return vok && wok && v.slope == w.slope && !v.rounded && !w.rounded
}
