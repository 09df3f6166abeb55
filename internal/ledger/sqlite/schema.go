package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"time"
)

// applicationID marks the file as Shelflife's ("SHLF").
const applicationID = 0x53484c46

//go:embed schema_v1.sql
var schemaV1 string

//go:embed schema_v2.sql
var schemaV2 string

//go:embed schema_v3.sql
var schemaV3 string

//go:embed schema_v4.sql
var schemaV4 string

//go:embed schema_v5.sql
var schemaV5 string

// migrations take the schema from version i to i+1. They are only ever added to.
func migrations() []string { return []string{schemaV1, schemaV2, schemaV3, schemaV4, schemaV5} }

// prepare brings the schema up to date. Two processes that open a new file at
// the same moment may see one another's lock although they wait for it (a
// change of the journal mode does not wait), hence the attempts.
func (db *DB) prepare(ctx context.Context) error {
	for {
		err := db.update(ctx, db.durable, func(tx *sql.Tx) error { return migrate(ctx, tx, migrations()) })
		if !isBusy(err) {
			return err
		}
		t := time.NewTimer(20 * time.Millisecond)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}

func migrate(ctx context.Context, tx *sql.Tx, steps []string) error {
	var version, app, tables int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_master)`).Scan(&version, &app, &tables)
	if err != nil {
		return fmt.Errorf("read its version: %w", err)
	}
	switch {
	case app != applicationID && (app != 0 || version != 0 || tables != 0):
		return fmt.Errorf("it is a database of another program")
	case version > len(steps):
		return fmt.Errorf("it has schema version %d, this shelflife knows %d: update shelflife", version, len(steps))
	case version == len(steps):
		return nil
	}
	for ; version < len(steps); version++ {
		if _, err := tx.ExecContext(ctx, steps[version]); err != nil {
			return fmt.Errorf("bring its schema to version %d: %w", version+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version)); err != nil {
		return fmt.Errorf("note its schema version: %w", err)
	}
	return nil
}
