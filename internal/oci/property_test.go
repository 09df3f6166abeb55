package oci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func FuzzParseManifest(f *testing.F) {
	for _, seed := range []any{
		image("a", nil), image("b", obj{"subject": obj{"digest": digestOf(nil)}, "artifactType": typeDSSE}),
		indexOf(child(digestOf(nil), "linux/amd64")), obj{"schemaVersion": 1, "fsLayers": []obj{}},
	} {
		b, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, ociImage)
		f.Add(b[:len(b)/2], "")
	}
	f.Add([]byte(`{"manifests":[{},{},{}]}`), ociIndex)
	lim := Limits{Children: 10, Layers: 10}.withDefaults()
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		rec, err := parseManifest(body, contentType, lim)
		if err != nil {
			return
		}
		if len(rec.Children) > lim.Children || rec.Size < int64(len(body)) || rec.Kind == "" {
			t.Errorf("%d children, size %d of a body of %d, kind %q", len(rec.Children), rec.Size, len(body), rec.Kind)
		}
		for _, c := range rec.Children {
			if _, err := v1.NewHash(c.Digest); err != nil {
				t.Error(err)
			}
		}
		b, err := rec.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeRecord(b, lim)
		if err != nil {
			t.Fatal(err)
		}
		again, err := back.encode()
		if err != nil || !slices.Equal(b, again) {
			t.Errorf("the cached record changes: %s became %s, %v", b, again, err)
		}
	})
}

// TestUnreadMeansIncomplete draws packages and faults: whatever manifest is
// needed and not served makes the reading incomplete, and a complete one holds
// every edge that was pushed and gives the same nodes from a warm cache.
func TestUnreadMeansIncomplete(t *testing.T) {
	g := newRegistry(t)
	g.server.Config.ErrorLog = nil
	rapid.Check(t, func(rt *rapid.T) {
		g.mu.Lock()
		clear(g.manifests)
		clear(g.answers)
		g.mu.Unlock()
		var versions []retention.Version
		edges := map[string][]string{}
		isIndex := map[string]bool{}
		minute := rapid.IntRange(0, 30)
		for i := range rapid.IntRange(1, 12).Draw(rt, "versions") {
			var d string
			if len(versions) > 0 && rapid.Bool().Draw(rt, "index") {
				picks := rapid.SliceOfNDistinct(rapid.IntRange(0, len(versions)-1), 1, min(3, len(versions)), rapid.ID[int]).Draw(rt, "children")
				var list []obj
				var digests []string
				for _, p := range picks {
					c := child(versions[p].Name, "linux/amd64")
					if isIndex[versions[p].Name] {
						c["mediaType"] = ociIndex
					}
					list, digests = append(list, c), append(digests, versions[p].Name)
				}
				idx := indexOf(list...)
				idx["annotations"] = obj{"n": fmt.Sprint(i)}
				d = g.push(ociIndex, idx)
				edges[d], isIndex[d] = digests, true
			} else {
				d = g.push(ociImage, image(fmt.Sprint(i), nil))
			}
			v := version(i+1, d, minute.Draw(rt, "minute"))
			if rapid.Bool().Draw(rt, "tagged") {
				v.Tags = []string{fmt.Sprint("t", i)}
			}
			versions = append(versions, v)
		}
		bad := map[string]bool{}
		for _, v := range versions {
			if rapid.IntRange(0, 9).Draw(rt, "fault") == 0 {
				code := rapid.SampledFrom([]int{401, 403, 429, 500, 503}).Draw(rt, "status")
				g.answers[v.Name] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
				bad[v.Name] = true
			}
		}
		cache := &MemoryCache{}
		r := g.reader(func(o *Options) { o.Cache, o.Parallel = cache, 4 })
		res, err := r.Graph(rt.Context(), "acme", "team/api", versions)
		if err != nil {
			rt.Fatal(err)
		}
		for d := range bad {
			if isIndex[d] && res.Complete() {
				rt.Fatalf("index %s was not served and the reading counts as complete", d)
			}
		}
		if !res.Complete() {
			if len(bad) == 0 {
				rt.Fatal(res.Unread)
			}
			return
		}
		got := map[string][]string{}
		for _, n := range res.Nodes {
			if len(n.Children) > 0 {
				got[n.Digest] = n.Children
			}
		}
		if diff := cmp.Diff(edges, got); diff != "" {
			rt.Fatal(diff)
		}
		clear(g.answers)
		warm, err := r.Graph(rt.Context(), "acme", "team/api", versions)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(res.Nodes, warm.Nodes); diff != "" || warm.Calls.Total() > 0 {
			rt.Fatalf("the second reading made %d calls and differs: %s", warm.Calls.Total(), diff)
		}
	})
}
