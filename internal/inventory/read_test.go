package inventory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func mustRead(t *testing.T, w *world, p retention.Package, opts Options) retention.Inventory {
	t.Helper()
	inv, err := w.reader(t).Read(t.Context(), acme, p, opts)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func TestReadAContainerPackage(t *testing.T) {
	w := newWorld()
	p := pkg(1, retention.Container, "team/api", 2)
	older, newer := version(1, digest(1), retention.Active), version(2, digest(2), retention.Active)
	ours, theirs := version(3, digest(3), retention.Deleted), version(4, digest(4), retention.Deleted)
	w.active, w.deleted = whole(older, newer), whole(ours, theirs)
	nodes := []retention.Node{{Digest: digest(2), Kind: retention.KindIndex, Children: []string{digest(1)}}, {Digest: digest(1), Kind: retention.KindImage}}
	w.graph = oci.Result{Nodes: nodes}
	by := retention.DeletedBy{Run: "r1", Policy: "expire_untagged"}
	w.ours[p.Ref("acme")] = map[retention.ID]retention.DeletedBy{3: by, 2: {Run: "r0"}}

	got := mustRead(t, w, p, Options{Deleted: true})
	ours.DeletedBy = &by
	want := retention.Inventory{
		Owner: acme, Package: p, ReadAt: noon, Complete: true, DeletedListed: true, Graph: retention.NewGraph(nodes),
		Versions: []retention.Version{theirs, ours, newer, older},
	}
	exporter := cmp.AllowUnexported(retention.Graph{})
	if diff := cmp.Diff(want, got, exporter); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, w.kept[p.Ref("acme")], exporter); diff != "" {
		t.Errorf("kept: %s", diff)
	}
	if diff := cmp.Diff([]string{"active versions of team/api", "deleted versions of team/api", "graph of acme/team/api", "ledger", "save", "snapshot"}, w.asked()); diff != "" {
		t.Error(diff)
	}
}

func TestReadAsksTheRegistryForContainersOnly(t *testing.T) {
	for _, typ := range retention.PackageTypes() {
		w := newWorld()
		w.active = whole(version(1, digest(1), retention.Active))
		inv := mustRead(t, w, pkg(1, typ, "lib", 1), Options{Fresh: true})
		if asked := slices.Contains(w.asked(), "graph of acme/lib"); asked != (typ == retention.Container) || !inv.Complete {
			t.Errorf("%s: registry asked %t, complete %t %v", typ, asked, inv.Complete, inv.Problems)
		}
	}
}

// TestIncomplete gives every way in which a reading can fall short.
func TestIncomplete(t *testing.T) {
	boom := errors.New("boom")
	two := whole(version(1, digest(1), retention.Active), version(2, digest(2), retention.Active))
	cases := []struct {
		name   string
		change func(w *world, p *retention.Package)
		opts   Options
		want   string
	}{
		{"the active versions cannot be listed", func(w *world, _ *retention.Package) { w.errs["active versions of api"] = boom }, Options{}, "its active versions could not be listed: boom"},
		{"the deleted versions cannot be listed", func(w *world, _ *retention.Package) { w.errs["deleted versions of api"] = boom }, Options{Deleted: true}, "its deleted versions could not be listed: boom"},
		{"a page promised more", func(w *world, _ *retention.Package) { w.active.Complete, w.active.Shortfall = false, "page 3 is empty" }, Options{}, "not whole: page 3 is empty"},
		{"the listing is empty", func(w *world, _ *retention.Package) { w.active = whole[retention.Version]() }, Options{}, "GitHub lists no version of it"},
		{"the listing is empty and GitHub counts none", func(w *world, p *retention.Package) {
			w.active, p.VersionCount = whole[retention.Version](), 0
		}, Options{}, "GitHub lists no version of it"},
		{"fewer than half of the count", func(_ *world, p *retention.Package) { p.VersionCount = 5 }, Options{}, "2 of its 5 versions"},
		{"an id twice", func(w *world, _ *retention.Package) {
			w.active = whole(version(1, digest(1), retention.Active), version(1, digest(2), retention.Active))
		}, Options{}, "version 1 is listed twice"},
		{"a version both active and deleted", func(w *world, _ *retention.Package) {
			w.deleted = whole(version(2, digest(2), retention.Deleted))
		}, Options{Deleted: true}, "version 2 is listed twice"},
		{"a digest twice", func(w *world, _ *retention.Package) {
			w.active = whole(version(1, digest(1), retention.Active), version(2, digest(1), retention.Active))
		}, Options{}, "is listed as two versions"},
		{"an active version among the deleted", func(w *world, _ *retention.Package) {
			w.deleted = whole(version(9, digest(9), retention.Active))
		}, Options{Deleted: true}, "version 9 is active and stands in the listing of deleted versions"},
		{"an unread manifest", func(w *world, _ *retention.Package) {
			w.graph.Unread = []oci.Unread{{Digest: digest(1), Reason: "it was changed on the way"}}
		}, Options{}, digest(1) + ": it was changed on the way"},
		{"an unread package", func(w *world, _ *retention.Package) { w.graph.Unread = []oci.Unread{{Reason: "the limit"}} }, Options{}, "could not be read whole: the limit"},
		{"the registry reader fails", func(w *world, _ *retention.Package) { w.errs["graph of acme/api"] = boom }, Options{}, "its manifests could not be read: boom"},
		{"the ledger cannot be read", func(w *world, _ *retention.Package) {
			w.deleted, w.errs["ledger"] = whole(version(3, digest(3), retention.Deleted)), boom
		}, Options{Deleted: true}, "the ledger does not say who deleted its versions: boom"},
		{"the snapshot cannot be read", func(w *world, _ *retention.Package) { w.errs["snapshot"] = boom }, Options{}, "its snapshot could not be read: boom"},
		{"the snapshot cannot be kept", func(w *world, _ *retention.Package) { w.errs["save"] = boom }, Options{}, "its snapshot could not be kept: boom"},
		{"the package is deleted", func(_ *world, p *retention.Package) { p.State = retention.Deleted }, Options{}, "nothing of a deleted package"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.active = two
			w.graph.Nodes = []retention.Node{{Digest: digest(1)}, {Digest: digest(2)}}
			p := pkg(1, retention.Container, "api", 2)
			c.change(w, &p)
			inv := mustRead(t, w, p, c.opts)
			if inv.Complete || len(inv.Problems) == 0 {
				t.Fatal("the reading counts as complete")
			}
			got := inv.Problems[0]
			if !strings.Contains(got.Detail, c.want) {
				t.Errorf("detail %q, want %q", got.Detail, c.want)
			}
			got.Detail = ""
			if diff := cmp.Diff(retention.Problem{Owner: "acme", Package: "acme/container/api", Kind: retention.ProblemIncomplete}, got); diff != "" {
				t.Error(diff)
			}
			if len(w.kept) > 0 {
				t.Error("an incomplete reading was kept as a snapshot")
			}
		})
	}
}

