package policy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

var evaluatedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// containerPackage is a realistic package of n versions: for every thousand, 300
// images for two platforms (an index and its two children) and 100 untagged ones.
func containerPackage(n int) retention.Inventory {
	inv := retention.Inventory{
		Owner: retention.Owner{Login: "acme", Kind: retention.Organization, ID: 7},
		Package: retention.Package{
			ID: 1, Name: "team/api", Type: retention.Container, Visibility: "private", VersionCount: n,
			URL: "https://api.github.com/orgs/acme/packages/container/team%2Fapi", HTMLURL: "https://github.com/orgs/acme/packages/container/package/team%2Fapi",
			CreatedAt: evaluatedAt.AddDate(-2, 0, 0), UpdatedAt: evaluatedAt.Add(-time.Hour), State: retention.Active,
			Repository: &retention.Repository{ID: 3, Name: "api", FullName: "acme/api", Private: true, HTMLURL: "https://github.com/acme/api"},
		},
		Complete: true,
	}
	var nodes []retention.Node
	add := func(node retention.Node, age time.Duration, tags ...string) string {
		id := retention.ID(len(inv.Versions) + 1000)
		node.Digest = fmt.Sprintf("sha256:%064x", uint64(id))
		at := evaluatedAt.Add(-age)
		inv.Versions = append(inv.Versions, retention.Version{
			ID: id, Name: node.Digest, CreatedAt: at, UpdatedAt: at, State: retention.Active, Tags: tags,
			HTMLURL: fmt.Sprintf("https://github.com/orgs/acme/packages/container/team%%2Fapi/%d", id),
		})
		nodes = append(nodes, node)
		return node.Digest
	}
	const manifest, index = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
	for i := 0; len(inv.Versions) < n; i++ {
		age := time.Duration(i) * 7 * time.Hour
		if i%4 == 3 {
			add(retention.Node{Kind: retention.KindImage, MediaType: manifest, Platform: "linux/amd64", SizeBytes: 1 << 20}, age)
			continue
		}
		var children []string
		for _, platform := range []string{"linux/amd64", "linux/arm64"} {
			children = append(children, add(retention.Node{Kind: retention.KindImage, MediaType: manifest, Platform: platform, SizeBytes: 50 << 20}, age))
		}
		tag := fmt.Sprintf("v1.%d.%d", i/20, i%20)
		switch i % 8 {
		case 1:
			tag = fmt.Sprintf("pr-%d", i)
		case 5:
			tag += "-rc.1"
		}
		add(retention.Node{Kind: retention.KindIndex, MediaType: index, SizeBytes: 1500, Children: children}, age, tag)
	}
	retention.SortVersions(inv.Versions)
	inv.Graph = retention.NewGraph(nodes)
	return inv
}

var benchmarkSizes = []int{10, 100, 1000, 10000}

func perVersion(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "us/version")
}

func BenchmarkDecide(b *testing.B) {
	engine, err := policy.Load(context.Background(), policies.FS, policy.Options{Builtin: true, TimeLimit: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range benchmarkSizes {
		req := policy.Request{
			Inventory: containerPackage(n), EvaluatedAt: evaluatedAt, Trigger: retention.Trigger{Kind: retention.TriggerSchedule},
		}
		b.Run(fmt.Sprintf("versions=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judgement, err := engine.Decide(b.Context(), req)
				if err != nil || len(judgement.Failures) > 0 {
					b.Fatal(err, judgement.Failures)
				}
			}
			perVersion(b, n)
		})
	}
}

func BenchmarkNewInput(b *testing.B) {
	for _, n := range benchmarkSizes {
		req := policy.Request{Inventory: containerPackage(n), EvaluatedAt: evaluatedAt}
		b.Run(fmt.Sprintf("versions=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				policy.NewInput(req)
			}
			perVersion(b, n)
		})
	}
}

func BenchmarkInputValue(b *testing.B) {
	for _, n := range benchmarkSizes {
		in := policy.NewInput(policy.Request{Inventory: containerPackage(n), EvaluatedAt: evaluatedAt})
		b.Run(fmt.Sprintf("versions=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in.Value()
			}
			perVersion(b, n)
		})
	}
}
