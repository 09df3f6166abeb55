package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const runColumns = `id, owner, kind, undoes, mode, trigger, actor, bundle_digest, started_at, finished_at, planned, outcomes`

// Run returns one run of an owner.
func (db *DB) Run(ctx context.Context, owner, id string) (retention.Run, bool, error) {
	runs, err := collect(ctx, db.read, scanRun, `SELECT `+runColumns+` FROM runs WHERE owner = ? AND id = ?`, owner, id)
	if err != nil || len(runs) == 0 {
		return retention.Run{}, false, err
	}
	return runs[0], true, nil
}

// Runs returns an owner's runs, the newest first; limit 0 means all.
func (db *DB) Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error) {
	if limit <= 0 {
		limit = -1 // SQLite's word for no limit
	}
	return collect(ctx, db.read, scanRun, `SELECT `+runColumns+` FROM runs WHERE owner = ?
		ORDER BY started_at DESC, id DESC LIMIT ?`, owner, limit)
}

func scanRun(scan func(...any) error) (r retention.Run, err error) {
	var mode, trigger, started, outcomes string
	var finished sql.NullString
	if err := scan(&r.ID, &r.Owner, &r.Kind, &r.Undoes, &mode, &trigger, &r.Actor, &r.BundleDigest, &started, &finished, &r.Planned, &outcomes); err != nil {
		return r, err
	}
	if r.Mode, err = retention.ParseMode(mode); err != nil {
		return r, fmt.Errorf("run %s: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(trigger), &r.Trigger); err != nil {
		return r, fmt.Errorf("run %s: trigger: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(outcomes), &r.Outcomes); err != nil {
		return r, fmt.Errorf("run %s: outcomes: %w", r.ID, err)
	}
	if err := readStamp(started, &r.StartedAt); err != nil {
		return r, fmt.Errorf("run %s: %w", r.ID, err)
	}
	return r, readStampOrNull(finished, &r.FinishedAt)
}

func startRun(ctx context.Context, tx *sql.Tx, b ledger.Batch) error {
	if b.StartRun == nil {
		return nil
	}
	r := *b.StartRun
	trigger, err := asJSON(r.Trigger)
	if err != nil {
		return fmt.Errorf("encode the trigger: %w", err)
	}
	outcomes, err := asJSON(r.Outcomes)
	if err != nil {
		return fmt.Errorf("encode the outcomes: %w", err)
	}
	err = insert(ctx, tx, `INSERT INTO runs (`+runColumns+`) VALUES `, [][]any{{
		r.ID, r.Owner, string(r.Kind), r.Undoes, r.Mode.String(), trigger, r.Actor, r.BundleDigest,
		stamp(r.StartedAt), stampOrNull(r.FinishedAt), r.Planned, outcomes,
	}})
	return existsOr(err, "start run "+r.ID)
}

func finishRun(ctx context.Context, tx *sql.Tx, b ledger.Batch) error {
	if b.FinishRun == nil {
		return nil
	}
	r := *b.FinishRun
	outcomes, err := asJSON(r.Outcomes)
	if err != nil {
		return fmt.Errorf("encode the outcomes: %w", err)
	}
	res, err := tx.ExecContext(ctx, `UPDATE runs SET finished_at = ?, outcomes = ? WHERE owner = ? AND id = ?`,
		stampOrNull(r.FinishedAt), outcomes, b.Owner, r.ID)
	return oneRow(res, err, "finish run "+r.ID)
}

// oneRow makes sure that an update met exactly one row.
func oneRow(res sql.Result, err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n != 1 {
		return fmt.Errorf("%s: it is not there", what)
	}
	return nil
}
