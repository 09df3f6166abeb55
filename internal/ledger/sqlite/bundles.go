package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/bundles"
)

var _ bundles.Store = (*DB)(nil)

// Bundle returns the kept policy bundle of a source; false when there is none.
func (db *DB) Bundle(ctx context.Context, source string) (bundles.Kept, bool, error) {
	k := bundles.Kept{Source: source}
	var at string
	err := db.read.QueryRowContext(ctx, `SELECT digest, revision, etag, confirmed_at, body FROM bundles WHERE source = ?`, source).
		Scan(&k.Digest, &k.Revision, &k.ETag, &at, &k.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return bundles.Kept{}, false, nil
	}
	if err == nil {
		err = readStamp(at, &k.ConfirmedAt)
	}
	if err != nil {
		return bundles.Kept{}, false, fmt.Errorf("read the kept bundle of %s: %w", source, err)
	}
	return k, true, nil
}

// KeepBundle puts a bundle in the place of the source's former one.
func (db *DB) KeepBundle(ctx context.Context, k bundles.Kept) error {
	err := db.update(ctx, db.cache, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO bundles (source, digest, revision, etag, confirmed_at, body) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (source) DO UPDATE SET digest = excluded.digest, revision = excluded.revision, etag = excluded.etag,
				confirmed_at = excluded.confirmed_at, body = excluded.body`,
			k.Source, k.Digest, k.Revision, k.ETag, stamp(k.ConfirmedAt), k.Body)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the bundle of %s: %w", k.Source, err)
	}
	return nil
}
