package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// Manifest returns what is kept about a digest; ok is false when nothing is.
func (db *DB) Manifest(ctx context.Context, digest string) (body []byte, ok bool, err error) {
	found, err := db.Manifests(ctx, []string{digest})
	if err != nil {
		return nil, false, err
	}
	body, ok = found[digest]
	return body, ok, nil
}

// Manifests returns what is kept about those of the digests that are known.
func (db *DB) Manifests(ctx context.Context, digests []string) (map[string][]byte, error) {
	list, err := asJSON(digests)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	type manifest struct {
		digest string
		body   []byte
	}
	found, err := collect(ctx, db.read, func(scan func(...any) error) (m manifest, err error) {
		err = scan(&m.digest, &m.body)
		return m, err
	}, `SELECT digest, body FROM manifests WHERE digest IN (SELECT value FROM json_each(?))`, list)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	out := make(map[string][]byte, len(found))
	for _, m := range found {
		out[m.digest] = m.body
	}
	return out, nil
}

// PutManifest keeps what a digest says, for good.
func (db *DB) PutManifest(ctx context.Context, digest string, body []byte) error {
	return db.PutManifests(ctx, map[string][]byte{digest: body})
}

// PutManifests keeps what each digest says, for good, in one transaction. The
// bytes are the caller's own form and replace what was kept before.
func (db *DB) PutManifests(ctx context.Context, bodies map[string][]byte) error {
	err := db.update(ctx, db.cache, func(tx *sql.Tx) error {
		rows := make([][]any, 0, len(bodies))
		for _, d := range slices.Sorted(maps.Keys(bodies)) {
			body := bodies[d]
			if body == nil {
				body = []byte{}
			}
			rows = append(rows, []any{d, body})
		}
		return insert(ctx, tx, `INSERT OR REPLACE INTO manifests (digest, body) VALUES `, rows)
	})
	if err != nil {
		return fmt.Errorf("keep manifests: %w", err)
	}
	return nil
}
