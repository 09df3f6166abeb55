package retention

import "slices"

// ManifestKind says what a container version is.
type ManifestKind string

// The kinds of manifest. Unknown is anything whose meaning could not be told.
const (
	KindIndex       ManifestKind = "index"
	KindImage       ManifestKind = "image"
	KindAttestation ManifestKind = "attestation"
	KindSignature   ManifestKind = "signature"
	KindArtifact    ManifestKind = "artifact"
	KindUnknown     ManifestKind = "unknown"
)

// Node is one manifest of the reference graph.
type Node struct {
	Digest       string       `json:"digest"`
	Kind         ManifestKind `json:"kind"`
	MediaType    string       `json:"media_type"`
	ArtifactType string       `json:"artifact_type,omitempty"`
	Platform     string       `json:"platform,omitempty"` // os/arch[/variant]; "" for indexes and artifacts
	SizeBytes    int64        `json:"size_bytes"`         // the manifest and the layers it names
	Children     []string     `json:"children,omitempty"` // digests in manifests[], in order
	Missing      []string     `json:"missing,omitempty"`  // those of Children that the registry no longer has
	Subject      string       `json:"subject,omitempty"`  // digest it refers to, by its subject field or its referrer tag
	// MoreSubjects are further digests that it is attached to: the same SBOM,
	// say, tagged onto two images is one version with two referrer tags.
	MoreSubjects []string `json:"more_subjects,omitempty"`
}

// Subjects returns every digest that the manifest refers to, itself left out.
func (n Node) Subjects() []string {
	var out []string
	for _, d := range append([]string{n.Subject}, n.MoreSubjects...) {
		if d != "" && d != n.Digest && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// Graph is the reference graph of one container package: an index points at
// its children, a referrer (signature, attestation, SBOM) at its subject.
// The zero Graph has no nodes and no edges.
type Graph struct {
	nodes     map[string]Node
	parents   map[string][]string
	referrers map[string][]string
}

// NewGraph builds the graph of the given nodes. Only nodes of active versions
// belong in it: a reference from a deleted version protects nothing.
func NewGraph(nodes []Node) Graph {
	g := Graph{
		nodes:     make(map[string]Node, len(nodes)),
		parents:   map[string][]string{},
		referrers: map[string][]string{},
	}
	for _, n := range nodes {
		g.nodes[n.Digest] = n
	}
	for _, d := range g.Digests() {
		n := g.nodes[d]
		for _, c := range n.Children {
			if !slices.Contains(g.parents[c], d) {
				g.parents[c] = append(g.parents[c], d)
			}
		}
		for _, s := range n.Subjects() {
			g.referrers[s] = append(g.referrers[s], d)
		}
	}
	return g
}

// Len is the number of nodes.
func (g Graph) Len() int { return len(g.nodes) }

// Node returns the node of a digest.
func (g Graph) Node(digest string) (Node, bool) {
	n, ok := g.nodes[digest]
	return n, ok
}

// Digests returns the digests of all nodes, sorted.
func (g Graph) Digests() []string {
	ds := make([]string, 0, len(g.nodes))
	for d := range g.nodes {
		ds = append(ds, d)
	}
	slices.Sort(ds)
	return ds
}

// Parents returns the digests of the indexes that list digest, sorted.
func (g Graph) Parents(digest string) []string { return g.parents[digest] }

// Referrers returns the digests of the manifests that refer to digest, sorted.
func (g Graph) Referrers(digest string) []string { return g.referrers[digest] }

// IsRoot reports whether nothing in the graph holds digest: no index lists it
// and it is not the referrer of a manifest that is there.
func (g Graph) IsRoot(digest string) bool {
	if len(g.parents[digest]) > 0 {
		return false
	}
	return !slices.ContainsFunc(g.nodes[digest].Subjects(), func(s string) bool {
		_, there := g.nodes[s]
		return there
	})
}

// Needs returns what has to be there for digest to be whole: its children,
// then its referrers. Digests without a node are left out.
func (g Graph) Needs(digest string) []string {
	n := g.nodes[digest]
	out := make([]string, 0, len(n.Children)+len(g.referrers[digest]))
	for _, d := range slices.Concat(n.Children, g.referrers[digest]) {
		if _, ok := g.nodes[d]; ok && d != digest {
			out = append(out, d)
		}
	}
	return out
}

// Reach returns every digest that can be reached from the starting digests
// over Needs, the starting digests included. Cycles are harmless.
func (g Graph) Reach(from ...string) map[string]bool {
	seen := make(map[string]bool, len(from))
	stack := slices.Clone(from)
	for len(stack) > 0 {
		d := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[d] {
			continue
		}
		seen[d] = true
		stack = append(stack, g.Needs(d)...)
	}
	return seen
}

// Without returns the graph with the given digests taken out, as it would be
// after their deletion: they become missing children of what is left.
func (g Graph) Without(gone map[string]bool) Graph {
	nodes := make([]Node, 0, len(g.nodes))
	for d, n := range g.nodes {
		if gone[d] {
			continue
		}
		missing := slices.Clone(n.Missing)
		for _, c := range n.Children {
			if gone[c] && !slices.Contains(missing, c) {
				missing = append(missing, c)
			}
		}
		n.Missing = missing
		nodes = append(nodes, n)
	}
	return NewGraph(nodes)
}
