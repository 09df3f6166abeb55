package oci

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// noRegistry fails every request: a reading from the cache asks for nothing.
type noRegistry struct{ b *testing.B }

func (r noRegistry) RoundTrip(req *http.Request) (*http.Response, error) {
	r.b.Errorf("asked for %s", req.URL.Path)
	return nil, http.ErrNotSupported
}

// cachedImages are n active versions, indexes with two children each, and a
// cache that holds what their manifests say.
func cachedImages(b *testing.B, n int) ([]retention.Version, *MemoryCache) {
	b.Helper()
	var versions []retention.Version
	records := map[string][]byte{}
	add := func(rec record, tags ...string) string {
		digest := fmt.Sprintf("sha256:%064x", len(versions))
		raw, err := rec.encode()
		if err != nil {
			b.Fatal(err)
		}
		records[digest] = raw
		versions = append(versions, retention.Version{
			ID: retention.ID(len(versions) + 1), Name: digest, Tags: tags, State: retention.Active,
			CreatedAt: time.Date(2026, 6, 1, 0, 0, len(versions), 0, time.UTC),
		})
		return digest
	}
	const manifest, index = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
	for len(versions) < n {
		rec := record{Version: recordVersion, MediaType: index, Kind: retention.KindIndex, Size: 800}
		for _, platform := range []string{"linux/amd64", "linux/arm64"} {
			d := add(record{Version: recordVersion, MediaType: manifest, Kind: retention.KindImage, Size: 50 << 20})
			rec.Children = append(rec.Children, descriptor{Digest: d, MediaType: manifest, Platform: platform, Size: 500})
		}
		add(rec, fmt.Sprintf("v%d", len(versions)))
	}
	cache := &MemoryCache{}
	if err := cache.PutManifests(context.Background(), records); err != nil {
		b.Fatal(err)
	}
	return versions, cache
}

// What reading a package's graph costs beyond the calls.
func BenchmarkGraphFromCache(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		versions, cache := cachedImages(b, n)
		r, err := New(Options{Client: &http.Client{Transport: noRegistry{b}}, Cache: cache, Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				res, err := r.Graph(b.Context(), "acme", "team/api", versions)
				if err != nil || !res.Complete() || len(res.Nodes) != len(versions) {
					b.Fatal(err, res.Unread)
				}
			}
		})
	}
}
