package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/decisions"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func day(n int) time.Time { return time.Date(2026, 11, n, 1, 2, 3, 0, time.UTC) }

func digest(n int) string { return fmt.Sprintf("sha256:%064d", n) }

func inventory(name string) retention.Inventory {
	return retention.Inventory{
		Owner: retention.Owner{Login: "Acme", Kind: retention.Organization, ID: 9},
		Package: retention.Package{
			ID: 7, Name: name, Type: retention.Container, Visibility: "private", VersionCount: 3, State: retention.Active,
			URL: "https://api.github.com/p", HTMLURL: "https://github.com/p", CreatedAt: day(1), UpdatedAt: day(4),
			Repository: &retention.Repository{ID: 3, Name: "api", FullName: "acme/api"},
		},
		Versions: []retention.Version{
			{ID: 3, Name: digest(3), CreatedAt: day(3), UpdatedAt: day(4), State: retention.Active, Tags: []string{"v1"}, Referrers: []string{"sha256-x.sig"}, HTMLURL: "https://github.com/v"},
			{ID: 2, Name: digest(2), CreatedAt: day(2), UpdatedAt: day(2), State: retention.Active, Description: "d", License: "MIT"},
			{ID: 1, Name: digest(1), CreatedAt: day(1), UpdatedAt: day(1), DeletedAt: day(5), State: retention.Deleted, DeletedBy: &retention.DeletedBy{Run: "p1", Policy: "x"}},
		},
		Graph: retention.NewGraph([]retention.Node{
			{Digest: digest(3), Kind: retention.KindIndex, MediaType: "application/vnd.oci.image.index.v1+json", Children: []string{digest(2)}},
			{Digest: digest(2), Kind: retention.KindImage, MediaType: "application/vnd.oci.image.manifest.v1+json", Platform: "linux/amd64", SizeBytes: 10},
		}),
		Complete: true, ReadAt: day(6),
	}
}

func diffInventory(want, got retention.Inventory) string {
	return cmp.Diff(want, got, cmp.Comparer(func(a, b retention.Graph) bool {
		x, errX := a.MarshalJSON()
		y, errY := b.MarshalJSON()
		return errX == nil && errY == nil && string(x) == string(y)
	}))
}

