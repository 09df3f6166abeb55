package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Graph shows the reference graph of a container package as a tree, with what
// would become of each version and why.
type Graph struct {
	Package  string      `json:"package"`
	Complete bool        `json:"complete"`
	Nodes    []GraphNode `json:"nodes"`
	Problems []string    `json:"problems"`
}

// GraphNode is one manifest. A missing one is listed by an index and not there.
type GraphNode struct {
	Digest    string      `json:"digest"`
	VersionID string      `json:"version_id,omitempty"` // "" for a missing one
	Kind      string      `json:"kind"`
	Platform  string      `json:"platform,omitempty"`
	Tags      []string    `json:"tags"` // referrer tags included
	Verdict   string      `json:"verdict"`
	Why       string      `json:"why"`
	Edges     []GraphEdge `json:"edges"`
}

// GraphEdge points at what a manifest needs: a child that it lists, or a
// referrer that belongs to it.
type GraphEdge struct {
	To   string `json:"to"` // digest
	Type string `json:"type"`
}

// The types of edge.
const (
	EdgeChild    = "child"
	EdgeReferrer = "referrer"
)

func (g Graph) value() any {
	out := g
	out.Nodes, out.Problems = list(g.Nodes), list(g.Problems)
	for i := range out.Nodes {
		out.Nodes[i].Tags, out.Nodes[i].Edges = list(out.Nodes[i].Tags), list(out.Nodes[i].Edges)
	}
	return struct {
		Schema string `json:"schema"`
		Graph
	}{"shelflife.graph/v1", out}
}

func (g Graph) document() document {
	t := table{heading: g.Package, columns: []column{
		{name: "GRAPH", least: 24}, {name: "TAGS", code: true, least: 6}, {name: "VERDICT", least: 8}, {name: "WHY", least: 12},
	}}
	g.walk(func(n GraphNode, edge, branch string, again bool) {
		c := cell{branch: branch, text: n.label(edge)}
		if again {
			t.rows = append(t.rows, []cell{c, text(""), {text: "see above", tone: faint}, text("")})
			return
		}
		t.rows = append(t.rows, []cell{c, text(strings.Join(shortTags(n.Tags), ", ")), {text: n.Verdict, tone: verdictTone(n.Verdict)}, text(n.Why)})
	})
	d := listing(t, "No versions.", count(len(g.Nodes), "manifest"))
	d.notes = g.Problems
	return d
}

// shortTags cuts the digests in referrer tags as digests are cut elsewhere.
func shortTags(tags []string) []string {
	out := make([]string, len(tags))
	for i, t := range tags {
		out[i] = t
		if _, suffix, ok := retention.ReferrerTag(t); ok {
			out[i] = t[:len("sha256-")+12] + "…"
			if suffix != "" {
				out[i] += "." + suffix
			}
		}
	}
	return out
}

func verdictTone(verdict string) tone {
	switch {
	case strings.HasPrefix(verdict, "delete planned"):
		return bad
	case strings.HasPrefix(verdict, "missing"):
		return doubtful
	case verdict == "stays":
		return good
	}
	return plain
}

// label is what a node is called in the tree.
func (n GraphNode) label(edge string) string {
	parts := []string{n.Kind}
	if edge == EdgeReferrer {
		parts = []string{"◂ " + n.Kind}
	}
	if n.Platform != "" {
		parts = append(parts, n.Platform)
	}
	return strings.Join(append(parts, shortDigest(n.Digest)), " ")
}

// walk visits the tree depth first: roots are what nothing points at; what
// several point at is shown whole once, and then only named.
func (g Graph) walk(visit func(n GraphNode, edge, branch string, again bool)) {
	byDigest := map[string]GraphNode{}
	pointedAt := map[string]bool{}
	for _, n := range g.Nodes {
		byDigest[n.Digest] = n
		for _, e := range n.Edges {
			pointedAt[e.To] = pointedAt[e.To] || e.To != n.Digest
		}
	}
	seen := map[string]bool{}
	var down func(n GraphNode, edge, branch, below string)
	down = func(n GraphNode, edge, branch, below string) {
		again := seen[n.Digest]
		visit(n, edge, branch, again)
		if again {
			return
		}
		seen[n.Digest] = true
		for i, e := range n.Edges {
			child, ok := byDigest[e.To]
			if !ok {
				child = GraphNode{Digest: e.To, Kind: "unknown", Verdict: "missing"}
			}
			if i == len(n.Edges)-1 {
				down(child, e.Type, below+"└ ", below+"  ")
			} else {
				down(child, e.Type, below+"├ ", below+"│ ")
			}
		}
	}
	for _, n := range g.Nodes {
		if !pointedAt[n.Digest] {
			down(n, "", "", "")
		}
	}
	for _, n := range g.Nodes { // only a cycle has no root
		if !seen[n.Digest] {
			down(n, "", "", "")
		}
	}
}

// Component returns the part of the graph that is connected with a digest.
func (g Graph) Component(digest string) Graph {
	near := map[string][]string{}
	for _, n := range g.Nodes {
		for _, e := range n.Edges {
			near[n.Digest] = append(near[n.Digest], e.To)
			near[e.To] = append(near[e.To], n.Digest)
		}
	}
	in := map[string]bool{}
	for queue := []string{digest}; len(queue) > 0; queue = queue[1:] {
		if !in[queue[0]] {
			in[queue[0]] = true
			queue = append(queue, near[queue[0]]...)
		}
	}
	g.Nodes = slices.DeleteFunc(slices.Clone(g.Nodes), func(n GraphNode) bool { return !in[n.Digest] })
	return g
}

// DOT writes the graph for Graphviz.
func DOT(w io.Writer, g Graph) error {
	return buffered(w, func(b *bufio.Writer) {
		fmt.Fprintf(b, "digraph %s {\n  rankdir=LR;\n  node [shape=box];\n", dotText(g.Package))
		for _, n := range g.Nodes {
			lines := []string{n.label(""), strings.Join(n.Tags, ", "), n.Verdict}
			lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
			style := ""
			if strings.HasPrefix(n.Verdict, "delete planned") {
				style = ", style=dashed"
			}
			fmt.Fprintf(b, "  %s [label=%s%s];\n", dotText(n.Digest), dotText(strings.Join(lines, "\n")), style)
		}
		for _, n := range g.Nodes {
			for _, e := range n.Edges {
				style := ""
				if e.Type == EdgeReferrer {
					style = " [style=dotted, label=referrer]"
				}
				fmt.Fprintf(b, "  %s -> %s%s;\n", dotText(n.Digest), dotText(e.To), style)
			}
		}
		fmt.Fprintln(b, "}")
	})
}

// dotText quotes a text for DOT: control characters out, quotes and backslashes
// escaped, line breaks as DOT writes them.
func dotText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
