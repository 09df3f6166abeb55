package faults

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// versionName names a version by its package and id, as effects and the ledger
// both can.
func versionName(pkg string, id int64) string { return fmt.Sprint(pkg, " ", id) }

// deletedBy is what a run deleted: what the ledger holds as its deletion and does
// not say was not done, where it did take effect.
func deletedBy(run string, actions map[string]ledger.Action, effects []effect) []string {
	happened := map[string]bool{}
	for _, e := range deletions(effects) {
		happened[versionName(e.Package, e.VersionID)] = true
	}
	out := []string{}
	for _, a := range actions {
		name := versionName(a.Package, int64(a.VersionID))
		maybe := a.Outcome == retention.OutcomeDone || a.Outcome == retention.OutcomeUnknown || a.Outcome == ""
		if a.Run == run && a.Action == retention.Delete && maybe && happened[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// restorable is what each run may restore: an undo what the run deleted that it
// undoes, any other run nothing.
func restorable(ctx context.Context, l *ledger.Ledger, effects []effect) (map[string][]string, error) {
	actions, err := allActions(ctx, l)
	if err != nil {
		return nil, err
	}
	runs, err := l.Runs(ctx, owner, 0)
	out := map[string][]string{}
	for _, r := range runs {
		if r.Kind == retention.RunUndo {
			out[r.ID] = deletedBy(r.Undoes, actions, effects)
		}
	}
	return out, err
}

// checkRestored: nothing is restored but by an undo, and nothing but what the run
// deleted that it undoes.
func checkRestored(effects []effect, deletedByRun map[string][]string) (wrong []string) {
	for _, e := range effects {
		if e.Action == retention.Restore && !slices.Contains(deletedByRun[e.intent.Run], versionName(e.Package, e.VersionID)) {
			wrong = append(wrong, fmt.Sprintf("%s was restored by run %q, which undoes no deletion of it", e.name(), e.intent.Run))
		}
	}
	return wrong
}

// checkUndone: one undo has brought back exactly these, and nothing else changed.
func checkUndone(before, now githubsim.State, deleted []string) []string {
	want := githubsim.State{}
	for _, o := range before.Owners {
		o.Packages = slices.Clone(o.Packages)
		for i, p := range o.Packages {
			o.Packages[i].Versions = slices.Clone(p.Versions)
			for k, v := range p.Versions {
				if slices.Contains(deleted, versionName(p.Name, v.ID)) {
					o.Packages[i].Versions[k].State = retention.Active
				}
			}
		}
		want.Owners = append(want.Owners, o)
	}
	if diff := cmp.Diff(lines(want), lines(now)); diff != "" {
		return []string{"the undo of one run (-what it deleted is back +here):\n" + diff}
	}
	return nil
}

// undoEach undoes every run, the newest first, and demands of each that it brings
// back what its run deleted and no more, and of all together the state of the start.
func (w *world) undoEach(undo func(run string)) {
	var runs []retention.Run
	var actions map[string]ledger.Action
	w.ledger(func(l *ledger.Ledger) {
		var err error
		runs, err = l.Runs(w.Context(), owner, 0)
		w.Must(err)
		actions, err = allActions(w.Context(), l)
		w.Must(err)
	})
	effects := w.evidence.all()
	for _, r := range runs {
		if r.Kind != retention.RunApply {
			continue
		}
		before := w.sim.State()
		undo(r.ID)
		w.Found("after the undo of "+r.ID, checkUndone(before, w.sim.State(), deletedBy(r.ID, actions, effects)))
	}
	w.Found("after the undo", checkSame(w.evidence.start, w.sim.State()))
	w.Count("undone")
}
