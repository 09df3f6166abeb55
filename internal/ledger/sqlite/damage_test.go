package sqlite

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// begun is a ledger with one run and n deletions begun.
func begun(t testing.TB, db *DB, n int) (*ledger.Ledger, retention.Run, []ledger.Intent) {
	t.Helper()
	l := ledger.New(db, func() time.Time { return day(9) })
	run := retention.Run{ID: "p1", Owner: "acme", Kind: retention.RunApply, Mode: retention.Enforce, StartedAt: day(9)}
	if _, err := l.Start(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	g, err := l.Begin(t.Context(), run, unlimited, someIntents(run, 1, n))
	if err != nil {
		t.Fatal(err)
	}
	return l, run, g.New
}

var unlimited = retention.Limits{DeletesPerRun: 1 << 40, DeletesPerDay: 1 << 40}

func someIntents(run retention.Run, from, n int) []ledger.Intent {
	var out []ledger.Intent
	for v := range n {
		out = append(out, ledger.NewIntent(run, retention.Item{
			Owner: run.Owner, PackageType: retention.Container, Package: "team/api", VersionID: retention.ID(from + v), Version: digest(from + v),
			Tags: []string{"pr-7"}, Action: retention.Delete, Target: retention.TargetVersion, Cost: 1, UpdatedAt: day(1),
			Rules: []retention.Rule{{Policy: "expire_untagged", Action: retention.Delete, Reason: "untagged for 31 days", Severity: "low", Mode: retention.Enforce}},
		}))
	}
	return out
}

func TestDamagedRowsAreErrors(t *testing.T) {
	for damage, says := range map[string]string{
		`UPDATE actions SET action = 'purge'`:                `"purge"`,
		`UPDATE actions SET tags = 'no'`:                     "tags",
		`UPDATE actions SET rules = '{}'`:                    "rules",
		`UPDATE actions SET updated_at = ''`:                 "time",
		`UPDATE actions SET begun_at = ''`:                   "time",
		`UPDATE actions SET finished_at = 'never'`:           "never",
		`UPDATE runs SET mode = 'x'`:                         `"x"`,
		`UPDATE runs SET trigger = ''`:                       "trigger",
		`UPDATE runs SET outcomes = ''`:                      "outcomes",
		`UPDATE runs SET started_at = ''`:                    "time",
		`UPDATE runs SET finished_at = 'never'`:              "never",
		`UPDATE ledger_counters SET n = 9223372036854775806`: "counter",
	} {
		t.Run(damage, func(t *testing.T) {
			db := openNew(t)
			l, _, _ := begun(t, db, 1)
			if _, err := db.durable.Exec(damage); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Verify(t.Context(), "acme"); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%v, want %q", err, says)
			}
		})
	}
}

func TestFinishingWhatIsNotThereWritesNothing(t *testing.T) {
	db := openNew(t)
	l, run, intents := begun(t, db, 1)
	for _, table := range []string{"actions", "runs"} {
		if table == "actions" {
			run.ID = "other"
		}
		head, err := db.Head(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		r := ledger.Record{V: 1, Owner: "acme", Seq: head.Seq + 1, At: day(9), Kind: ledger.KindNote, Body: []byte(`{"text":""}`), Prev: head.Hash}
		r.Hash = r.Sum()
		b := ledger.Batch{Owner: "acme", Expect: head, Records: []ledger.Record{r}, FinishRun: &run}
		if table == "actions" {
			b.FinishRun, b.FinishAction = nil, &ledger.Action{Intent: ledger.Intent{ID: "x", Run: intents[0].Run, Owner: "acme"}}
		}
		if err := db.Commit(t.Context(), b); err == nil || !strings.Contains(err.Error(), "not there") {
			t.Errorf("%s: %v, want a refusal", table, err)
		}
	}
	if v, err := l.Verify(t.Context(), "acme"); err != nil || v.Records != 2 {
		t.Errorf("%+v, %v; want the two records from before", v, err)
	}
}

func TestAFullDiskSaysWhatToDo(t *testing.T) {
	db := openNew(t)
	l, run, _ := begun(t, db, 1)
	before, err := l.Verify(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.durable.Exec(`PRAGMA max_page_count = 1`); err != nil { // SQLite takes the present size
		t.Fatal(err)
	}
	for from := 2; err == nil; from += ledger.MaxIntents {
		_, err = l.Begin(t.Context(), run, unlimited, someIntents(run, from, ledger.MaxIntents))
	}
	if !strings.Contains(err.Error(), db.Path()) || !strings.Contains(err.Error(), "SHELFLIFE_STATE") || errors.Is(err, ledger.ErrConflict) {
		t.Errorf("%v, want the path and the next step", err)
	}
	after, err := l.Verify(t.Context(), "acme")
	if err != nil || after.Records%ledger.MaxIntents != before.Records%ledger.MaxIntents {
		t.Errorf("%+v, %v; want whole batches only", after, err)
	}
}

// One action's record: reserved and flushed before the call, flushed after it.
func BenchmarkBeginFinish(b *testing.B) {
	db, err := Open(b.TempDir() + "/shelflife.db")
	if err != nil {
		b.Fatal(err)
	}
	l, run, _ := begun(b, db, 1)
	n := 1
	for b.Loop() {
		n++
		g, err := l.Begin(b.Context(), run, unlimited, someIntents(run, n, 1))
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Finish(b.Context(), g.New[0], ledger.Result{Outcome: retention.OutcomeDone}); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkBegin40(b *testing.B) {
	db, err := Open(b.TempDir() + "/shelflife.db")
	if err != nil {
		b.Fatal(err)
	}
	l, run, _ := begun(b, db, 1)
	n := 2
	for b.Loop() {
		if _, err := l.Begin(b.Context(), run, unlimited, someIntents(run, n, ledger.MaxIntents)); err != nil {
			b.Fatal(err)
		}
		n += ledger.MaxIntents
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkSaveSnapshot1000(b *testing.B) {
	db, err := Open(b.TempDir() + "/shelflife.db")
	if err != nil {
		b.Fatal(err)
	}
	inv := inventory("big")
	inv.Versions, inv.Graph = nil, retention.Graph{}
	for i := range 1000 {
		inv.Versions = append(inv.Versions, retention.Version{ID: retention.ID(i + 1), Name: digest(i), State: retention.Active, CreatedAt: day(1), UpdatedAt: day(1)})
	}
	for b.Loop() {
		inv.Package.VersionCount++
		if err := db.SaveSnapshot(b.Context(), inv); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}
