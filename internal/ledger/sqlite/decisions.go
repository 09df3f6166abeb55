package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// DecisionRow is one line of the decision log: one policy's answer and what
// became of it.
type DecisionRow struct {
	Owner       string                `json:"owner"`
	PackageType retention.PackageType `json:"package_type"`
	Package     string                `json:"package"`
	VersionID   retention.ID          `json:"version_id"` // zero when it is about the package
	Version     string                `json:"version"`
	Policy      string                `json:"policy"`
	Rule        string                `json:"rule"`
	Action      retention.Action      `json:"action"`
	Reason      string                `json:"reason"`
	Severity    retention.Severity    `json:"severity"`
	Mode        retention.Mode        `json:"mode"`
	Status      retention.Status      `json:"status"`
	Guard       retention.GuardCode   `json:"guard"`
	EvaluatedAt time.Time             `json:"evaluated_at"`

	BundleRevision string `json:"bundle_revision"` // of the policies that decided
	BundleDigest   string `json:"bundle_digest"`
}

// SaveDecisions keeps the decisions of a run in the table decisions. For each
// package among the rows they replace what the run had there, so that a package
// decided again is not there twice: give all rows of a package at once.
func (db *DB) SaveDecisions(ctx context.Context, run string, decisions []DecisionRow) error {
	err := db.update(ctx, db.cache, func(tx *sql.Tx) error {
		cleared := map[retention.PackageRef]bool{}
		rows := make([][]any, 0, len(decisions))
		for _, d := range decisions {
			ref := retention.PackageRef{Owner: d.Owner, Type: d.PackageType, Name: d.Package}
			if !cleared[ref] {
				cleared[ref] = true
				_, err := tx.ExecContext(ctx, `DELETE FROM decisions WHERE run = ? AND owner = ? AND package_type = ? AND package = ?`,
					run, ref.Owner, string(ref.Type), ref.Name)
				if err != nil {
					return err
				}
			}
			rows = append(rows, []any{
				run, d.Owner, string(d.PackageType), d.Package, int64(d.VersionID), d.Version, d.Policy, d.Rule, d.Action.String(),
				d.Reason, string(d.Severity), d.Mode.String(), string(d.Status), string(d.Guard), github(d.EvaluatedAt),
				d.BundleRevision, d.BundleDigest,
			})
		}
		return insert(ctx, tx, `INSERT INTO decisions (run, owner, package_type, package, version_id, version, policy, rule, action,
			reason, severity, mode, status, guard, evaluated_at, bundle_revision, bundle_digest) VALUES `, rows)
	})
	if err != nil {
		return fmt.Errorf("save decisions of run %s: %w", run, err)
	}
	return nil
}
