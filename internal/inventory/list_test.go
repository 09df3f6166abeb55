package inventory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func mustList(t *testing.T, w *world, types ...retention.PackageType) Listing {
	t.Helper()
	l, err := w.reader(t).List(t.Context(), acme, types)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// remember keeps a snapshot of a package as read at noon.
func (w *world) remember(p retention.Package) retention.Inventory {
	inv := retention.Inventory{Owner: acme, Package: p, Complete: true, ReadAt: noon, Versions: []retention.Version{version(1, "1.0.0", retention.Active)}}
	w.kept[inv.Ref()] = inv
	return inv
}

func TestListAllTypes(t *testing.T) {
	w := newWorld()
	api, lib, app := pkg(1, retention.Container, "api", 1), pkg(2, retention.NPM, "lib", 1), pkg(3, retention.NPM, "app", 1)
	w.packages[retention.Container], w.packages[retention.NPM] = whole(api), whole(lib, app)
	if diff := cmp.Diff(Listing{Packages: []retention.Package{api, app, lib}, Pages: 6}, mustList(t, w)); diff != "" {
		t.Error(diff)
	}
}

func TestTypeThatCannotBeListedLeavesTheOthers(t *testing.T) {
	w := newWorld()
	api := pkg(1, retention.Container, "api", 1)
	w.packages[retention.Container] = whole(api)
	w.packages[retention.NPM] = List[retention.Package]{Items: []retention.Package{pkg(2, retention.NPM, "lib", 1)}, Pages: 100, Shortfall: "GitHub serves only the first 10000 entries of one query"}
	w.errs["packages maven"] = errors.New("400 Invalid argument")
	w.remember(pkg(3, retention.Maven, "jar", 1)) // not comparable: neither vanished nor lost
	w.remember(pkg(4, retention.NPM, "beyond", 1))
	l := mustList(t, w, retention.Container, retention.NPM, retention.Maven)
	want := []retention.Problem{
		{Owner: "acme", Kind: retention.ProblemIncomplete, Detail: "its maven packages could not be listed: 400 Invalid argument"},
		{Owner: "acme", Kind: retention.ProblemUnlisted, Detail: "the listing of its npm packages is not whole: GitHub serves only the first 10000 entries of one query"},
	}
	if diff := cmp.Diff(want, l.Problems); diff != "" || len(l.Packages) != 2 || len(l.Vanished) != 0 {
		t.Errorf("%d packages, %d vanished, problems %s", len(l.Packages), len(l.Vanished), diff)
	}
}

func TestLostAccess(t *testing.T) {
	cases := []struct {
		name        string
		known, left int
		ours        int // of those that are gone, deleted by this system
		age         int // days since the snapshots were read
		want        bool
	}{
		{"nothing was known", 0, 0, 0, 0, false},
		{"all are there", 4, 4, 0, 0, false},
		{"half is left", 4, 2, 0, 0, false},
		{"fewer than half are left", 5, 2, 0, 0, true},
		{"none is left", 1, 0, 0, 0, true},
		{"none is left, all deleted by this system", 3, 0, 3, 0, false},
		{"one of five is left, three deleted by this system", 5, 1, 3, 0, false},
		{"one of five is left, one deleted by this system", 5, 1, 1, 0, true},
		{"none is left for 36 days", 3, 0, 0, 36, true},
		{"none is left for 38 days", 3, 0, 0, 38, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			var listed []retention.Package
			for i := range c.known {
				p := pkg(i+1, retention.NPM, fmt.Sprint("p", i), 1)
				inv := w.remember(p)
				inv.ReadAt = noon.AddDate(0, 0, -c.age)
				w.kept[inv.Ref()] = inv
				if i < c.left {
					listed = append(listed, p)
				} else if i < c.left+c.ours {
					w.ours[inv.Ref()] = map[retention.ID]retention.DeletedBy{0: {Run: "r1"}}
				}
			}
			w.packages[retention.NPM] = whole(listed...)
			l := mustList(t, w, retention.NPM)
			got := len(l.Problems) == 1 && l.Problems[0].Kind == retention.ProblemLostAccess && l.Problems[0].Package == ""
			if got != c.want || !got && len(l.Problems) > 0 {
				t.Errorf("problems %v", l.Problems)
			}
			if c.want && len(l.Vanished) > 0 {
				t.Error("packages that may only be hidden are given out as deleted")
			}
		})
	}
}

