package sqlite

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestSweepAndPlanAreKeptByOwner(t *testing.T) {
	db, ctx := openNew(t), t.Context()
	if _, ok, err := db.LoadSweep(ctx, "acme"); ok || err != nil {
		t.Fatalf("a new store has a sweep: %v, %v", ok, err)
	}
	for _, state := range []string{`{"run":"a"}`, `{"run":"b"}`} {
		if err := db.SaveSweep(ctx, "Acme", []byte(state)); err != nil {
			t.Fatal(err)
		}
	}
	got, ok, err := db.LoadSweep(ctx, "acme")
	if diff := cmp.Diff(`{"run":"b"}`, string(got)); diff != "" || !ok || err != nil {
		t.Errorf("%s %v %v", diff, ok, err)
	}
	for _, run := range []string{"r1", "r2"} {
		if err := db.SavePlan(ctx, "acme", run, []byte("plan "+run)); err != nil {
			t.Fatal(err)
		}
	}
	plan, ok, err := db.LoadPlan(ctx, "acme", "r2")
	if string(plan) != "plan r2" || !ok || err != nil {
		t.Errorf("%q %v %v", plan, ok, err)
	}
	if _, ok, err := db.LoadPlan(ctx, "acme", "r1"); ok || err != nil {
		t.Errorf("the plan of an earlier sweep is still there: %v %v", ok, err)
	}
}

func TestDamagedPlanIsAnError(t *testing.T) {
	db := openNew(t)
	if _, err := db.durable.Exec(`INSERT INTO sweep_plans VALUES ('acme', 'r', x'00')`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.LoadPlan(t.Context(), "acme", "r"); err == nil {
		t.Error("a plan that is no gzip was read")
	}
}

func TestDeliveriesAreRememberedUntilTheirTimeIsOver(t *testing.T) {
	db, ctx := openNew(t), t.Context()
	now := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	d := db.Deliveries(func() time.Time { return now })
	seen := func(key string, want bool) {
		t.Helper()
		if got, err := d.Seen(ctx, key); err != nil || got != want {
			t.Errorf("%s: %v, %v", key, got, err)
		}
	}
	seen("a", false)
	if err := d.Mark(ctx, "a", now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	seen("a", true)
	now = now.Add(time.Hour)
	seen("a", false)
	if err := d.Mark(ctx, "b", now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.read.QueryRow(`SELECT count(*) FROM deliveries`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d deliveries are kept, %v; want the one whose time is not over", n, err)
	}
}

func TestActiveVersionsAreCountedFromTheSnapshots(t *testing.T) {
	db, ctx := openNew(t), t.Context()
	inv := retention.Inventory{
		Owner:    retention.Owner{Login: "Acme", Kind: retention.Organization},
		Package:  retention.Package{ID: 1, Name: "lib", Type: retention.NPM, State: retention.Active, VersionCount: 2},
		Complete: true, ReadAt: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC),
		Versions: []retention.Version{{ID: 1, Name: "1", State: retention.Active}, {ID: 2, Name: "2", State: retention.Active}, {ID: 3, Name: "3", State: retention.Deleted}},
	}
	if err := db.SaveSnapshot(ctx, inv); err != nil {
		t.Fatal(err)
	}
	for owner, want := range map[string]int{"acme": 2, "other": 0} {
		if n, err := db.ActiveVersions(ctx, owner); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", owner, n, err, want)
		}
	}
}