func TestSnapshotComesBackWhole(t *testing.T) {
	db := openNew(t)
	inv := inventory("team/api")
	ref := retention.PackageRef{Owner: "acme", Type: retention.Container, Name: "team/api"}
	if _, ok, err := db.Snapshot(t.Context(), ref); ok || err != nil {
		t.Fatalf("before saving: %v, %v", ok, err)
	}
	for _, readAt := range []time.Time{day(6), day(7)} { // the second time only the time is new
		inv.ReadAt = readAt
		if err := db.SaveSnapshot(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
		got, ok, err := db.Snapshot(t.Context(), ref)
		if diff := diffInventory(inv, got); !ok || err != nil || diff != "" {
			t.Errorf("%v, %v (-want +got)\n%s", ok, err, diff)
		}
		if got.Digest() != inv.Digest() {
			t.Error("the digest changed on the way")
		}
	}
	inv.Versions, inv.Complete = inv.Versions[:1], false
	inv.Problems = []retention.Problem{{Owner: "Acme", Kind: retention.ProblemIncomplete, Detail: "page 2"}}
	if err := db.SaveSnapshot(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	got, _, err := db.Snapshot(t.Context(), ref)
	if diff := diffInventory(inv, got); err != nil || diff != "" {
		t.Errorf("replaced: %v (-want +got)\n%s", err, diff)
	}
	ask(t, db, `SELECT id FROM package_versions`, [][]any{{int64(3)}})
	if err := db.DropSnapshot(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := db.Snapshot(t.Context(), ref); ok || err != nil {
		t.Errorf("after dropping: %v, %v", ok, err)
	}
	ask(t, db, `SELECT (SELECT count(*) FROM org_packages), (SELECT count(*) FROM package_versions)`, [][]any{{int64(0), int64(0)}})
}

func TestSnapshotsGoOverAllOfAnOwner(t *testing.T) {
	db := openNew(t)
	var want []string
	for i := range snapshotPage*2 + 3 {
		inv := inventory(fmt.Sprintf("p%03d", i))
		if err := db.SaveSnapshot(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
		want = append(want, inv.Package.Name)
	}
	other := inventory("theirs")
	other.Owner.Login = "globex"
	if err := db.SaveSnapshot(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	var got []string
	for inv, err := range db.Snapshots(t.Context(), "acme") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, inv.Package.Name)
		// Writing while reading must not get stuck.
		if err := db.SaveSnapshot(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for range db.Snapshots(t.Context(), "acme") {
		break
	}
}

func TestADamagedSnapshotIsAnError(t *testing.T) {
	for name, damage := range map[string]string{
		"not gzip": `UPDATE snapshots SET body = x'00'`,
		"cut off":  `UPDATE snapshots SET body = substr(body, 1, 40)`,
		"no time":  `UPDATE snapshots SET read_at = 'yesterday'`,
	} {
		t.Run(name, func(t *testing.T) {
			db := openNew(t)
			if err := db.SaveSnapshot(t.Context(), inventory("api")); err != nil {
				t.Fatal(err)
			}
			if _, err := db.cache.Exec(damage); err != nil {
				t.Fatal(err)
			}
			if _, ok, err := db.Snapshot(t.Context(), inventory("api").Ref()); ok || err == nil {
				t.Errorf("%v, %v; want an error", ok, err)
			}
			n := 0
			for _, err := range db.Snapshots(t.Context(), "acme") {
				if n++; err == nil {
					t.Error("it was handed over")
				}
			}
			if n != 1 {
				t.Errorf("%d steps, want one with the error", n)
			}
		})
	}
}

func TestSnapshotsAreSQLTables(t *testing.T) {
	db := openNew(t)
	if err := db.SaveSnapshot(t.Context(), inventory("team/api")); err != nil {
		t.Fatal(err)
	}
	plain := inventory("left-pad")
	plain.Package.Type, plain.Package.Repository, plain.Graph = retention.NPM, nil, retention.Graph{}
	plain.Versions = nil
	if err := db.SaveSnapshot(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	gone := inventory("gone")
	gone.Package.State = retention.Deleted
	if err := db.SaveSnapshot(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	got, err := db.Query(t.Context(), `SELECT * FROM org_packages WHERE owner = 'acme' ORDER BY name`)
	want := Rows{
		Columns: []string{"id", "name", "updated_at", "package_type", "created_at", "version_count", "owner", "repository", "html_url", "url", "visibility"},
		Values: [][]any{
			{int64(7), "left-pad", "2026-11-04T01:02:03Z", "npm", "2026-11-01T01:02:03Z", int64(3), "Acme", nil, "https://github.com/p", "https://api.github.com/p", "private"},
			{int64(7), "team/api", "2026-11-04T01:02:03Z", "container", "2026-11-01T01:02:03Z", int64(3), "Acme", "acme/api", "https://github.com/p", "https://api.github.com/p", "private"},
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	ask(t, db, `SELECT id, owner, package_type, package, name, state, tags, created_at, updated_at, deleted_at, html_url, license,
		description, referrer_tags, kind, media_type, platform, size_bytes, subject, deleted_run FROM package_versions ORDER BY id`, [][]any{
		{
			int64(1), "Acme", "container", "team/api", digest(1), "deleted", "[]", "2026-11-01T01:02:03Z", "2026-11-01T01:02:03Z", "2026-11-05T01:02:03Z", "", "",
			"", "[]", nil, nil, nil, nil, nil, "p1",
		},
		{
			int64(2), "Acme", "container", "team/api", digest(2), "active", "[]", "2026-11-02T01:02:03Z", "2026-11-02T01:02:03Z", nil, "", "MIT",
			"d", "[]", "image", "application/vnd.oci.image.manifest.v1+json", "linux/amd64", int64(10), nil, nil,
		},
		{
			int64(3), "Acme", "container", "team/api", digest(3), "active", `["v1"]`, "2026-11-03T01:02:03Z", "2026-11-04T01:02:03Z", nil, "https://github.com/v", "",
			"", `["sha256-x.sig"]`, "index", "application/vnd.oci.image.index.v1+json", nil, int64(0), nil, nil,
		},
	})
}

func TestALargePackageIsProjectedWhole(t *testing.T) {
	db := openNew(t)
	inv := inventory("big")
	inv.Versions, inv.Graph = nil, retention.Graph{}
	for i := range 1000 {
		inv.Versions = append(inv.Versions, retention.Version{ID: retention.ID(i + 1), Name: digest(i), State: retention.Active, CreatedAt: day(1)})
	}
	if err := db.SaveSnapshot(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	ask(t, db, `SELECT count(*), min(id), max(id) FROM package_versions`, [][]any{{int64(1000), int64(1), int64(1000)}})
}

func TestManifestsAreKept(t *testing.T) {
	db := openNew(t)
	if _, ok, err := db.Manifest(t.Context(), digest(1)); ok || err != nil {
		t.Fatalf("before: %v, %v", ok, err)
	}
	if err := db.PutManifest(t.Context(), digest(1), []byte("\x00binary\xff")); err != nil {
		t.Fatal(err)
	}
	if err := db.PutManifests(t.Context(), map[string][]byte{digest(2): []byte("two"), digest(3): nil}); err != nil {
		t.Fatal(err)
	}
	if err := db.PutManifests(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got, err := openAt(t, db.Path()).Manifests(t.Context(), []string{digest(1), digest(2), digest(3), digest(4)})
	want := map[string][]byte{digest(1): []byte("\x00binary\xff"), digest(2): []byte("two"), digest(3): nil}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if err := db.PutManifest(t.Context(), digest(2), []byte("a newer form")); err != nil {
		t.Fatal(err)
	}
	if body, ok, err := db.Manifest(t.Context(), digest(2)); string(body) != "a newer form" || !ok || err != nil {
		t.Errorf("replaced: %s, %v, %v", body, ok, err)
	}
}

func TestDecisionsOfAPackageReplaceOneAnother(t *testing.T) {
	db := openNew(t)
	row := decisions.Row{
		Owner: "acme", PackageType: retention.NPM, Package: "left-pad", VersionID: 4, Version: "1.0.0", Policy: "expire", Rule: "old",
		Action: retention.Delete, Reason: "31 days", Severity: "low", Mode: retention.Enforce, Status: retention.StatusHeld,
		Guard: retention.GuardDeletesPerRun, EvaluatedAt: day(6),
	}
	other := row
	other.Package, other.Guard, other.VersionID, other.EvaluatedAt = "right-pad", "", 0, time.Time{}
	again := row
	again.Reason = "32 days"
	for _, rows := range [][]decisions.Row{{row, row, other}, {again}, nil} {
		if err := db.SaveDecisions(t.Context(), "p1", rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.SaveDecisions(t.Context(), "p2", []decisions.Row{row}); err != nil {
		t.Fatal(err)
	}
	ask(t, db, `SELECT run, owner, package_type, package, version_id, version, policy, rule, action, reason, severity, mode, status, guard, evaluated_at
		FROM decisions ORDER BY run, package`, [][]any{
		{"p1", "acme", "npm", "left-pad", int64(4), "1.0.0", "expire", "old", "delete", "32 days", "low", "enforce", "held", "deletes_per_run", "2026-11-06T01:02:03Z"},
		{"p1", "acme", "npm", "right-pad", int64(0), "1.0.0", "expire", "old", "delete", "31 days", "low", "enforce", "held", "", nil},
		{"p2", "acme", "npm", "left-pad", int64(4), "1.0.0", "expire", "old", "delete", "31 days", "low", "enforce", "held", "deletes_per_run", "2026-11-06T01:02:03Z"},
	})
}

// ask runs a query and compares its rows.
func ask(t *testing.T, db *DB, query string, want [][]any) {
	t.Helper()
	got, err := db.Query(t.Context(), query)
	if diff := cmp.Diff(want, got.Values); err != nil || diff != "" {
		t.Errorf("%s: %v (-want +got)\n%s", query, err, diff)
	}
}
