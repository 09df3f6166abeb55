package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestOpenKeepsTheFileToItsOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	path := filepath.Join(t.TempDir(), "state", "shelf life?#%41.db")
	db := openAt(t, path)
	if _, err := db.Head(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", p, got, want)
		}
	}
}

func TestOpenSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write := func(name, content string) string {
		t.Helper()
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	alter := func(statement string) string {
		t.Helper()
		p := filepath.Join(t.TempDir(), "x.db")
		db, err := sql.Open("sqlite", dsn(p, ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ path, says string }{
		"a folder":                       {t.TempDir(), "is a directory"},
		"below a file":                   {filepath.Join(file, "x.db"), "not a directory"},
		"not a database":                 {write("x.db", strings.Repeat("not a database ", 100)), "not a database"},
		"another program's database":     {alter(`CREATE TABLE t (a)`), "another program"},
		"another program's, by its mark": {alter(`PRAGMA application_id = 7`), "another program"},
		"a newer version's":              {alter(`PRAGMA application_id = 1397247046; PRAGMA user_version = 999`), "update shelflife"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(tt.path)
			if err == nil {
				t.Fatal(db.Close(), "opened")
			}
			for _, want := range []string{tt.path, tt.says, "SHELFLIFE_STATE"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: does not say %q", err, want)
				}
			}
		})
	}
}

func TestOpenRefusesAFolderThatCantBeWritten(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permission bits don't hold this user back")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "x.db")); err == nil || !strings.Contains(err.Error(), "SHELFLIFE_STATE") {
		t.Errorf("%v, want the next step", err)
	}
}

func TestMigrationsGoOnFromWhereTheFileIs(t *testing.T) {
	db := openNew(t)
	steps := append(migrations(), `CREATE TABLE later (a TEXT) STRICT`, `ALTER TABLE later ADD COLUMN b TEXT`)
	for range 2 { // the second time there is nothing to do
		if err := db.update(t.Context(), db.durable, func(tx *sql.Tx) error { return migrate(t.Context(), tx, steps) }); err != nil {
			t.Fatal(err)
		}
	}
	var version int
	if err := db.read.QueryRow(`SELECT user_version + (SELECT count(a) + count(b) FROM later) FROM pragma_user_version`).Scan(&version); err != nil || version != len(steps) {
		t.Errorf("version %d, %v; want %d", version, err, len(steps))
	}
	broken := append(steps, `CREATE TABLE later (a)`)
	if err := db.update(t.Context(), db.durable, func(tx *sql.Tx) error { return migrate(t.Context(), tx, broken) }); err == nil {
		t.Error("a migration that fails was taken for done")
	}
}

func TestTheFileRefusesToChangeRecords(t *testing.T) {
	db := openNew(t)
	if _, err := db.durable.Exec(`INSERT INTO ledger_records VALUES ('acme', 1, 1, '', 'note', '', '{}', '', '')`); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE ledger_records SET body = '{"x":1}'`,
		`DELETE FROM ledger_records`,
		`INSERT OR REPLACE INTO ledger_records VALUES ('acme', 1, 1, '', 'note', '', '{"x":1}', '', '')`,
	} {
		if _, err := db.durable.Exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}

func TestLedgerCommitsAreFlushed(t *testing.T) {
	db := openNew(t)
	for name, tt := range map[string]struct {
		pool *sql.DB
		want int
	}{"ledger": {db.durable, 2}, "cache": {db.cache, 1}} {
		var mode string
		var level, keys int
		err := tt.pool.QueryRow(`SELECT journal_mode, synchronous, foreign_keys FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys`).Scan(&mode, &level, &keys)
		if err != nil || mode != "wal" || level != tt.want || keys != 1 {
			t.Errorf("%s: journal %s, synchronous %d, foreign keys %d, %v; want wal, %d, 1", name, mode, level, keys, err, tt.want)
		}
	}
}
