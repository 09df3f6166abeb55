package s3snap

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestKnownIsTheHeadOfEverySnapshot(t *testing.T) {
	s, _ := open(t)
	here, gone := snapshotOf("acme", retention.NPM, "here"), snapshotOf("acme", retention.NPM, "gone")
	gone.Package.State = retention.Deleted
	save(t, s, here, gone, snapshotOf("other", retention.NPM, "x"))
	var got []retention.KnownPackage
	for k, err := range s.Known(t.Context(), "acme") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, k)
	}
	if diff := cmp.Diff([]retention.KnownPackage{gone.Known(), here.Known()}, got); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
}