func TestReadIgnoresAnExaggeratedVersionCount(t *testing.T) {
	w := newWorld()
	w.active = whole(version(1, "1.0.0", retention.Active), version(2, "1.1.0", retention.Active))
	if inv := mustRead(t, w, pkg(1, retention.NPM, "lib", 4), Options{}); !inv.Complete {
		t.Error(inv.Problems)
	}
}

func TestManyUnreadManifestsAreSummedUp(t *testing.T) {
	w := newWorld()
	w.active = whole(version(1, digest(1), retention.Active))
	for i := range 20 {
		w.graph.Unread = append(w.graph.Unread, oci.Unread{Digest: digest(i), Reason: "no"})
	}
	inv := mustRead(t, w, pkg(1, retention.Container, "api", 1), Options{})
	if n := len(inv.Problems); n != 6 || inv.Problems[5].Detail != "and 15 manifests more" {
		t.Errorf("%d problems, the last %q", n, inv.Problems[n-1].Detail)
	}
}

func TestPauseAndCancellationAreErrors(t *testing.T) {
	for _, call := range []string{"snapshot", "active versions of api", "deleted versions of api", "graph of acme/api", "ledger"} {
		w := newWorld()
		w.active, w.deleted = whole(version(1, digest(1), retention.Active)), whole(version(2, digest(2), retention.Deleted))
		w.pause = errors.New("paused until noon")
		w.errs[call] = w.pause
		if _, err := w.reader(t).Read(t.Context(), acme, pkg(1, retention.Container, "api", 1), Options{Deleted: true}); !errors.Is(err, w.pause) {
			t.Errorf("%s: error %v", call, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := newWorld()
	w.active = whole(version(1, "1.0.0", retention.Active))
	if _, err := w.reader(t).Read(ctx, acme, pkg(1, retention.NPM, "lib", 1), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func TestSnapshotStandsForAReadingWhileNothingChanged(t *testing.T) {
	day := 24 * time.Hour
	cases := []struct {
		name   string
		change func(w *world, p *retention.Package, o *Options)
		again  bool // read again
	}{
		{"nothing", func(*world, *retention.Package, *Options) {}, false},
		{"six days later", func(w *world, _ *retention.Package, _ *Options) { w.now = w.now.Add(6 * day) }, false},
		{"seven days later", func(w *world, _ *retention.Package, _ *Options) { w.now = w.now.Add(7 * day) }, true},
		{"updated_at moved", func(_ *world, p *retention.Package, _ *Options) { p.UpdatedAt = p.UpdatedAt.Add(time.Second) }, true},
		{"another version count", func(_ *world, p *retention.Package, _ *Options) { p.VersionCount++ }, true},
		{"another package of that name", func(_ *world, p *retention.Package, _ *Options) { p.ID++ }, true},
		{"a fresh reading asked for", func(_ *world, _ *retention.Package, o *Options) { o.Fresh = true }, true},
		{"an incomplete snapshot", func(w *world, p *retention.Package, _ *Options) {
			inv := w.kept[p.Ref("acme")]
			inv.Complete = false
			w.kept[p.Ref("acme")] = inv
		}, true},
		{"a package that had vanished", func(w *world, p *retention.Package, _ *Options) {
			inv := w.kept[p.Ref("acme")]
			inv.Package.State = retention.Deleted
			w.kept[p.Ref("acme")] = inv
		}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.active = whole(version(1, digest(1), retention.Active))
			w.graph.Nodes = []retention.Node{{Digest: digest(1), Kind: retention.KindImage}}
			p := pkg(1, retention.Container, "api", 1)
			first := mustRead(t, w, p, Options{})
			w.asked()
			opts := Options{}
			c.change(w, &p, &opts)
			second := mustRead(t, w, p, opts)
			asked := w.asked()
			if again := slices.Contains(asked, "active versions of api"); again != c.again {
				t.Errorf("calls %v", asked)
			}
			if !c.again {
				if diff := cmp.Diff([]string{"snapshot"}, asked); diff != "" || first.Digest() != second.Digest() || !second.ReadAt.Equal(first.ReadAt) {
					t.Errorf("the snapshot's inventory differs, or cost calls: %s", diff)
				}
			}
		})
	}
}

func TestSnapshotAndDeletedVersions(t *testing.T) {
	w := newWorld()
	w.active = whole(version(1, "1.0.0", retention.Active))
	p := pkg(1, retention.NPM, "lib", 1)
	mustRead(t, w, p, Options{})
	w.deleted = whole(version(2, "0.9.0", retention.Deleted))
	w.asked()

	if inv := mustRead(t, w, p, Options{Deleted: true}); len(inv.Versions) != 2 || !inv.Complete {
		t.Errorf("versions %v, problems %v", inv.Versions, inv.Problems)
	}
	if diff := cmp.Diff([]string{"deleted versions of lib", "ledger", "save", "snapshot"}, w.asked()); diff != "" {
		t.Errorf("a snapshot made without the deleted versions: %s", diff)
	}
	mustRead(t, w, p, Options{Deleted: true})
	if diff := cmp.Diff([]string{"ledger", "snapshot"}, w.asked()); diff != "" {
		t.Errorf("a snapshot made with them: %s", diff)
	}

	w.kept[p.Ref("acme")] = func(inv retention.Inventory) retention.Inventory { inv.ReadAt = noon.AddDate(0, 0, 26); return inv }(w.kept[p.Ref("acme")])
	w.now = noon.AddDate(0, 0, 28) // 31 days after the deletion
	if inv := mustRead(t, w, p, Options{}); len(inv.Versions) != 1 {
		t.Errorf("a version beyond its restore window is still there: %v", inv.Versions)
	}

	none := newWorld()
	none.active = whole(version(1, "1.0.0", retention.Active))
	mustRead(t, none, p, Options{Deleted: true})
	none.asked()
	r := none.reader(t)
	if _, err := r.Read(t.Context(), acme, p, Options{Deleted: true}); err != nil || r.Saved() != 2 {
		t.Errorf("saved %d list pages, %v; want one of active versions and one of deleted ones", r.Saved(), err)
	}
	if diff := cmp.Diff([]string{"snapshot"}, none.asked()); diff != "" {
		t.Errorf("a snapshot that knows there are none: %s", diff)
	}
}

func TestReadNeverClaimsMoreThanItRead(t *testing.T) {
	calls := []string{"snapshot", "active versions of api", "deleted versions of api", "graph of acme/api", "ledger", "save"}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld()
		draw := func(state retention.State, from int) List[retention.Version] {
			list := List[retention.Version]{Complete: rapid.Bool().Draw(rt, "complete")}
			for range rapid.IntRange(0, 4).Draw(rt, "n") {
				id := from + rapid.IntRange(0, 5).Draw(rt, "id")
				list.Items = append(list.Items, version(id, digest(id), state))
			}
			return list
		}
		w.active, w.deleted = draw(retention.Active, 1), draw(retention.Deleted, rapid.SampledFrom([]int{1, 50}).Draw(rt, "from"))
		if rapid.Bool().Draw(rt, "unread") {
			w.graph.Unread = []oci.Unread{{Reason: "no"}}
		}
		for _, c := range calls {
			if rapid.IntRange(0, 9).Draw(rt, c) == 0 {
				w.errs[c] = errors.New("boom")
			}
		}
		opts := Options{Deleted: rapid.Bool().Draw(rt, "deleted"), Fresh: rapid.Bool().Draw(rt, "fresh")}
		inv, err := w.reader(t).Read(rt.Context(), acme, pkg(1, retention.Container, "api", rapid.IntRange(0, 9).Draw(rt, "count")), opts)
		if err != nil {
			rt.Fatal(err)
		}
		if inv.Complete != (len(inv.Problems) == 0) {
			rt.Fatalf("complete %t with %d problems", inv.Complete, len(inv.Problems))
		}
		asked := w.asked()
		for _, c := range asked {
			if w.errs[c] != nil && inv.Complete {
				rt.Fatalf("%q failed and the reading counts as complete", c)
			}
		}
		if inv.Complete && (!w.active.Complete || len(w.active.Items) == 0 || len(w.graph.Unread) > 0 || opts.Deleted && !w.deleted.Complete) {
			rt.Fatal("the reading counts as complete and is not")
		}
	})
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("no error")
	}
}
