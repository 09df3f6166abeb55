package guard

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func gone(name string, days int) retention.Version {
	return retention.Version{Name: name, State: retention.Deleted, DeletedAt: now.AddDate(0, 0, -days)}
}

// seq is the ledger's record of a deletion's intent.
func seq(n int64) func(*Done) { return func(d *Done) { d.Seq = n } }

func done(id retention.ID, days int, mods ...func(*Done)) Done {
	d := Done{At: now.AddDate(0, 0, -days), Item: retention.Item{Owner: "acme", PackageType: retention.NPM, Package: "team/api",
		VersionID: id, Target: retention.TargetVersion, Action: retention.Delete, Rules: []retention.Rule{{Policy: "expire"}}}}
	for _, m := range mods {
		m(&d)
	}
	return d
}

func ofPackage(d *Done) { d.Item.Target, d.Item.VersionID = retention.TargetPackage, 0 }

func TestUndo(t *testing.T) {
	there := pkg(retention.NPM, v("3"), gone("2", 5), gone("1", 31))
	away := pkg(retention.NPM)
	away.Package.State = retention.Deleted
	unread := pkg(retention.NPM, v("3"))
	unread.Complete = false
	tests := map[string]struct {
		subject UndoSubject
		want    []string
	}{
		"last deleted comes back first": {
			UndoSubject{Inventory: pkg(retention.NPM, v("3"), gone("2", 5), gone("1", 5)), Deleted: []Done{done(2, 5), done(3, 5)}},
			[]string{"3 restore planned", "2 restore planned"}},
		"what is there stays, what is too old can not come back": {
			UndoSubject{Inventory: there, Deleted: []Done{done(1, 5), done(3, 31)}},
			[]string{"3 restore blocked restore_window", "1 restore kept restore_window"}},
		"GitHub knows it no more": {
			UndoSubject{Inventory: there, Deleted: []Done{done(77, 5)}}, []string{"77 restore blocked restore_window"}},
		"what can't be listed is asked for by the ledger": {
			UndoSubject{Inventory: unread, Deleted: []Done{done(77, 5)}}, []string{"77 restore planned"}},
		"while its window is open": {
			UndoSubject{Inventory: unread, Deleted: []Done{done(77, 30)}}, []string{"77 restore blocked restore_window"}},
		"restored before": {
			UndoSubject{Inventory: pkg(retention.NPM, v("3"), gone("2", 5)), Deleted: []Done{done(2, 5, seq(7))}, Restored: map[retention.ID]int64{2: 6}},
			[]string{"2 restore planned"}},
		"restored since, and deleted again": {
			UndoSubject{Inventory: pkg(retention.NPM, v("3"), gone("2", 1)), Deleted: []Done{done(2, 5, seq(7))}, Restored: map[retention.ID]int64{2: 8}},
			[]string{"2 restore blocked restore_window"}},
		"another one restored since": {
			UndoSubject{Inventory: pkg(retention.NPM, v("3"), gone("2", 5)), Deleted: []Done{done(2, 5, seq(7))}, Restored: map[retention.ID]int64{1: 8}},
			[]string{"2 restore planned"}},
		"a whole package that was restored since, and deleted again": {
			UndoSubject{Inventory: away, Deleted: []Done{done(0, 5, ofPackage, seq(7))}, Restored: map[retention.ID]int64{0: 8}},
			[]string{"package restore blocked restore_window"}},
		"a whole package": {
			UndoSubject{Inventory: away, Deleted: []Done{done(0, 5, ofPackage)}}, []string{"package restore planned"}},
		"a whole package too late": {
			UndoSubject{Inventory: away, Deleted: []Done{done(0, 30, ofPackage)}}, []string{"package restore blocked restore_window"}},
		"a package whose name is taken": {
			UndoSubject{Inventory: away, Reused: true, Deleted: []Done{done(0, 5, ofPackage)}}, []string{"package restore blocked restore_window"}},
		"a package that is there again": {
			UndoSubject{Inventory: there, Deleted: []Done{done(0, 5, ofPackage)}}, []string{"package restore kept restore_window"}},
		"a version of a package that is gone": {
			UndoSubject{Inventory: away, Deleted: []Done{done(1, 5)}}, []string{"1 restore blocked restore_window"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.subject.Now, tt.subject.Run = now, "r1"
			if diff := cmp.Diff(tt.want, lines(Undo(tt.subject).Items())); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAfterAndUndone(t *testing.T) {
	inv := image([]retention.Node{node("i", "a"), node("a"), node("x")}, v("i", "v1"), v("a"), v("x", "x"), gone("old", 3))
	d := Check(subject(inv, del(1), del(4, restore)))
	after := After(inv, d, "run7", now)
	states := map[retention.ID]retention.State{}
	for _, w := range after.Versions {
		states[w.ID] = w.State
		if w.State == retention.Deleted && !cmp.Equal(w.DeletedBy, &retention.DeletedBy{Run: "run7", Policy: "expire"}) {
			t.Errorf("version %s deleted by %+v", w.ID, w.DeletedBy)
		}
	}
	want := map[retention.ID]retention.State{1: retention.Deleted, 2: retention.Deleted, 3: retention.Active, 4: retention.Active}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if after.Graph.Len() != 1 || inv.Active() != 3 {
		t.Errorf("graph has %d nodes after; the original has %d active", after.Graph.Len(), inv.Active())
	}

	undone := func(ds ...retention.Decision) []retention.ID {
		out := []retention.ID{}
		for _, it := range d.Items() {
			if len(Undone(d, retention.Judgement{Decisions: ds})[it.VersionID]) > 0 {
				out = append(out, it.VersionID)
			}
		}
		return out
	}
	for name, tt := range map[string]struct{ got, want []retention.ID }{
		"nobody objects":                 {undone(), []retention.ID{}},
		"a delete restored again":        {undone(del(1, restore)), []retention.ID{1}},
		"a cascade restored again":       {undone(del(2, restore)), []retention.ID{2}},
		"a restore deleted again":        {undone(del(4)), []retention.ID{4}},
		"unless a keep beats that":       {undone(del(4), del(4, keep)), []retention.ID{}},
		"or a keep of the package":       {undone(del(4), del(0, keep, whole)), []retention.ID{}},
		"an observing rule undoes not":   {undone(del(1, restore, observed)), []retention.ID{}},
		"somebody else's delete is fine": {undone(del(3)), []retention.ID{}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAfterAWholePackage(t *testing.T) {
	inv := pkg(retention.NPM, v("2"), v("1"))
	after := After(inv, Check(subject(inv, del(0, whole))), "run7", now)
	if after.Package.State != retention.Deleted || after.Active() != 0 {
		t.Errorf("package %s with %d active versions, want deleted with none", after.Package.State, after.Active())
	}
	back := After(after, Draft{items: []retention.Item{{Target: retention.TargetPackage, Action: retention.Restore, Status: retention.StatusPlanned}}}, "run8", now)
	if back.Package.State != retention.Active {
		t.Error("a restored package is still deleted")
	}
}
