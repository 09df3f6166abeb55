package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// What is kept of earlier readings unless Options say otherwise.
const (
	DefaultHistory      = 90 * 24 * time.Hour
	DefaultHistoryBytes = 1 << 30 // compressed
)

// pruneEvery is after how many readings put into the history old ones are looked
// for.
const pruneEvery = 500

// archive puts the snapshot that is about to be replaced into the history. Its
// body is there compressed already, so this costs one row and one copy.
func (db *DB) archive(ctx context.Context, tx *sql.Tx, ref retention.PackageRef, now time.Time) error {
	if db.history <= 0 {
		return nil
	}
	const replaced = ` FROM snapshots WHERE owner = ? AND package_type = ? AND package = ?`
	args := []any{ref.Owner, string(ref.Type), ref.Name}
	res, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO snapshot_bodies (digest, body, size) SELECT digest, body, length(body)`+replaced, args...)
	if err != nil {
		return fmt.Errorf("keep the reading before: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO snapshot_history (owner, package_type, package, since, until, digest)
		SELECT owner, package_type, package, coalesce(since, read_at), read_at, digest`+replaced, args...)
	if err != nil {
		return fmt.Errorf("keep the reading before: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if db.archived++; db.archived%pruneEvery != 1 {
		return nil
	}
	return db.prune(ctx, tx, now)
}

// prune forgets what is older than the history is kept, and then the oldest until
// the rest fits.
func (db *DB) prune(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM snapshot_history WHERE until < ?`, stamp(now.Add(-db.history)))
	if err == nil {
		err = dropBodies(ctx, tx)
	}
	for err == nil {
		var size sql.NullInt64
		if err = tx.QueryRowContext(ctx, `SELECT sum(size) FROM snapshot_bodies`).Scan(&size); err != nil || size.Int64 <= db.historyBytes {
			break
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM snapshot_history WHERE (owner, package_type, package, since) IN
			(SELECT owner, package_type, package, since FROM snapshot_history ORDER BY until LIMIT (SELECT count(*) / 10 + 1 FROM snapshot_history))`)
		if err == nil {
			err = dropBodies(ctx, tx)
		}
	}
	if err != nil {
		return fmt.Errorf("forget old readings: %w", err)
	}
	return nil
}

func dropBodies(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM snapshot_bodies WHERE NOT EXISTS
		(SELECT 1 FROM snapshot_history h WHERE h.digest = snapshot_bodies.digest)`)
	return err
}

// Past goes over all packages of an owner of which any reading is kept, by type
// and name. After an error it ends.
func (db *DB) Past(ctx context.Context, owner string) iter.Seq2[retention.PackageRef, error] {
	return func(yield func(retention.PackageRef, error) bool) {
		var last retention.PackageRef
		for {
			page, err := collect(ctx, db.read, scanRef, `SELECT owner, package_type, package FROM snapshots WHERE owner = ?1 AND (package_type, package) > (?2, ?3)
				UNION SELECT owner, package_type, package FROM snapshot_history WHERE owner = ?1 AND (package_type, package) > (?2, ?3)
				ORDER BY package_type, package LIMIT ?4`, owner, string(last.Type), last.Name, knownPage)
			if err != nil {
				yield(retention.PackageRef{}, fmt.Errorf("read what is known of the past of %s: %w", owner, err))
				return
			}
			for _, ref := range page {
				if !yield(ref, nil) {
					return
				}
				last = ref
			}
			if len(page) < knownPage {
				return
			}
		}
	}
}

func scanRef(scan func(...any) error) (ref retention.PackageRef, err error) {
	var packageType string
	err = scan(&ref.Owner, &packageType, &ref.Name)
	ref.Type = retention.PackageType(packageType)
	return ref, err
}

// Readings returns the readings of a package that are kept, oldest first, the
// present snapshot last.
func (db *DB) Readings(ctx context.Context, ref retention.PackageRef) ([]retention.Reading, error) {
	out, err := collect(ctx, db.read, scanReading, `SELECT since, until, digest, 0 FROM snapshot_history WHERE owner = ?1 AND package_type = ?2 AND package = ?3
		UNION ALL SELECT coalesce(since, read_at), read_at, digest, 1 FROM snapshots WHERE owner = ?1 AND package_type = ?2 AND package = ?3
		ORDER BY 1`, ref.Owner, string(ref.Type), ref.Name)
	if err != nil {
		return nil, fmt.Errorf("read the past of %s: %w", ref, err)
	}
	return out, nil
}

func scanReading(scan func(...any) error) (r retention.Reading, err error) {
	var since, until string
	if err := scan(&since, &until, &r.Digest, &r.Present); err != nil {
		return r, err
	}
	return r, errors.Join(readStamp(since, &r.Since), readStamp(until, &r.Until))
}

// ReadingOf returns what a reading found.
func (db *DB) ReadingOf(ctx context.Context, ref retention.PackageRef, r retention.Reading) (retention.Inventory, error) {
	query, args := `SELECT body FROM snapshot_bodies WHERE digest = ?`, []any{r.Digest}
	if r.Present {
		query, args = `SELECT body FROM snapshots WHERE owner = ? AND package_type = ? AND package = ?`, []any{ref.Owner, string(ref.Type), ref.Name}
	}
	var body []byte
	err := db.read.QueryRowContext(ctx, query, args...).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		err = errors.New("it has been forgotten meanwhile; start again")
	}
	var inv retention.Inventory
	if err == nil {
		inv, err = readSnapshot(stamp(r.Since), body)
	}
	if err != nil {
		return retention.Inventory{}, fmt.Errorf("read %s as it was at %s: %w", ref, r.Since.Format(time.RFC3339), err)
	}
	return inv, nil
}
