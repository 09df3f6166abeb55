package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/decisions"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// SaveDecisions keeps the decisions of a run in the table decisions. For each
// package among the rows they replace what the run had there, so that a package
// decided again is not there twice: give all rows of a package at once.
func (db *DB) SaveDecisions(ctx context.Context, run string, rows []decisions.Row) error {
	err := db.update(ctx, db.cache, func(tx *sql.Tx) error {
		cleared := map[retention.PackageRef]bool{}
		values := make([][]any, 0, len(rows))
		for _, d := range rows {
			ref := retention.PackageRef{Owner: d.Owner, Type: d.PackageType, Name: d.Package}
			if !cleared[ref] {
				cleared[ref] = true
				_, err := tx.ExecContext(ctx, `DELETE FROM decisions WHERE run = ? AND owner = ? AND package_type = ? AND package = ?`,
					run, ref.Owner, string(ref.Type), ref.Name)
				if err != nil {
					return err
				}
			}
			values = append(values, []any{
				run, d.Owner, string(d.PackageType), d.Package, int64(d.VersionID), d.Version, d.Policy, d.Rule, d.Action.String(),
				d.Reason, string(d.Severity), d.Mode.String(), string(d.Status), string(d.Guard), github(d.EvaluatedAt),
			})
		}
		return insert(ctx, tx, `INSERT INTO decisions (run, owner, package_type, package, version_id, version, policy, rule, action,
			reason, severity, mode, status, guard, evaluated_at) VALUES `, values)
	})
	if err != nil {
		return fmt.Errorf("save decisions of run %s: %w", run, err)
	}
	return nil
}
