package retention

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Inventory is everything known of one package at one instant.
type Inventory struct {
	Owner    Owner     `json:"owner"`
	Package  Package   `json:"package"`
	Versions []Version `json:"versions"` // active and deleted, newest first (SortVersions)
	Graph    Graph     `json:"graph"`    // containers only; nodes of active versions
	// Complete is true only when every page and every manifest that was needed
	// has been read. Nothing of an incomplete package is ever deleted.
	Complete bool      `json:"complete"`
	Problems []Problem `json:"problems,omitempty"` // why it is not complete
	ReadAt   time.Time `json:"read_at"`
	// DeletedListed says that the deleted versions were asked for: having none
	// then means that there are none.
	DeletedListed bool `json:"deleted_listed,omitempty"`
}

// Ref names the package.
func (inv Inventory) Ref() PackageRef { return inv.Package.Ref(inv.Owner.Login) }

// Active counts the active versions.
func (inv Inventory) Active() int {
	n := 0
	for _, v := range inv.Versions {
		if v.IsActive() {
			n++
		}
	}
	return n
}

// Version finds a version by its id.
func (inv Inventory) Version(id ID) (Version, bool) {
	for _, v := range inv.Versions {
		if v.ID == id {
			return v, true
		}
	}
	return Version{}, false
}

// IsRoot reports whether nothing active refers to v (always true outside containers).
func (inv Inventory) IsRoot(v Version) bool {
	return inv.Package.Type != Container || inv.Graph.IsRoot(v.Name)
}

// Digest identifies the content of the inventory: same digest, same input to
// the policies at the same instant. How and when it was read is not part of it.
func (inv Inventory) Digest() string {
	inv.ReadAt, inv.Problems, inv.DeletedListed = time.Time{}, nil, false
	b, err := json.Marshal(inv)
	if err != nil {
		panic("inventory is plain data: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// SortVersions orders versions newest first: by created_at, ties by the higher id.
func SortVersions(vs []Version) {
	slices.SortFunc(vs, func(a, b Version) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return cmp.Compare(b.ID, a.ID)
	})
}

// MarshalJSON writes the nodes sorted by digest.
func (g Graph) MarshalJSON() ([]byte, error) {
	nodes := make([]Node, 0, len(g.nodes))
	for _, d := range g.Digests() {
		nodes = append(nodes, g.nodes[d])
	}
	return json.Marshal(nodes)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (g *Graph) UnmarshalJSON(b []byte) error {
	var nodes []Node
	if err := json.Unmarshal(b, &nodes); err != nil {
		return err
	}
	*g = NewGraph(nodes)
	return nil
}

// ProblemKind classifies what went wrong with a package or an owner.
type ProblemKind string

// The kinds of problem. All but the last stop deletions: in the package they
// name, or in the whole owner when they name none.
const (
	ProblemIncomplete ProblemKind = "incomplete"  // a page or manifest could not be read
	ProblemLostAccess ProblemKind = "lost_access" // the listing is empty or shrunken
	ProblemUnlisted   ProblemKind = "unlisted"    // packages beyond what one query reaches
	ProblemPolicy     ProblemKind = "policy"      // a policy failed or lied
	ProblemVanished   ProblemKind = "vanished"    // a package that was known is not listed any more
)

// Problem is something the report must say and that keeps versions from
// deletion. Package is the PackageRef string, or "" for the whole owner.
type Problem struct {
	Owner   string      `json:"owner"`
	Package string      `json:"package,omitempty"`
	Kind    ProblemKind `json:"kind"`
	Policy  string      `json:"policy,omitempty"`
	Detail  string      `json:"detail"` // what happened and the next step
}
