package sqlite

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestKnownGoesOverTheHeadsOfOneOwner(t *testing.T) {
	db := openNew(t)
	var want []retention.KnownPackage
	for i := range knownPage + 3 {
		inv := inventory(fmt.Sprintf("p%05d", i))
		inv.ReadAt = day(1 + i%28)
		if i%7 == 0 {
			inv.Package.State = retention.Deleted
		}
		want = append(want, inv.Known())
		if err := db.SaveSnapshot(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
	}
	other := inventory("theirs")
	other.Owner.Login = "acme-other"
	if err := db.SaveSnapshot(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	var got []retention.KnownPackage
	for k, err := range db.Known(t.Context(), "aCME") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, k)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("known (-want +got)\n%s", diff)
	}
	for k, err := range db.Known(t.Context(), "nobody") {
		t.Errorf("nobody has %v, %v", k, err)
	}
}

func TestKnownEndsWithAnError(t *testing.T) {
	db := openNew(t)
	if err := db.SaveSnapshot(t.Context(), inventory("p")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for k, err := range db.Known(ctx, "acme") {
		if n++; err == nil {
			t.Errorf("%v without an error", k)
		}
	}
	if n != 1 {
		t.Errorf("%d errors, want one", n)
	}
}
