package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestQueryReadsTheLedger(t *testing.T) {
	db := openNew(t)
	l := ledger.New(db, func() time.Time { return day(8) })
	run := retention.Run{
		ID: "p1", Owner: "Acme", Kind: retention.RunApply, Mode: retention.Enforce, Planned: 1, StartedAt: day(8),
		Trigger: retention.Trigger{Kind: retention.TriggerSchedule},
	}
	if _, err := l.Start(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	g, err := l.Begin(t.Context(), run, retention.DefaultLimits(), []ledger.Intent{ledger.NewIntent(run, retention.Item{
		Owner: "Acme", PackageType: retention.NPM, Package: "left-pad", VersionID: 4, Version: "1.0.0", Cost: 1,
		Action: retention.Delete, Target: retention.TargetVersion, Rules: []retention.Rule{{Policy: "expire", Action: retention.Delete}},
	})})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(t.Context(), g.New[0], ledger.Result{Outcome: retention.OutcomeDone, RequestID: "R1"}); err != nil {
		t.Fatal(err)
	}
	ask(t, db, `SELECT r.id, r.trigger ->> 'kind', r.finished_at, a.policy, a.version_id, a.action, a.outcome, a.request_id, a.begun_at
		FROM runs r JOIN actions a ON a.run = r.id AND a.owner = r.owner WHERE r.owner = 'acme'`, [][]any{
		{"p1", "schedule", nil, "expire", int64(4), "delete", "done", "R1", "2026-11-08T01:02:03.000000000Z"},
	})
}

func TestQueryTakesOneStatementThatReads(t *testing.T) {
	db := openNew(t)
	for _, q := range []string{
		`SELECT 1`,
		"  \n-- a comment; with a semicolon\nselect 1;",
		`/* ; */ SELECT ';', ";" , '--', '/*' FROM (SELECT 1 AS ";") ; -- done`,
		`SELECT 'it''s; one'`,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 3) SELECT i AS [a;b], i AS `c;d` FROM n",
		`SELECT count(*) FROM json_each('[1,2]')`,
		`SELECT count(*), max(name) FROM org_packages GROUP BY owner HAVING count(*) > 1`,
		`SELECT body FROM manifests`,
	} {
		if _, err := db.Query(t.Context(), q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestQueryCanOnlyRead(t *testing.T) {
	db := openNew(t)
	other := filepath.Join(t.TempDir(), "other.db")
	for q, says := range map[string]string{
		``:                                      "only one SELECT",
		`-- nothing`:                            "only one SELECT",
		`(SELECT 1)`:                            "only one SELECT",
		`DELETE FROM runs`:                      "only one SELECT",
		`PRAGMA query_only = 0`:                 "only one SELECT",
		`ATTACH '` + other + `' AS x`:           "only one SELECT",
		`VACUUM INTO '` + other + `'`:           "only one SELECT",
		`EXPLAIN SELECT 1`:                      "only one SELECT",
		`SELECT 1; DELETE FROM runs`:            "after the semicolon",
		`SELECT 1 /* */; ; SELECT 2`:            "after the semicolon",
		`SELECT '1' ; 'x`:                       "after the semicolon",
		"SELECT 1\x00; DELETE FROM runs":        "NUL",
		`WITH x AS (SELECT 1) DELETE FROM runs`: "not authorized",
		`WITH x AS (SELECT 1) INSERT INTO manifests SELECT 'a', x'00'`:  "not authorized",
		`SELECT load_extension('x')`:                                    "not authorized",
		`WITH x AS (SELECT 1) UPDATE runs SET id = 'x'`:                 "not authorized",
		`WITH x AS (SELECT 1) REPLACE INTO manifests SELECT 'a', x'00'`: "not authorized",
		`SELECT writefile('` + other + `', 'x')`:                        "no such function",
		`SELECT readfile('/etc/passwd')`:                                "no such function",
		`SELECT edit('x')`:                                              "no such function",
		`SELECT * FROM pragma_journal_mode`:                             "not authorized",
		`SELECT * FROM pragma_user_version`:                             "not authorized",
		`SELECT fts3_tokenizer('x', x'0000000000000000')`:               "no such function",
		`SELECT * FROM pragma_query_only`:                               "not authorized",
		`SELECT nonsense FROM runs`:                                     "no such column",
		`SELECT * FROM packages`:                                        "no such table",
		`SELECT "nonsense" FROM runs`:                                   "no such column",
		`SELECT FROM`:                                                   "syntax error",
		`SELECT 'open`:                                                  "unrecognized token",
	} {
		_, err := db.Query(t.Context(), q)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", q, err, says)
		}
	}
}

func TestQueryNamesWhatThereIs(t *testing.T) {
	_, err := openNew(t).Query(t.Context(), `SELECT * FROM packages`)
	for _, want := range []string{
		"org_packages (id, name, updated_at, package_type, created_at, version_count, owner, repository, html_url, url, visibility)",
		"package_versions (id, owner,", "decisions (run, owner,", "actions (id, run,", "policy", "runs (id, owner,",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: does not name %q", err, want)
		}
	}
}

func TestQueryHasLimits(t *testing.T) {
	const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT `
	db := openNew(t)
	db.limits = queryLimits{rows: 10, time: 50 * time.Millisecond, value: 1 << 20, bytes: 2 << 20}
	for _, q := range []string{`SELECT zeroblob(900000000)`, `SELECT randomblob(900000000)`, `SELECT printf('%.*c', 900000000, 'x')`} {
		if _, err := db.Query(t.Context(), q); err == nil || !strings.Contains(err.Error(), "too big") && !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%s: %v", q, err)
		}
	}
	if _, err := db.Query(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 9) SELECT zeroblob(500000) FROM n`); err == nil || !strings.Contains(err.Error(), "larger than 2 MiB") {
		t.Errorf("bytes: %v", err)
	}
	if _, err := db.Query(t.Context(), endless+`i FROM n`); err == nil || !strings.Contains(err.Error(), "more than 10 rows") {
		t.Errorf("rows: %v", err)
	}
	if _, err := db.Query(t.Context(), endless+`max(i) FROM n`); err == nil || !strings.Contains(err.Error(), "longer than 50ms") {
		t.Errorf("time: %v", err)
	}
	got, err := db.Query(t.Context(), endless+`i FROM n LIMIT 10`)
	if err != nil || len(got.Values) != 10 {
		t.Errorf("exactly the limit: %d, %v", len(got.Values), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Query(ctx, `SELECT 1`); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestQueryKeepsTheKindOfValue(t *testing.T) {
	got, err := openNew(t).Query(t.Context(), `SELECT NULL AS n, 1 AS i, 1.5 AS r, 'text' AS t, x'ff00' AS b, x'61' AS tb`)
	want := Rows{Columns: []string{"n", "i", "r", "t", "b", "tb"}, Values: [][]any{{nil, int64(1), 1.5, "text", []byte{0xff, 0}, "a"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// Whatever passes for one statement must be one for SQLite too.
func FuzzSingle(f *testing.F) {
	for _, s := range []string{`SELECT 1`, `SELECT ';' ;`, "select [;]--\n;", `with/**/x`, `SELECT '''; DROP`, "SELECT $a::b(;)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if single(s) != nil {
			return
		}
		trimmed := strings.TrimLeft(s, " \t\n\f\r-/*")
		if trimmed == "" {
			t.Errorf("%q passed", s)
		}
		if single(s+";DELETE FROM runs") == nil && !strings.ContainsAny(s, "'\"`[-/") {
			t.Errorf("%q with a second statement passed", s)
		}
	})
}

// FuzzQuery runs whatever text, in a state file that holds something. Whatever comes
// of it, the file stays as it was, and nothing else is written.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		`SELECT * FROM runs`, `WITH x AS (SELECT 1) DELETE FROM manifests`, `SELECT 1; DROP TABLE manifests`, `ATTACH 'x' AS y`,
		`SELECT load_extension('x')`, `SELECT count(*) FROM sqlite_master`, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n`,
	} {
		f.Add(s)
	}
	dir := f.TempDir()
	db, err := Open(filepath.Join(dir, "state.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	if err := db.PutManifest(f.Context(), digest(1), []byte("kept")); err != nil {
		f.Fatal(err)
	}
	db.limits = queryLimits{rows: 100, time: 50 * time.Millisecond, value: 1 << 16, bytes: 1 << 20}
	print := func(t testing.TB) string {
		var tables, manifests, version int
		err := db.read.QueryRow(`SELECT (SELECT count(*) FROM sqlite_master), (SELECT count(*) FROM manifests), (SELECT user_version FROM pragma_user_version)`).
			Scan(&tables, &manifests, &version)
		names, globErr := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || globErr != nil {
			t.Fatal(err, globErr)
		}
		return fmt.Sprint(tables, manifests, version, names)
	}
	before := print(f)
	f.Fuzz(func(t *testing.T, query string) {
		_, _ = db.Query(t.Context(), query)
		if after := print(t); after != before {
			t.Errorf("%q left %s, and there was %s", query, after, before)
		}
	})
}
