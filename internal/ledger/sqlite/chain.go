package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	lib "modernc.org/sqlite/lib"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

var _ ledger.Store = (*DB)(nil)

// Owners returns the keys of all chains, sorted.
func (db *DB) Owners(ctx context.Context) ([]string, error) {
	return collect(ctx, db.read, scanText, `SELECT owner FROM ledger_heads ORDER BY owner`)
}

// Head returns the end of an owner's chain, the zero Head when there is none.
func (db *DB) Head(ctx context.Context, owner string) (ledger.Head, error) {
	return readHead(db.read.QueryRowContext(ctx, selectHead, owner))
}

const selectHead = `SELECT seq, hash FROM ledger_heads WHERE owner = ?`

func readHead(row *sql.Row) (h ledger.Head, err error) {
	if err = row.Scan(&h.Seq, &h.Hash); errors.Is(err, sql.ErrNoRows) {
		return ledger.Head{}, nil
	}
	return h, err
}

// Records returns up to limit records of an owner after a sequence number.
func (db *DB) Records(ctx context.Context, owner string, after int64, limit int) ([]ledger.Record, error) {
	scan := func(scan func(...any) error) (r ledger.Record, err error) {
		var at, body string
		if err := scan(&r.V, &r.Owner, &r.Seq, &at, &r.Kind, &r.Run, &body, &r.Prev, &r.Hash); err != nil {
			return r, err
		}
		r.Body = json.RawMessage(body)
		return r, readStamp(at, &r.At)
	}
	return collect(ctx, db.read, scan, `SELECT v, owner, seq, at, kind, run, body, prev, hash FROM ledger_records
		WHERE owner = ? AND seq > ? ORDER BY seq LIMIT ?`, owner, after, limit)
}

// Counter returns one counter of an owner, 0 when there is none.
func (db *DB) Counter(ctx context.Context, owner, name string) (int, error) {
	return readCounter(db.read.QueryRowContext(ctx, selectCounter, owner, name))
}

const selectCounter = `SELECT n FROM ledger_counters WHERE owner = ? AND name = ?`

func readCounter(row *sql.Row) (n int, err error) {
	if err = row.Scan(&n); errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// Counters returns all counters of an owner.
func (db *DB) Counters(ctx context.Context, owner string) (map[string]int, error) {
	type counter struct {
		name string
		n    int
	}
	all, err := collect(ctx, db.read, func(scan func(...any) error) (c counter, err error) {
		err = scan(&c.name, &c.n)
		return c, err
	}, `SELECT name, n FROM ledger_counters WHERE owner = ?`, owner)
	out := make(map[string]int, len(all))
	for _, c := range all {
		out[c.name] = c.n
	}
	return out, err
}

// Commit writes a batch of the ledger in one flushed transaction.
func (db *DB) Commit(ctx context.Context, b ledger.Batch) error {
	err := db.update(ctx, db.durable, func(tx *sql.Tx) error { return commit(ctx, tx, b) })
	switch {
	case isBusy(err):
		return fmt.Errorf("%w: the file was locked for %s", ledger.ErrConflict, busyTimeout)
	case hasCode(err, lib.SQLITE_READONLY), hasCode(err, lib.SQLITE_FULL), hasCode(err, lib.SQLITE_IOERR):
		return fmt.Errorf("write %s: %w: make room there or set SHELFLIFE_STATE to another file", db.path, err)
	}
	return err
}

func commit(ctx context.Context, tx *sql.Tx, b ledger.Batch) error {
	head, err := readHead(tx.QueryRowContext(ctx, selectHead, b.Owner))
	if err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	if head != b.Expect {
		return ledger.ErrConflict
	}
	steps := []func(context.Context, *sql.Tx, ledger.Batch) error{
		startRun, beginActions, addCounters, finishRun, finishAction, appendRecords,
	}
	for _, step := range steps {
		if err := step(ctx, tx, b); err != nil {
			return err
		}
	}
	return nil
}

func appendRecords(ctx context.Context, tx *sql.Tx, b ledger.Batch) error {
	rows := make([][]any, 0, len(b.Records))
	for _, r := range b.Records {
		rows = append(rows, []any{r.V, r.Owner, r.Seq, stamp(r.At), string(r.Kind), r.Run, string(r.Body), r.Prev, r.Hash})
	}
	if err := insert(ctx, tx, `INSERT INTO ledger_records (v, owner, seq, at, kind, run, body, prev, hash) VALUES `, rows); err != nil {
		return fmt.Errorf("append records: %w", err)
	}
	h := b.Head()
	_, err := tx.ExecContext(ctx, `INSERT INTO ledger_heads (owner, seq, hash) VALUES (?, ?, ?)
		ON CONFLICT (owner) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, b.Owner, h.Seq, h.Hash)
	if err != nil {
		return fmt.Errorf("move the head: %w", err)
	}
	return nil
}

func addCounters(ctx context.Context, tx *sql.Tx, b ledger.Batch) error {
	for _, add := range b.Counters {
		used, err := readCounter(tx.QueryRowContext(ctx, selectCounter, b.Owner, add.Name))
		if err != nil {
			return fmt.Errorf("read counter %s: %w", add.Name, err)
		}
		if add.N > add.Limit-used {
			return &ledger.BudgetError{Which: add.Guard, Limit: add.Limit, Used: used, Asked: add.N}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO ledger_counters (owner, name, n) VALUES (?, ?, ?)
			ON CONFLICT (owner, name) DO UPDATE SET n = n + excluded.n`, b.Owner, add.Name, add.N)
		if err != nil {
			return fmt.Errorf("raise counter %s: %w", add.Name, err)
		}
	}
	return nil
}

// existsOr turns the refusal to create what is there into ErrExists.
func existsOr(err error, what string) error {
	if hasCode(err, lib.SQLITE_CONSTRAINT) {
		return fmt.Errorf("%w: %s (%w)", ledger.ErrExists, what, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
