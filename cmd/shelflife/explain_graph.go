package main

import (
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// formatDOT is the one format that only explain has.
const formatDOT = "dot"

// explainGraph is the reference graph of a container package with what would
// become of each manifest. Deleted versions hold nothing: they stand alone.
func explainGraph(ref retention.PackageRef, x enforce.Explanation) report.Graph {
	g := report.Graph{Package: ref.String(), Complete: x.Inventory.Complete}
	for _, p := range slices.Concat(x.Inventory.Problems, x.Judgement.Failures) {
		g.Problems = append(g.Problems, string(p.Kind)+": "+p.Detail)
	}
	for _, v := range x.Inventory.Versions {
		e := explainOne(x, v.ID)
		n := report.GraphNode{
			Digest: v.Name, VersionID: v.ID.String(), Kind: string(retention.KindUnknown), Verdict: e.Verdict, Why: e.Why,
			Tags: slices.Concat(v.Tags, v.Referrers),
		}
		node, ok := x.Inventory.Graph.Node(v.Name)
		if !v.IsActive() || !ok {
			g.Nodes = append(g.Nodes, n)
			continue
		}
		n.Kind, n.Platform = string(node.Kind), node.Platform
		for _, c := range node.Children {
			n.Edges = append(n.Edges, report.GraphEdge{To: c, Type: report.EdgeChild})
		}
		for _, r := range x.Inventory.Graph.Referrers(v.Name) {
			if !slices.Contains(node.Children, r) {
				n.Edges = append(n.Edges, report.GraphEdge{To: r, Type: report.EdgeReferrer})
			}
		}
		if len(e.Decisions) == 0 && e.Item == nil {
			if held := holders(x.Inventory, v); held != "" {
				n.Why = "goes and stays with " + held
			}
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

// holders names what a version belongs to: the indexes that list it, or the
// manifest that it refers to.
func holders(inv retention.Inventory, v retention.Version) string {
	digests := inv.Graph.Parents(v.Name)
	if n, ok := inv.Graph.Node(v.Name); ok && len(digests) == 0 {
		digests = n.Subjects()
	}
	var names []string
	for _, w := range inv.Versions {
		if w.IsActive() && slices.Contains(digests, w.Name) {
			name := shortName(w.Name)
			if len(w.Tags) > 0 {
				name = w.Tags[0]
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// showExplanation draws the graph of containers, and lists everything else.
func (s *session) showExplanation(ref reference, x enforce.Explanation, way *policy.Trace) error {
	container := ref.Type == retention.Container
	if s.format == formatDOT && !container {
		return usagef("--format dot draws containers only; %s has no graph", ref.PackageRef)
	}
	grid, graph := explainPackage(ref.PackageRef, x), explainGraph(ref.PackageRef, x)
	single := ref.version != ""
	if single {
		v, err := pick(x.Inventory, ref)
		if err != nil {
			return err
		}
		grid, graph = explainVersion(ref.PackageRef, x, v), graph.Component(v.Name)
		addTrace(&grid, way)
	}
	if !container {
		return s.show(grid)
	}
	switch s.format {
	case formatDOT:
		return report.DOT(s.out, graph)
	case report.FormatJSON.String():
		if doc, ok := grid.Document.(map[string]any); ok {
			doc["graph"] = graph
		}
		return s.show(grid)
	}
	if !single {
		return s.show(graph)
	}
	return s.show(report.Views{graph, grid})
}
