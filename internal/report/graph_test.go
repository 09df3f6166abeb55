package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleGraph() Graph {
	edges := func(typ string, to ...string) []GraphEdge {
		var out []GraphEdge
		for _, d := range to {
			out = append(out, GraphEdge{To: d, Type: typ})
		}
		return out
	}
	return Graph{Package: "acme/container/team/api", Complete: true, Nodes: []GraphNode{
		{Digest: "sha256:i", VersionID: "1", Kind: "index", Tags: []string{"v1"}, Verdict: "stays",
			Edges: append(edges(EdgeChild, "sha256:a", "sha256:b", "sha256:gone"), edges(EdgeReferrer, "sha256:s")...)},
		{Digest: "sha256:a", VersionID: "2", Kind: "image", Platform: "linux/amd64", Verdict: "stays", Why: "needed by v1"},
		{Digest: "sha256:b", VersionID: "3", Kind: "image", Platform: "linux/arm64", Verdict: "stays"},
		{Digest: "sha256:s", VersionID: "4", Kind: "signature", Tags: []string{"sha256-" + strings.Repeat("ab", 32) + ".sig"}, Verdict: "stays"},
		{Digest: "sha256:j", VersionID: "5", Kind: "index", Tags: []string{"pr-1"}, Verdict: "delete planned", Why: "old", Edges: edges(EdgeChild, "sha256:a")},
		{Digest: "sha256:x", VersionID: "6", Kind: "index", Verdict: "stays", Edges: edges(EdgeChild, "sha256:y")},
		{Digest: "sha256:y", VersionID: "7", Kind: "index", Verdict: "stays", Edges: edges(EdgeChild, "sha256:x")},
	}}
}

func TestGraphAsATree(t *testing.T) {
	var b bytes.Buffer
	if err := Table(&b, sampleGraph(), Options{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range strings.Split(b.String(), "\n") {
		got = append(got, strings.TrimRight(l, " "))
	}
	want := []string{
		"index sha256:i",
		"├ image linux/amd64 sha256:a",
		"├ image linux/arm64 sha256:b",
		"├ unknown sha256:gone",
		"└ ◂ signature sha256:s",
		"index sha256:j",
		"└ image linux/amd64 sha256:a",
		"index sha256:x",
		"└ index sha256:y",
		"  └ index sha256:x",
	}
	i := 0
	for _, l := range got {
		if i < len(want) && strings.HasPrefix(strings.TrimPrefix(l, "  "), want[i]) {
			i++
		}
	}
	if i != len(want) {
		t.Errorf("line %q is missing or out of order in:\n%s", want[i], b.String())
	}
	for text, n := range map[string]int{"see above": 2, "missing": 1, "needed by v1": 1, "sha256-abababababab….sig": 1} {
		if c := strings.Count(b.String(), text); c != n {
			t.Errorf("%q stands there %d times, want %d:\n%s", text, c, n, b.String())
		}
	}
}

func TestGraphComponent(t *testing.T) {
	var got []string
	for _, n := range sampleGraph().Component("sha256:b").Nodes {
		got = append(got, n.VersionID)
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5"}, got); diff != "" {
		t.Errorf("component (-want +got):\n%s", diff)
	}
}

func TestGraphAsJSONAndDOT(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, sampleGraph()); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Schema   string
		Package  string
		Problems []string
		Nodes    []GraphNode
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "shelflife.graph/v1" || len(doc.Nodes) != 7 || doc.Problems == nil || doc.Nodes[1].Edges == nil {
		t.Errorf("document %+v", doc)
	}

	b.Reset()
	g := sampleGraph()
	g.Nodes[0].Tags = []string{"a\"];}\x1b[31m\nx"}
	if err := DOT(&b, g); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"sha256:i" -> "sha256:a";`, `"sha256:i" -> "sha256:s" [style=dotted, label=referrer];`,
		`label="index sha256:j\npr-1\ndelete planned", style=dashed`, `a\"];}?[31m\nx`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("an escape character got through")
	}
}
