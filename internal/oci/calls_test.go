package oci

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// platforms pushes a two-platform image at the given minute and returns its
// versions, the index last.
func (g *registry) platforms(id, minute int, tags ...string) []retention.Version {
	amd, arm := g.push(ociImage, image(fmt.Sprint(id, "amd"), nil)), g.push(ociImage, image(fmt.Sprint(id, "arm"), nil))
	idx := g.push(ociIndex, indexOf(child(amd, "linux/amd64"), child(arm, "linux/arm64")))
	return []retention.Version{version(id, amd, minute), version(id+1, arm, minute), version(id+2, idx, minute, tags...)}
}

func TestCallsAreOneForEachManifestThatNoIndexDescribes(t *testing.T) {
	single := func(g *registry, id, minute int, tags ...string) []retention.Version {
		return []retention.Version{version(id, g.push(ociImage, image(fmt.Sprint(id), nil)), minute, tags...)}
	}
	cases := []struct {
		name  string
		build func(g *registry) []retention.Version
		want  int
	}{
		{"300 tagged two-platform images and 100 untagged singles, a day apart", func(g *registry) (vs []retention.Version) {
			for i := range 300 {
				vs = append(vs, g.platforms(10*i+1, i*1440, fmt.Sprint("v", i))...)
			}
			for i := range 100 {
				vs = append(vs, single(g, 10_000+i, i*1440)...)
			}
			return vs
		}, 400},
		{"the same, all pushed in the same minute", func(g *registry) (vs []retention.Version) {
			for i := range 300 {
				vs = append(vs, g.platforms(10*i+1, 0, fmt.Sprint("v", i))...)
			}
			for i := range 100 {
				vs = append(vs, single(g, 10_000+i, 0)...)
			}
			return vs
		}, 400},
		{"untagged two-platform images, an hour apart", func(g *registry) (vs []retention.Version) {
			for i := range 100 {
				vs = append(vs, g.platforms(10*i+1, i*60)...)
			}
			return vs
		}, 100},
		{"untagged two-platform images, a minute apart", func(g *registry) (vs []retention.Version) {
			for i := range 40 {
				vs = append(vs, g.platforms(10*i+1, i)...)
			}
			return vs
		}, 40},
		{"children that are tagged for their platform", func(g *registry) (vs []retention.Version) {
			for i := range 20 {
				three := g.platforms(10*i+1, i*60, fmt.Sprintf("1.%d", i))
				three[0].Tags, three[1].Tags = []string{fmt.Sprintf("1.%d-amd64", i)}, []string{fmt.Sprintf("arm64v8-1.%d", i)}
				vs = append(vs, three...)
			}
			return vs
		}, 20},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := newRegistry(t)
			versions := c.build(g)
			r := g.reader(func(o *Options) { o.Cache = &MemoryCache{} })
			cold := mustGraph(t, r, versions...)
			if len(cold.Unread) > 0 || len(cold.Nodes) != len(versions) {
				t.Fatalf("%d nodes of %d, unread %v", len(cold.Nodes), len(versions), cold.Unread)
			}
			if diff := cmp.Diff(Calls{Challenge: 1, Token: 1, Manifest: c.want}, cold.Calls); diff != "" {
				t.Error(diff)
			}
			warm := mustGraph(t, r, versions...)
			cold.Calls = Calls{}
			if diff := cmp.Diff(cold, warm); diff != "" {
				t.Errorf("the second reading differs or makes calls: %s", diff)
			}
		})
	}
}

func TestFurtherRepositoriesNeedOnlyATokenMore(t *testing.T) {
	g := newRegistry(t)
	d := g.push(ociImage, image("a", nil))
	r := g.reader()
	mustGraph(t, r, version(1, d, 0, "v1"))
	if diff := cmp.Diff(Calls{Manifest: 1}, mustGraph(t, r, version(1, d, 0, "v1")).Calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Calls{Challenge: 1, Token: 1, Manifest: 2}, r.Calls()); diff != "" {
		t.Errorf("in all: %s", diff)
	}
}

func TestAnInterruptedReadingIsNotPaidTwice(t *testing.T) {
	g := newRegistry(t)
	var versions []retention.Version
	for i := range 60 {
		versions = append(versions, version(i+1, g.push(ociImage, image(fmt.Sprint(i), nil)), i, fmt.Sprint("t", i)))
	}
	cache := &MemoryCache{}
	ctx, cancel := context.WithCancel(t.Context())
	last := versions[0].Name // the oldest, so the last to be asked for
	r := g.reader(func(o *Options) { o.Cache, o.Parallel = cache, 1 })
	g.answers[versions[30].Name] = cancelThenServe(g, versions[30].Name, cancel)
	if _, err := r.Graph(ctx, "acme", "team/api", versions); err == nil {
		t.Fatal("no error although the context was cancelled")
	}
	if g.gets[last] != 0 {
		t.Fatal("the reading went on after the cancellation")
	}
	delete(g.answers, versions[30].Name)
	res := mustGraph(t, g.reader(func(o *Options) { o.Cache = cache }), versions...)
	if !res.Complete() {
		t.Fatal(res.Unread)
	}
	for d, n := range g.gets {
		if n > 1 && d != versions[30].Name {
			t.Errorf("%s was fetched %d times", d, n)
		}
	}
}

func TestNamesPlatform(t *testing.T) {
	for tag, want := range map[string]bool{
		"1.2.3-amd64": true, "arm64v8-latest": true, "latest_linux_arm64": true, "v1-x86_64": true, "armv7": true,
		"latest": false, "alarm": false, "1.2.3": false, "charm-2": false, "v386": false,
	} {
		if got := namesPlatform([]string{tag}); got != want {
			t.Errorf("namesPlatform(%q) = %t, want %t", tag, got, want)
		}
	}
	if namesPlatform([]string{"1.2.3-amd64", "latest"}) {
		t.Error("a version with a tag of its own is a root")
	}
}
