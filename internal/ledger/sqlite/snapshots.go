package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// snapshotPage is how many snapshots are held compressed at a time.
const snapshotPage = 32

// SaveSnapshot keeps a reading of a package in place of the one before, which goes
// into the history. Saving what is already there only notes the time of reading.
func (db *DB) SaveSnapshot(ctx context.Context, inv retention.Inventory) error {
	ref := inv.Ref()
	now := inv.ReadAt
	readAt := stamp(now)
	inv.ReadAt = time.Time{}
	plain, err := json.Marshal(inv)
	if err != nil {
		return fmt.Errorf("encode snapshot of %s: %w", ref, err)
	}
	digest := sha256.Sum256(plain)
	same, err := db.renew(ctx, ref, digest[:], readAt)
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", ref, err)
	}
	if same {
		return nil
	}
	body, err := db.squeeze(plain)
	if err != nil {
		return fmt.Errorf("compress snapshot of %s: %w", ref, err)
	}
	err = db.update(ctx, db.cache, func(tx *sql.Tx) error {
		if err := db.archive(ctx, tx, ref, now); err != nil {
			return err
		}
		if err := dropSnapshot(ctx, tx, ref); err != nil {
			return err
		}
		err = insert(ctx, tx, `INSERT INTO snapshots (owner, package_type, package, read_at, since, digest, body) VALUES `,
			[][]any{{ref.Owner, string(ref.Type), ref.Name, readAt, readAt, digest[:], body}})
		if err != nil {
			return err
		}
		return project(ctx, tx, inv)
	})
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", ref, err)
	}
	return nil
}

// renew notes the time of reading if the snapshot is the one with that digest.
// Only where there is one already does that take a transaction of its own.
func (db *DB) renew(ctx context.Context, ref retention.PackageRef, digest []byte, readAt string) (same bool, err error) {
	var kept []byte
	err = db.read.QueryRowContext(ctx, `SELECT digest FROM snapshots WHERE owner = ? AND package_type = ? AND package = ?`,
		ref.Owner, string(ref.Type), ref.Name).Scan(&kept)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !bytes.Equal(kept, digest) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = db.update(ctx, db.cache, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE snapshots SET read_at = ? WHERE owner = ? AND package_type = ? AND package = ? AND digest = ?`,
			readAt, ref.Owner, string(ref.Type), ref.Name, digest)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		same = n == 1 // another process may have replaced it meanwhile
		return err
	})
	return same && err == nil, err
}

// Snapshot returns the last reading of a package; ok is false when there is none.
func (db *DB) Snapshot(ctx context.Context, ref retention.PackageRef) (inv retention.Inventory, ok bool, err error) {
	var readAt string
	var body []byte
	err = db.read.QueryRowContext(ctx, `SELECT read_at, body FROM snapshots WHERE owner = ? AND package_type = ? AND package = ?`,
		ref.Owner, string(ref.Type), ref.Name).Scan(&readAt, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return inv, false, nil
	}
	if err == nil {
		inv, err = readSnapshot(readAt, body)
	}
	if err != nil {
		return retention.Inventory{}, false, fmt.Errorf("read snapshot of %s: %w", ref, err)
	}
	return inv, true, nil
}

// Snapshots goes over all snapshots of an owner by type and name, one in memory
// at a time. After an error it ends.
func (db *DB) Snapshots(ctx context.Context, owner string) iter.Seq2[retention.Inventory, error] {
	return func(yield func(retention.Inventory, error) bool) {
		last := snapshotRow{}
		for {
			// Page by page: a query left open while the caller works would keep
			// the write-ahead log from being folded into the file.
			rows, err := collect(ctx, db.read, scanSnapshot, `SELECT package_type, package, read_at, body FROM snapshots
				WHERE owner = ? AND (package_type, package) > (?, ?) ORDER BY package_type, package LIMIT ?`,
				owner, last.packageType, last.name, snapshotPage)
			if err != nil {
				yield(retention.Inventory{}, fmt.Errorf("read snapshots of %s: %w", owner, err))
				return
			}
			for _, r := range rows {
				inv, err := readSnapshot(r.readAt, r.body)
				if err != nil {
					yield(retention.Inventory{}, fmt.Errorf("read snapshot of %s/%s/%s: %w", owner, r.packageType, r.name, err))
					return
				}
				if !yield(inv, nil) {
					return
				}
				last = r
			}
			if len(rows) < snapshotPage {
				return
			}
		}
	}
}

// DropSnapshot forgets a package's snapshot. It is no error when there is none.
func (db *DB) DropSnapshot(ctx context.Context, ref retention.PackageRef) error {
	err := db.update(ctx, db.cache, func(tx *sql.Tx) error { return dropSnapshot(ctx, tx, ref) })
	if err != nil {
		return fmt.Errorf("drop snapshot of %s: %w", ref, err)
	}
	return nil
}

// dropSnapshot takes the rows of the SQL tables along.
func dropSnapshot(ctx context.Context, tx *sql.Tx, ref retention.PackageRef) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM snapshots WHERE owner = ? AND package_type = ? AND package = ?`, ref.Owner, string(ref.Type), ref.Name)
	return err
}

type snapshotRow struct {
	packageType, name, readAt string
	body                      []byte
}

func scanSnapshot(scan func(...any) error) (r snapshotRow, err error) {
	err = scan(&r.packageType, &r.name, &r.readAt, &r.body)
	return r, err
}

func readSnapshot(readAt string, body []byte) (inv retention.Inventory, err error) {
	if err := bounded.DecodeGzip(bytes.NewReader(body), bounded.MaxSnapshot, &inv); err != nil {
		return retention.Inventory{}, err
	}
	if err := readStamp(readAt, &inv.ReadAt); err != nil {
		return retention.Inventory{}, err
	}
	return inv, nil
}

// squeeze compresses with a writer that is used again: a new one takes more
// than a megabyte, and a sweep saves thousands of snapshots.
func (db *DB) squeeze(b []byte) ([]byte, error) {
	z, ok := db.squeezers.Get().(*gzip.Writer)
	if !ok {
		var err error
		if z, err = gzip.NewWriterLevel(nil, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	defer db.squeezers.Put(z)
	var buf bytes.Buffer
	z.Reset(&buf)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
