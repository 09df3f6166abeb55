package oci

import (
	"context"
	"maps"
	"sync"
)

// Cache keeps what manifests say, by digest, for ever. A digest fixes its
// content, so that an entry never has to expire and is the same for every
// package. Tags, and whether a manifest still exists, are never stored.
type Cache interface {
	// Manifests returns the records of those digests that it holds.
	Manifests(ctx context.Context, digests []string) (map[string][]byte, error)
	// PutManifests stores records; storing one twice is harmless.
	PutManifests(ctx context.Context, records map[string][]byte) error
}

// MemoryCache is a Cache that lives as long as the process. The zero
// MemoryCache is ready for use.
type MemoryCache struct {
	mu      sync.Mutex
	records map[string][]byte
}

// Manifests implements Cache.
func (c *MemoryCache) Manifests(_ context.Context, digests []string) (map[string][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string][]byte{}
	for _, d := range digests {
		if rec, ok := c.records[d]; ok {
			out[d] = rec
		}
	}
	return out, nil
}

// PutManifests implements Cache.
func (c *MemoryCache) PutManifests(_ context.Context, records map[string][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.records == nil {
		c.records = map[string][]byte{}
	}
	maps.Copy(c.records, records)
	return nil
}

type noCache struct{}

func (noCache) Manifests(context.Context, []string) (map[string][]byte, error) { return nil, nil }
func (noCache) PutManifests(context.Context, map[string][]byte) error          { return nil }
