package e2e

import (
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const day = 24 * time.Hour

// stale are npm packages p0, p1, … of the given number of versions, all of them old.
// The policies of newWorld leave the newest of each.
func stale(packages, versions int) []githubsim.Package {
	var out []githubsim.Package
	for p := range packages {
		pkg := githubsim.Package{Name: fmt.Sprintf("p%d", p), Type: retention.NPM}
		for v := range versions {
			name := fmt.Sprintf("1.%d.0", v)
			pkg.Versions = append(pkg.Versions, githubsim.Version{Key: fmt.Sprintf("v%d", v), Name: name, CreatedAt: githubsim.Ago(time.Duration(100-v) * day)})
		}
		out = append(out, pkg)
	}
	return out
}

// image is a container package with an old untagged index of two platforms, which
// expire_untagged deletes with its children, beside a tagged one that shares a child
// with it and stays.
func image(name string) githubsim.Package {
	old := githubsim.Ago(90 * day)
	return githubsim.Package{Name: name, Type: retention.Container, Versions: []githubsim.Version{
		{Key: "shared", Platform: "linux/amd64", CreatedAt: old},
		{Key: "alone", Platform: "linux/arm64", CreatedAt: old},
		{Key: "new", Platform: "linux/arm64", CreatedAt: old},
		{Key: "expired", Index: []string{"shared", "alone"}, CreatedAt: old},
		{Key: "kept", Index: []string{"shared", "new"}, Tags: []string{"v1"}, CreatedAt: old},
	}}
}
