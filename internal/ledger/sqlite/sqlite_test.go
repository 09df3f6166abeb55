package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

func openAt(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func openNew(t *testing.T) *DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "shelflife.db"))
}

func TestConforms(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Instance {
		db := openNew(t)
		return ledgertest.Instance{
			Store:   db,
			Another: func(t *testing.T) ledger.Store { return openAt(t, db.Path()) },
			Tamper: func(t *testing.T, owner string, wound ledgertest.Wound, seq int64) {
				tamper(t, db, owner, wound, seq)
			},
		}
	})
}

// tamper does what somebody with the file and an SQLite shell could do.
func tamper(t *testing.T, db *DB, owner string, wound ledgertest.Wound, seq int64) {
	t.Helper()
	err := db.update(context.Background(), db.durable, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DROP TRIGGER ledger_records_no_update; DROP TRIGGER ledger_records_no_delete`)
		if err != nil {
			return err
		}
		switch wound {
		case ledgertest.EditBody, ledgertest.RehashBody:
			records, err := db.Records(context.Background(), owner, seq-1, 1)
			if err != nil {
				return err
			}
			r := records[0]
			r.Body = ledgertest.Edited(r.Body)
			if wound == ledgertest.RehashBody {
				r.Hash = r.Sum()
			}
			_, err = tx.Exec(`UPDATE ledger_records SET body = ?, hash = ? WHERE owner = ? AND seq = ?`, string(r.Body), r.Hash, owner, seq)
			return err
		case ledgertest.CutTail:
			if _, err := tx.Exec(`UPDATE ledger_heads SET seq = seq - 1, hash =
				(SELECT hash FROM ledger_records r WHERE r.owner = ledger_heads.owner AND r.seq = ledger_heads.seq - 1) WHERE owner = ?`, owner); err != nil {
				return err
			}
			fallthrough
		case ledgertest.DropRecord:
			_, err = tx.Exec(`DELETE FROM ledger_records WHERE owner = ? AND seq = ?`, owner, seq)
		case ledgertest.LowerCount:
			_, err = tx.Exec(`UPDATE ledger_counters SET n = n - 1 WHERE owner = ?`, owner)
		case ledgertest.ExtraCount:
			_, err = tx.Exec(`INSERT INTO ledger_counters VALUES (?, 'run/made-up', 1)`, owner)
		case ledgertest.ForgeAction:
			_, err = tx.Exec(`UPDATE actions SET outcome = 'done' WHERE owner = ?`, owner)
		case ledgertest.DropActions:
			_, err = tx.Exec(`DELETE FROM actions WHERE owner = ?`, owner)
		case ledgertest.ForgeRun:
			_, err = tx.Exec(`UPDATE runs SET planned = planned + 1 WHERE owner = ?`, owner)
		default:
			t.Fatalf("wound %q is not known", wound)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
