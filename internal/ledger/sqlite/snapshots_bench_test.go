package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// npmPackage is a package as most of a large owner's are: small versions, no graph.
func npmPackage(name string, versions int) retention.Inventory {
	inv := inventory(name)
	inv.Package.Type, inv.Package.VersionCount = retention.NPM, versions
	inv.Versions, inv.Graph = nil, retention.Graph{}
	for i := range versions {
		inv.Versions = append(inv.Versions, retention.Version{
			ID: retention.ID(i + 1), Name: fmt.Sprintf("1.%d.%d", i/10, i%10), State: retention.Active, CreatedAt: day(1), UpdatedAt: day(1),
			HTMLURL: fmt.Sprintf("https://github.com/orgs/acme/packages/npm/%s/%d", name, i+1),
		})
	}
	return inv
}

func benchStore(b *testing.B) *DB {
	b.Helper()
	db, err := Open(b.TempDir() + "/shelflife.db")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db
}

func BenchmarkSaveSnapshotOfNPM(b *testing.B) {
	db := benchStore(b)
	inv := npmPackage("widgets", 100)
	b.ReportAllocs()
	for b.Loop() {
		inv.Package.VersionCount++ // a changed package: an unchanged one only notes the time
		if err := db.SaveSnapshot(b.Context(), inv); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnapshotOfNPM(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		db := benchStore(b)
		inv := npmPackage("widgets", n)
		if err := db.SaveSnapshot(b.Context(), inv); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("versions=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, ok, err := db.Snapshot(b.Context(), inv.Ref())
				if err != nil || !ok || len(got.Versions) != n {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// What a sweep asks to tell lost access: heads only, beside whole snapshots.
func BenchmarkKnown(b *testing.B) {
	const packages = 1000
	db := benchStore(b)
	for i := range packages {
		if err := db.SaveSnapshot(b.Context(), npmPackage(fmt.Sprintf("p%04d", i), 100)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run(fmt.Sprintf("packages=%d", packages), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for _, err := range db.Known(b.Context(), "acme") {
				if n++; err != nil {
					b.Fatal(err)
				}
			}
			if n != packages {
				b.Fatalf("%d known", n)
			}
		}
	})
	b.Run(fmt.Sprintf("whole/packages=%d", packages), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for _, err := range db.Snapshots(b.Context(), "acme") {
				if n++; err != nil {
					b.Fatal(err)
				}
			}
			if n != packages {
				b.Fatalf("%d snapshots", n)
			}
		}
	})
}

// What keeping the reading before costs when a changed package is saved: side by
// side with a store that keeps none.
func BenchmarkSaveSnapshotWithHistory(b *testing.B) {
	for name, o := range map[string]Options{"kept": {}, "none": {History: -1}} {
		db, err := OpenWith(b.TempDir()+"/shelflife.db", o)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = db.Close() })
		inv := npmPackage("widgets", 100)
		b.Run("history="+name, func(b *testing.B) {
			for b.Loop() {
				inv.Package.VersionCount++
				inv.ReadAt = inv.ReadAt.Add(time.Second)
				if err := db.SaveSnapshot(b.Context(), inv); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
