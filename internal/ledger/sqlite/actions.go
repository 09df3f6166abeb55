package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const actionColumns = `id, run, owner, package_type, package, version_id, version, tags, action, target, rules, unit, cost,
	updated_at, begun_at, seq, outcome, request_id, detail, guard, finished_at, finished_seq`

// Lookup returns those of a run's actions that are there.
func (db *DB) Lookup(ctx context.Context, owner, run string, ids []string) ([]ledger.Action, error) {
	list, err := asJSON(ids)
	if err != nil {
		return nil, err
	}
	// The signs keep SQLite from walking the whole run by its index.
	return collect(ctx, db.read, scanAction, `SELECT `+actionColumns+` FROM actions
		WHERE id IN (SELECT value FROM json_each(?)) AND +owner = ? AND +run = ?`, list, owner, run)
}

// Actions returns a run's actions in order.
func (db *DB) Actions(ctx context.Context, owner, run string) ([]ledger.Action, error) {
	return collect(ctx, db.read, scanAction, `SELECT `+actionColumns+` FROM actions WHERE owner = ? AND run = ? ORDER BY seq`, owner, run)
}

// OpenActions returns an owner's actions without an outcome, in order.
func (db *DB) OpenActions(ctx context.Context, owner string) ([]ledger.Action, error) {
	return collect(ctx, db.read, scanAction, `SELECT `+actionColumns+` FROM actions WHERE owner = ? AND outcome = '' ORDER BY seq`, owner)
}

// PackageActions returns the actions on a package begun at or after since, in order.
func (db *DB) PackageActions(ctx context.Context, ref retention.PackageRef, since time.Time) ([]ledger.Action, error) {
	return collect(ctx, db.read, scanAction, `SELECT `+actionColumns+` FROM actions
		WHERE owner = ? AND package_type = ? AND package = ? AND begun_at >= ? ORDER BY seq`,
		ref.Owner, string(ref.Type), ref.Name, stamp(since))
}

func scanAction(scan func(...any) error) (a ledger.Action, err error) {
	var tags, action, rules, updated, begun string
	var finished sql.NullString
	err = scan(&a.ID, &a.Run, &a.Owner, &a.PackageType, &a.Package, &a.VersionID, &a.Version, &tags, &action, &a.Target, &rules,
		&a.Unit, &a.Cost, &updated, &begun, &a.Seq, &a.Outcome, &a.RequestID, &a.Detail, &a.Guard, &finished, &a.FinishedSeq)
	if err != nil {
		return a, err
	}
	if err := readAction(&a, tags, action, rules, updated, begun, finished); err != nil {
		return a, fmt.Errorf("action %s: %w", a.ID, err)
	}
	return a, nil
}

func readAction(a *ledger.Action, tags, action, rules, updated, begun string, finished sql.NullString) (err error) {
	if a.Action, err = retention.ParseAction(action); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(tags), &a.Tags); err != nil {
		return fmt.Errorf("tags: %w", err)
	}
	if err := json.Unmarshal([]byte(rules), &a.Rules); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if err := readStamp(updated, &a.UpdatedAt); err != nil {
		return err
	}
	if err := readStamp(begun, &a.At); err != nil {
		return err
	}
	return readStampOrNull(finished, &a.FinishedAt)
}

func beginActions(ctx context.Context, tx *sql.Tx, b ledger.Batch) error {
	rows := make([][]any, 0, len(b.BeginActions))
	for _, a := range b.BeginActions {
		tags, err := asJSON(a.Tags)
		if err != nil {
			return fmt.Errorf("encode tags: %w", err)
		}
		rules, err := asJSON(a.Rules)
		if err != nil {
			return fmt.Errorf("encode rules: %w", err)
		}
		rows = append(rows, []any{
			a.ID, a.Run, a.Owner, string(a.PackageType), a.Package, int64(a.VersionID), a.Version, tags,
			a.Action.String(), string(a.Target), rules, int64(a.Unit), a.Cost, stamp(a.UpdatedAt), stamp(a.At), a.Seq,
			string(a.Outcome), a.RequestID, a.Detail, string(a.Guard), stampOrNull(a.FinishedAt), a.FinishedSeq,
		})
	}
	return existsOr(insert(ctx, tx, `INSERT INTO actions (`+actionColumns+`) VALUES `, rows), "begin actions")
}

func finishAction(ctx context.Context, tx *sql.Tx, b ledger.Batch) error {
	if b.FinishAction == nil {
		return nil
	}
	a := *b.FinishAction
	res, err := tx.ExecContext(ctx, `UPDATE actions SET outcome = ?, request_id = ?, detail = ?, guard = ?, finished_at = ?, finished_seq = ?
		WHERE id = ? AND owner = ? AND run = ?`,
		string(a.Outcome), a.RequestID, a.Detail, string(a.Guard), stampOrNull(a.FinishedAt), a.FinishedSeq, a.ID, b.Owner, a.Run)
	return oneRow(res, err, "finish action "+a.ID)
}
