package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/report/html"
)

// The sizes of a drawing, in px.
const (
	boxWidth, boxHeight = 236, 58
	boxGapX, boxGapY    = 56, 14
	boxPad              = 10
	labelRunes          = 34 // that fit into a box
)

func (g Graph) page(prefix string) html.Page {
	d := g.document()
	page := documentHead(d)
	page.Title, page.Subject = "Explain", clean(g.Package)
	if len(g.Nodes) == 0 {
		return page
	}
	page.Message = ""
	page.Facts = append(page.Facts, html.Fact{Name: "read whole", Value: map[bool]string{true: "yes", false: "no: nothing of it is deleted"}[g.Complete]})
	page.Tiles = graphTiles(g.Nodes)
	page.Sections = append(page.Sections, html.Section{
		ID: prefix + "graph", Kind: html.KindGraphs, Heading: "What belongs together", Drawings: g.drawings(),
		Lead: "An index leads to the images that it lists; a dotted line leads to a signature, attestation or SBOM that belongs to what is left of it. What stays keeps all that it leads to.",
	})
	t := tableSection(prefix+"nodes", d.tables[0])
	t.Heading, t.Code = "The same in words", false
	page.Sections = append(page.Sections, t)
	return page
}

func graphTiles(nodes []GraphNode) []html.Tile {
	var tiles []html.Tile
	at := map[string]int{}
	for _, n := range nodes {
		if _, ok := at[n.Verdict]; !ok {
			at[n.Verdict] = len(tiles)
			tiles = append(tiles, html.Tile{Name: clean(n.Verdict), Tone: toneOf(verdictTone(n.Verdict))})
		}
		tiles[at[n.Verdict]].Value++
	}
	return tiles
}

// drawings draws every part of the graph that hangs together.
func (g Graph) drawings() []html.Drawing {
	type rooted struct {
		root GraphNode
		part Graph
	}
	var parts []rooted
	seen := map[string]bool{}
	g.walk(func(n GraphNode, edge, _ string, _ bool) {
		if edge != "" || seen[n.Digest] {
			return // not a root, or drawn with another one
		}
		part := g.Component(n.Digest)
		for _, m := range part.Nodes {
			seen[m.Digest] = true
		}
		parts = append(parts, rooted{n, part})
	})
	// What goes is looked for first, then what hangs together.
	slices.SortStableFunc(parts, func(a, b rooted) int {
		return cmp.Or(-cmp.Compare(a.part.going(), b.part.going()), -cmp.Compare(min(2, len(a.part.Nodes)), min(2, len(b.part.Nodes))))
	})
	out := make([]html.Drawing, len(parts))
	for i, p := range parts {
		out[i] = p.part.drawing(p.root)
	}
	return out
}

// going is 1 when anything in the graph is to be deleted.
func (g Graph) going() int {
	if slices.ContainsFunc(g.Nodes, GraphNode.goes) {
		return 1
	}
	return 0
}

func (n GraphNode) goes() bool { return strings.HasPrefix(n.Verdict, "delete planned") }

// drawing lays a part out in columns: what needs is left of what it needs, and
// stands beside the first of it.
func (g Graph) drawing(first GraphNode) html.Drawing {
	l := drawer{nodes: map[string]GraphNode{}, depth: map[string]int{}, row: map[string]int{}}
	for _, n := range g.Nodes {
		l.nodes[n.Digest] = n
	}
	g.walk(func(n GraphNode, edge, branch string, _ bool) {
		if _, ok := l.nodes[n.Digest]; !ok {
			l.nodes[n.Digest] = n // missing: listed, and not there
		}
		// How deep a node is drawn is the longest way to it.
		if d := len([]rune(branch)) / 2; d > l.depth[n.Digest] {
			l.depth[n.Digest] = d
		}
		if !slices.Contains(l.order, n.Digest) {
			l.order = append(l.order, n.Digest)
		}
	})
	l.place()
	about := first.Kind + ", " + first.Verdict
	if len(l.order) > 1 {
		about = fmt.Sprintf("%s with %s in all, %s", first.Kind, count(len(l.order), "manifest"), first.Verdict)
	}
	d := html.Drawing{Name: clean(first.name()), About: clean(about)}
	var search []string
	for _, digest := range l.order {
		n := l.nodes[digest]
		box := l.box(n)
		d.Boxes = append(d.Boxes, box)
		d.Width, d.Height = max(d.Width, box.X+box.W+1), max(d.Height, box.Y+box.H+1)
		search = append(search, clean(n.Digest), clean(strings.Join(n.Tags, " ")), clean(n.Verdict))
		for _, e := range n.Edges {
			to := l.box(l.nodes[e.To])
			d.Edges = append(d.Edges, html.Edge{FromX: box.X + box.W, FromY: box.Y + box.H/2, ToX: to.X, ToY: to.Y + to.H/2, Dotted: e.Type == EdgeReferrer})
		}
	}
	d.Search = strings.Join(search, " ")
	return d
}

// name is what a person calls a manifest: its tags, or its digest.
func (n GraphNode) name() string {
	if len(n.Tags) > 0 {
		return strings.Join(shortTags(n.Tags), ", ")
	}
	return shortDigest(n.Digest)
}

type drawer struct {
	nodes map[string]GraphNode
	order []string // as walked
	depth map[string]int
	row   map[string]int
}

// place gives every node the first row that is free in its column and not above
// the node that it was reached from.
func (l *drawer) place() {
	next := map[int]int{} // by depth
	from := map[string]string{}
	for _, digest := range l.order {
		for _, e := range l.nodes[digest].Edges {
			if _, ok := from[e.To]; !ok {
				from[e.To] = digest
			}
		}
	}
	for _, digest := range l.order {
		d := l.depth[digest]
		row := next[d]
		if parent, ok := from[digest]; ok {
			row = max(row, l.row[parent])
		}
		l.row[digest] = row
		next[d] = row + 1
		if d == 0 {
			continue
		}
		// A later root must not stand beside what belongs to an earlier one.
		next[0] = max(next[0], row+1)
	}
}

func (l *drawer) box(n GraphNode) html.Box {
	b := html.Box{
		X: l.depth[n.Digest] * (boxWidth + boxGapX), Y: l.row[n.Digest] * (boxHeight + boxGapY), W: boxWidth, H: boxHeight,
		Tone: toneOf(verdictTone(n.Verdict)), Dashed: n.goes() || n.Verdict == "missing",
		Title: clean(strings.Join(slices.DeleteFunc([]string{n.label(""), strings.Join(n.Tags, ", "), n.Verdict, n.Why}, func(s string) bool { return s == "" }), "; ")),
	}
	b.X++
	b.Y++
	name := shortDigest(n.Digest)
	if len(n.Tags) > 0 {
		name = strings.Join(shortTags(n.Tags), ", ")
	}
	kind := n.Kind
	if n.Platform != "" {
		kind += " " + n.Platform
	}
	b.Lines = []html.Line{
		{X: b.X + boxPad, Y: b.Y + 18, Text: fitted(clean(kind)), Class: "kind"},
		{X: b.X + boxPad, Y: b.Y + 34, Text: fitted(clean(name)), Class: "mono"},
		{X: b.X + boxPad, Y: b.Y + 50, Text: fitted(clean(n.Verdict)), Class: "small verdict"},
	}
	return b
}

// fitted shortens a label to what fits.
func fitted(s string) string {
	if r := []rune(s); len(r) > labelRunes {
		return string(r[:labelRunes-1]) + "…"
	}
	return s
}
