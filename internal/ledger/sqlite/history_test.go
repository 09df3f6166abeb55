package sqlite

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// saved saves a package with that many versions as it was read on a day.
func saved(t *testing.T, db *DB, name string, versions int, at time.Time) retention.Inventory {
	t.Helper()
	inv := npmPackage(name, versions)
	inv.ReadAt = at
	if err := db.SaveSnapshot(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	return inv
}

// pastOf lists how many versions each kept reading of a package found, and when.
func pastOf(t *testing.T, db *DB, inv retention.Inventory) []string {
	t.Helper()
	readings, err := db.Readings(t.Context(), inv.Ref())
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range readings {
		got, err := db.ReadingOf(t.Context(), inv.Ref(), r)
		if err != nil {
			t.Fatal(err)
		}
		if !got.ReadAt.Equal(r.Since) {
			t.Errorf("read at %s, since %s", got.ReadAt, r.Since)
		}
		out = append(out, fmt.Sprintf("%s–%s %d", r.Since.Format("01-02"), r.Until.Format("01-02"), len(got.Versions)))
	}
	return out
}

func openOptions(t *testing.T, o Options) *DB {
	t.Helper()
	db, err := OpenWith(filepath.Join(t.TempDir(), "x.db"), o)
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

func TestTheHistoryHoldsWhatChanged(t *testing.T) {
	db := openOptions(t, Options{})
	var inv retention.Inventory
	for i, versions := range []int{1, 1, 1, 2, 2, 1, 3} { // as read on the 1st, the 2nd, …
		inv = saved(t, db, "widgets", versions, day(i+1))
	}
	saved(t, db, "other", 1, day(1))
	want := []string{"11-01–11-03 1", "11-04–11-05 2", "11-06–11-06 1", "11-07–11-07 3"}
	if diff := cmp.Diff(want, pastOf(t, db, inv)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var bodies int
	if err := db.read.QueryRow(`SELECT count(*) FROM snapshot_bodies`).Scan(&bodies); err != nil || bodies != 2 {
		t.Errorf("%d contents are kept (%v), want each once: 2", bodies, err)
	}
	var names []string
	for ref, err := range db.Past(t.Context(), "ACME") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, ref.Name)
	}
	if diff := cmp.Diff([]string{"other", "widgets"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheHistoryForgets(t *testing.T) {
	for name, tc := range map[string]struct {
		options Options
		want    int // readings left of 1,200, that of now included
	}{
		"nothing within its limits":       {Options{History: 5000 * 24 * time.Hour}, 1200},
		"what is too old":                 {Options{History: 100 * 24 * time.Hour}, 100 + 200}, // looked for at the 1,001st
		"what is too much":                {Options{History: 5000 * 24 * time.Hour, HistoryBytes: 2000}, -1},
		"everything, when none is wanted": {Options{History: -1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := openOptions(t, tc.options)
			var inv retention.Inventory
			for i := range 1200 {
				inv = retention.Inventory{
					Owner: retention.Owner{Login: "acme"}, Complete: true, ReadAt: day(1).AddDate(0, 0, i),
					Package: retention.Package{Name: "p", Type: retention.NPM, State: retention.Active, VersionCount: i},
				}
				if err := db.SaveSnapshot(t.Context(), inv); err != nil {
					t.Fatal(err)
				}
			}
			readings, err := db.Readings(t.Context(), inv.Ref())
			if err != nil {
				t.Fatal(err)
			}
			got := len(readings)
			if tc.want >= 0 && (got < tc.want-2 || got > tc.want+2) || tc.want < 0 && (got < 2 || got > 300) {
				t.Errorf("%d readings are kept", got)
			}
			if !readings[got-1].Present || got > 1 && !readings[got-2].Since.Equal(inv.ReadAt.AddDate(0, 0, -1)) {
				t.Errorf("the newest are gone: %+v", readings[got-1])
			}
			var orphans int
			if err := db.read.QueryRow(`SELECT count(*) FROM snapshot_bodies WHERE digest NOT IN (SELECT digest FROM snapshot_history)`).Scan(&orphans); err != nil || orphans != 0 {
				t.Errorf("%d contents of nothing (%v)", orphans, err)
			}
		})
	}
}

// TestAFileOfTheSecondSchemaIsTakenOver opens a file that the version before the
// history wrote: seven packages, read once.
func TestAFileOfTheSecondSchemaIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v2.db")
	unpack(t, filepath.Join("testdata", "v2.db.gz"), path)
	db := openAt(t, path)
	n := 0
	for inv, err := range db.Snapshots(context.Background(), "acme") {
		if err != nil {
			t.Fatal(err)
		}
		n++
		readings, err := db.Readings(t.Context(), inv.Ref())
		if err != nil || len(readings) != 1 || !readings[0].Present || !readings[0].Since.Equal(inv.ReadAt) {
			t.Fatalf("%s: %+v, %v", inv.Ref(), readings, err)
		}
		before := len(inv.Versions)
		inv.Versions, inv.ReadAt = inv.Versions[:before-1], inv.ReadAt.AddDate(0, 0, 1)
		if err := db.SaveSnapshot(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
		if readings, err = db.Readings(t.Context(), inv.Ref()); err != nil || len(readings) != 2 {
			t.Fatalf("%s: %+v, %v", inv.Ref(), readings, err)
		}
		first, err := db.ReadingOf(t.Context(), inv.Ref(), readings[0])
		if err != nil || len(first.Versions) != before {
			t.Errorf("%s had %d versions, now %d of then: %v", inv.Ref(), before, len(first.Versions), err)
		}
	}
	if n != 7 {
		t.Errorf("%d packages, want the 7 that were there", n)
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
