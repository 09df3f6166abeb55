package html

import "fmt"

// Drawing is a picture of boxes and the lines between them, laid out by its
// maker. Everything in it is text or a number.
type Drawing struct {
	Name   string
	About  string // one line on what is drawn
	Search string // what a search in the page finds it by
	Width  int    // px
	Height int    // px
	Boxes  []Box
	Edges  []Edge
}

// Box is one node.
type Box struct {
	X, Y, W, H int
	Tone       Tone
	Dashed     bool
	Title      string // shown whole when a pointer rests on it
	Lines      []Line
}

// Line is one line of text in a box, at its baseline.
type Line struct {
	X, Y  int
	Text  string
	Class string // of the style: "", small, mono, chip
}

// Edge leads from the right side of one box to the left side of another.
type Edge struct {
	FromX, FromY, ToX, ToY int
	Dotted                 bool
}

// Path is the edge as SVG path data.
func (e Edge) Path() string {
	mid := (e.FromX + e.ToX) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", e.FromX, e.FromY, mid, e.FromY, mid, e.ToY, e.ToX, e.ToY)
}
