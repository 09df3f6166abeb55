package retention_test

import (
	"fmt"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// twoPlatformImages are n nodes: indexes with two children each, one in ten of
// them signed.
func twoPlatformImages(n int) []retention.Node {
	var nodes []retention.Node
	digest := func() string { return fmt.Sprintf("sha256:%064x", len(nodes)) }
	image := func() string {
		nodes = append(nodes, retention.Node{Digest: digest(), Kind: retention.KindImage, Platform: "linux/amd64", SizeBytes: 50 << 20})
		return nodes[len(nodes)-1].Digest
	}
	for i := 0; len(nodes) < n; i++ {
		children := []string{image(), image()}
		index := retention.Node{Digest: digest(), Kind: retention.KindIndex, Children: children, SizeBytes: 1500}
		nodes = append(nodes, index)
		if i%10 == 0 {
			nodes = append(nodes, retention.Node{Digest: digest(), Kind: retention.KindSignature, Subject: index.Digest, SizeBytes: 500})
		}
	}
	return nodes[:n]
}

func BenchmarkNewGraph(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		nodes := twoPlatformImages(n)
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if g := retention.NewGraph(nodes); g.Len() != n {
					b.Fatalf("%d nodes", g.Len())
				}
			}
		})
	}
}

func BenchmarkGraphReach(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		g := retention.NewGraph(twoPlatformImages(n))
		all := g.Digests()
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := g.Reach(all...); len(got) != n {
					b.Fatalf("reached %d", len(got))
				}
			}
		})
	}
}
