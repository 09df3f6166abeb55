package sqlite

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/bundles"
)

func TestTheLastGoodBundleOfEachSourceIsKept(t *testing.T) {
	db := openNew(t)
	if _, has, err := db.Bundle(t.Context(), "https://a"); has || err != nil {
		t.Fatalf("before anything was kept: %t, %v", has, err)
	}
	first := bundles.Kept{Source: "https://a", Body: []byte{0x1f, 0x8b, 0}, ETag: `"1"`, Digest: "sha256:1", Revision: "v1", ConfirmedAt: day(3)}
	second := bundles.Kept{Source: "https://a", Body: []byte{2}, Digest: "sha256:2", ConfirmedAt: day(4)}
	other := bundles.Kept{Source: "https://b", Body: []byte{3}, Digest: "sha256:3", ConfirmedAt: day(5)}
	for _, k := range []bundles.Kept{first, other, second} {
		if err := db.KeepBundle(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []bundles.Kept{second, other} {
		got, has, err := db.Bundle(t.Context(), want.Source)
		if err != nil || !has {
			t.Fatal(has, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Source, diff)
		}
	}
}