func TestVanishedPackages(t *testing.T) {
	w := newWorld()
	here, gone := pkg(1, retention.NPM, "here", 1), pkg(2, retention.NPM, "gone", 1)
	w.remember(here)
	last := w.remember(gone)
	w.packages[retention.NPM] = whole(here)
	w.now = noon.AddDate(0, 0, 2)

	want := last
	want.Package.State, want.Complete, want.ReadAt = retention.Deleted, false, w.now
	want.Versions = slices.Clone(last.Versions)
	for i := range want.Versions {
		want.Versions[i].State, want.Versions[i].DeletedAt = retention.Deleted, w.now
	}
	want.Problems = []retention.Problem{{
		Owner: "acme", Package: "acme/npm/gone", Kind: retention.ProblemVanished,
		Detail: "GitHub has not listed it since 2026-06-03; its versions are those last known. If it was not meant to go, restore it within 30 days (shelflife packages restore)",
	}}
	exporter := cmp.AllowUnexported(retention.Graph{})
	for _, day := range []int{2, 3, 31} { // first noticed on day 2
		w.now = noon.AddDate(0, 0, day)
		l := mustList(t, w, retention.NPM)
		if diff := cmp.Diff([]retention.Inventory{want}, l.Vanished, exporter); diff != "" || len(l.Problems) > 0 {
			t.Errorf("day %d: %s, problems %v", day, diff, l.Problems)
		}
	}
	by := retention.DeletedBy{Run: "r1", Policy: "retire_package"}
	w.ours[gone.Ref("acme")] = map[retention.ID]retention.DeletedBy{0: by}
	if got := mustList(t, w, retention.NPM).Vanished[0]; !cmp.Equal(got.Versions[0].DeletedBy, &by) || got.Problems != nil {
		t.Errorf("what a run deleted with its package is said to be deleted by %v, with problems %v", got.Versions[0].DeletedBy, got.Problems)
	}
	w.now = noon.AddDate(0, 0, 32)
	if l := mustList(t, w, retention.NPM); len(l.Vanished) > 0 || len(l.Problems) > 0 {
		t.Errorf("30 days after it was noticed: %v, %v", l.Vanished, l.Problems)
	}
	w.packages[retention.NPM] = whole(here, gone)
	w.active = whole(version(1, "1.0.0", retention.Active))
	if l := mustList(t, w, retention.NPM); len(l.Vanished) > 0 || len(l.Packages) != 2 {
		t.Errorf("after its restoration: %v", l.Vanished)
	}
	if inv := mustRead(t, w, gone, Options{}); !inv.Complete || w.kept[inv.Ref()].Package.State != retention.Active {
		t.Error("a restored package was not read again")
	}
}

func TestListWithoutItsMemoryCannotTellLostAccess(t *testing.T) {
	boom := errors.New("boom")
	w := newWorld()
	w.errs["known"] = boom
	if l := mustList(t, w, retention.NPM); len(l.Problems) != 1 || l.Problems[0].Kind != retention.ProblemLostAccess {
		t.Errorf("snapshots: %v", l.Problems)
	}
	w = newWorld()
	w.remember(pkg(1, retention.NPM, "gone", 1))
	w.errs["ledger"] = boom
	if l := mustList(t, w, retention.NPM); len(l.Problems) != 1 || l.Problems[0].Kind != retention.ProblemLostAccess {
		t.Errorf("ledger: %v", l.Problems)
	}
	for _, call := range []string{"save", "snapshot"} {
		w = newWorld()
		w.remember(pkg(1, retention.NPM, "gone", 1))
		w.remember(pkg(2, retention.NPM, "here", 1))
		w.packages[retention.NPM] = whole(pkg(2, retention.NPM, "here", 1))
		w.errs[call] = boom
		if l := mustList(t, w, retention.NPM); len(l.Problems) != 1 || !strings.Contains(l.Problems[0].Detail, "could not be noted: boom") {
			t.Errorf("%s: %v", call, l.Problems)
		}
	}
}

func TestListPause(t *testing.T) {
	for _, call := range []string{"packages npm", "known", "ledger", "save"} {
		w := newWorld()
		w.pause = errors.New("paused until noon")
		w.errs[call] = w.pause
		w.remember(pkg(1, retention.NPM, "gone", 1))
		if call == "save" {
			w.remember(pkg(2, retention.NPM, "here", 1))
			w.packages[retention.NPM] = whole(pkg(2, retention.NPM, "here", 1))
		}
		if _, err := w.reader(t).List(t.Context(), acme, []retention.PackageType{retention.NPM}); !errors.Is(err, w.pause) {
			t.Errorf("%s: error %v", call, err)
		}
	}
}
