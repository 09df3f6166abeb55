package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// KeepWork keeps an item that is yet to be worked, so that it outlives the
// process. It is durable when it returns. An item that is kept already stays as
// it is.
func (db *DB) KeepWork(ctx context.Context, item retention.WorkItem) error {
	body, err := retention.EncodeWorkItem(item)
	if err == nil {
		err = db.update(ctx, db.durable, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO queue (id, n, item) SELECT ?, coalesce(max(n), 0) + 1, ? FROM queue`, workID(item), string(body))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("keep the work on %s: %w", item.Ref(), err)
	}
	return nil
}

// DropWork forgets an item that has been worked, or is kept elsewhere by now. It
// is no error when it was not kept.
func (db *DB) DropWork(ctx context.Context, item retention.WorkItem) error {
	err := db.update(ctx, db.durable, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM queue WHERE id = ?`, workID(item))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget the work on %s: %w", item.Ref(), err)
	}
	return nil
}

// Work returns the kept items in the order in which they came.
func (db *DB) Work(ctx context.Context) ([]retention.WorkItem, error) {
	out, err := db.work(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the kept work: %w", err)
	}
	return out, nil
}

func (db *DB) work(ctx context.Context) (out []retention.WorkItem, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT item FROM queue ORDER BY n`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		item, err := retention.DecodeWorkItem([]byte(body))
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}

func workID(item retention.WorkItem) string { return item.GroupID() + " " + item.DeduplicationID() }
