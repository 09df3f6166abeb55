package main

import (
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// imagePackage is a container of n versions: of every ten, nine belong to
// two-platform images and one is untagged.
func imagePackage(n int) retention.Inventory {
	inv := retention.Inventory{
		Owner: retention.Owner{Login: owner, Kind: retention.Organization, ID: 7},
		Package: retention.Package{
			ID: 1, Name: "team/api", Type: retention.Container, Visibility: "private", VersionCount: n,
			CreatedAt: evaluatedAt.AddDate(-2, 0, 0), UpdatedAt: evaluatedAt.Add(-time.Hour), State: retention.Active,
		},
		Complete: true, DeletedListed: true,
	}
	var nodes []retention.Node
	add := func(node retention.Node, age time.Duration, tags ...string) string {
		id := retention.ID(len(inv.Versions) + 1000)
		node.Digest = fmt.Sprintf("sha256:%064x", uint64(id))
		at := evaluatedAt.Add(-age)
		inv.Versions = append(inv.Versions, retention.Version{ID: id, Name: node.Digest, CreatedAt: at, UpdatedAt: at, State: retention.Active, Tags: tags})
		nodes = append(nodes, node)
		return node.Digest
	}
	image := func(platform string) retention.Node {
		return retention.Node{Kind: retention.KindImage, MediaType: "application/vnd.oci.image.manifest.v1+json", Platform: platform, SizeBytes: 50 << 20}
	}
	for i := 0; len(inv.Versions) < n; i++ {
		age := time.Duration(i) * 7 * time.Hour
		if i%4 == 3 {
			add(image("linux/amd64"), age)
			continue
		}
		children := []string{add(image("linux/amd64"), age), add(image("linux/arm64"), age)}
		tag := fmt.Sprintf("v1.%d.%d", i/20, i%20)
		switch i % 8 {
		case 1:
			tag = fmt.Sprintf("pr-%d", i)
		case 5:
			tag += "-rc.1"
		}
		add(retention.Node{Kind: retention.KindIndex, MediaType: "application/vnd.oci.image.index.v1+json", SizeBytes: 1500, Children: children}, age, tag)
	}
	retention.SortVersions(inv.Versions)
	inv.Graph = retention.NewGraph(nodes)
	return inv
}

// npmPackage is a package of n versions, seven hours apart, every second one the
// prerelease of another.
func npmPackage(n int) retention.Inventory {
	inv := retention.Inventory{
		Owner: retention.Owner{Login: owner, Kind: retention.Organization, ID: 7},
		Package: retention.Package{
			ID: 2, Name: "left-pad", Type: retention.NPM, Visibility: "private", VersionCount: n,
			CreatedAt: evaluatedAt.AddDate(-2, 0, 0), UpdatedAt: evaluatedAt.Add(-time.Hour), State: retention.Active,
		},
		Complete: true, DeletedListed: true,
	}
	for i := range n {
		name := fmt.Sprintf("1.%d.%d", i/40, i/2%20)
		if i%2 == 0 {
			name += "-rc.1"
		}
		at := evaluatedAt.Add(-time.Duration(i) * 7 * time.Hour)
		inv.Versions = append(inv.Versions, retention.Version{ID: retention.ID(i + 1000), Name: name, CreatedAt: at, UpdatedAt: at, State: retention.Active})
	}
	retention.SortVersions(inv.Versions)
	return inv
}
