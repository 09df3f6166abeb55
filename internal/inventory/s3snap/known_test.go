package s3snap

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
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

func TestAPackageIsKnownBeforeItsSnapshotIsThere(t *testing.T) {
	s, _ := open(t)
	s.bucket = awstest.Unique("none")
	if err := s.SaveSnapshot(t.Context(), snapshotOf("acme", retention.NPM, "lib")); err == nil {
		t.Fatal("saved where there is no bucket")
	}
	n := 0
	for _, err := range s.Known(t.Context(), "acme") {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("%d packages are known, want the one: were it the last, losing it would go unnoticed", n)
	}
}

func TestAPlanComesBackByItsRun(t *testing.T) {
	s, _ := open(t)
	for _, run := range []string{"r1", "r2"} {
		if err := s.SavePlan(t.Context(), "Acme", run, []byte("plan "+run)); err != nil {
			t.Fatal(err)
		}
	}
	for run, want := range map[string]string{"r1": "plan r1", "r2": "plan r2", "r3": ""} {
		got, ok, err := s.LoadPlan(t.Context(), "acme", run)
		if string(got) != want || ok != (want != "") || err != nil {
			t.Errorf("%s: %q %v %v", run, got, ok, err)
		}
	}
	if _, ok, err := s.LoadPlan(t.Context(), "other", "r1"); ok || err != nil {
		t.Errorf("another owner has it too: %v %v", ok, err)
	}
	if err := s.put(t.Context(), planKey("acme", "r4"), bytes.NewBufferString("no gzip")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.LoadPlan(t.Context(), "acme", "r4"); err == nil {
		t.Error("a damaged plan was read")
	}
}
