package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/guard"
)

// SaveSweep keeps where an owner's sweep stands, a JSON document, in place of
// what was kept before. It is durable when it returns.
func (db *DB) SaveSweep(ctx context.Context, owner string, state []byte) error {
	err := db.update(ctx, db.durable, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO sweeps (owner, state) VALUES (?, ?)`, owner, string(state))
		return err
	})
	if err != nil {
		return fmt.Errorf("save the sweep of %s: %w", owner, err)
	}
	return nil
}

// LoadSweep returns what SaveSweep kept; ok is false when there is nothing.
func (db *DB) LoadSweep(ctx context.Context, owner string) (state []byte, ok bool, err error) {
	var text string
	err = db.read.QueryRowContext(ctx, `SELECT state FROM sweeps WHERE owner = ?`, owner).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the sweep of %s: %w", owner, err)
	}
	return []byte(text), true, nil
}

// SavePlan keeps the sealed plan of an owner's sweep, in place of the one of an
// earlier sweep. It is durable when it returns.
func (db *DB) SavePlan(ctx context.Context, owner, run string, sealed []byte) error {
	body, err := zipped(sealed)
	if err == nil {
		err = db.update(ctx, db.durable, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO sweep_plans (owner, run, plan) VALUES (?, ?, ?)`, owner, run, body)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("save the plan of sweep %s of %s: %w", run, owner, err)
	}
	return nil
}

func zipped(b []byte) ([]byte, error) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(b)
	err = errors.Join(err, z.Close())
	return buf.Bytes(), err
}

// LoadPlan returns the plan that SavePlan kept for the run; ok is false when
// there is none.
func (db *DB) LoadPlan(ctx context.Context, owner, run string) (sealed []byte, ok bool, err error) {
	var body []byte
	err = db.read.QueryRowContext(ctx, `SELECT plan FROM sweep_plans WHERE owner = ? AND run = ?`, owner, run).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	var z *gzip.Reader
	if err == nil {
		z, err = gzip.NewReader(bytes.NewReader(body))
	}
	if err == nil {
		sealed, err = io.ReadAll(bounded.NewReader(z, guard.MaxPlanBytes))
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the plan of sweep %s of %s: %w", run, owner, err)
	}
	return sealed, true, nil
}

// ActiveVersions counts the active versions of an owner's packages as they were
// last read.
func (db *DB) ActiveVersions(ctx context.Context, owner string) (int, error) {
	var n int
	err := db.read.QueryRowContext(ctx, `SELECT count(*) FROM package_versions WHERE owner = ? AND state = 'active'`, owner).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the versions of %s: %w", owner, err)
	}
	return n, nil
}

// Deliveries remembers webhook deliveries across restarts.
type Deliveries struct {
	db  *DB
	now func() time.Time
}

// Deliveries returns the store of webhook deliveries; now tells when one may be
// forgotten.
func (db *DB) Deliveries(now func() time.Time) *Deliveries { return &Deliveries{db: db, now: now} }

// Seen reports whether the key is marked and its time not over.
func (d *Deliveries) Seen(ctx context.Context, key string) (bool, error) {
	var n int
	err := d.db.read.QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE key = ? AND until > ?`, key, stamp(d.now())).Scan(&n)
	return n > 0, err
}

// Mark remembers the key until then, and forgets those whose time is over.
func (d *Deliveries) Mark(ctx context.Context, key string, until time.Time) error {
	return d.db.update(ctx, d.db.durable, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE until <= ?`, stamp(d.now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO deliveries (key, until) VALUES (?, ?)`, key, stamp(until))
		return err
	})
}
