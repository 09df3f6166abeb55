package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestWorkIsKeptInOrderUntilItIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	item := func(name, change string) retention.WorkItem {
		ref := retention.PackageRef{Owner: "acme", Type: retention.Container, Name: name}
		return retention.NewPackageWork(ref, retention.Trigger{Kind: retention.TriggerWebhook, Event: "package", Action: "published"}, change)
	}
	a, b, c := item("z", "1"), item("a", "2"), item("m", "3")
	for _, it := range []retention.WorkItem{a, b, c, a} {
		if err := db.KeepWork(t.Context(), it); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := db.DropWork(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	got, err := db.Work(t.Context())
	if diff := cmp.Diff([]retention.WorkItem{a, c}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}
