package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// memory is how far back DeletedBy looks. GitHub lists a deleted version for
// RestoreWindow; twice that leaves room for clocks and late reconciliations.
const memory = 2 * retention.RestoreWindow

// Used is what has been reserved so far: never less than what was deleted.
type Used struct {
	Run int // by the run
	Day int // by the owner, on the current UTC day
}

// Used returns how much of the budgets of an owner and a run is spent.
func (l *Ledger) Used(ctx context.Context, owner, run string) (Used, error) {
	n, err := l.store.Counter(ctx, OwnerKey(owner), runCounter(run))
	if err != nil {
		return Used{}, fmt.Errorf("budget of run %s: %w", run, err)
	}
	d, err := l.store.Counter(ctx, OwnerKey(owner), dayCounter(l.now()))
	if err != nil {
		return Used{}, fmt.Errorf("budget of %s: %w", owner, err)
	}
	return Used{Run: n, Day: d}, nil
}

// Owners returns the owners that the ledger has records of, in lower case.
func (l *Ledger) Owners(ctx context.Context) ([]string, error) {
	owners, err := l.store.Owners(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the ledger's owners: %w", err)
	}
	return owners, nil
}

// Open returns an owner's intents without an outcome, oldest first: what a crash
// left behind, or what another worker is doing right now.
func (l *Ledger) Open(ctx context.Context, owner string) ([]Action, error) {
	open, err := l.store.OpenActions(ctx, OwnerKey(owner))
	if err != nil {
		return nil, fmt.Errorf("open intents of %s: %w", owner, err)
	}
	return open, nil
}

// Runs returns the newest runs first, of one owner or, with "", of all of them.
// limit 0 means all.
func (l *Ledger) Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error) {
	owners := []string{OwnerKey(owner)}
	if owner == "" {
		var err error
		if owners, err = l.Owners(ctx); err != nil {
			return nil, err
		}
	}
	var all []retention.Run
	for _, o := range owners {
		runs, err := l.store.Runs(ctx, o, max(0, limit))
		if err != nil {
			return nil, fmt.Errorf("runs of %s: %w", o, err)
		}
		all = append(all, runs...)
	}
	slices.SortStableFunc(all, func(a, b retention.Run) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(b.ID, a.ID))
	})
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return all, nil
}

// Run returns the run of an id: one for each owner that its plan covered, by
// owner. It is empty when there is none.
func (l *Ledger) Run(ctx context.Context, id string) ([]retention.Run, error) {
	owners, err := l.Owners(ctx)
	if err != nil {
		return nil, err
	}
	var runs []retention.Run
	for _, o := range owners {
		run, ok, err := l.store.Run(ctx, o, id)
		if err != nil {
			return nil, fmt.Errorf("run %s of %s: %w", id, o, err)
		}
		if ok {
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// Actions returns everything a run began, by owner and in order.
func (l *Ledger) Actions(ctx context.Context, run string) ([]Action, error) {
	owners, err := l.Owners(ctx)
	if err != nil {
		return nil, err
	}
	var all []Action
	for _, o := range owners {
		actions, err := l.store.Actions(ctx, o, run)
		if err != nil {
			return nil, fmt.Errorf("actions of run %s of %s: %w", run, o, err)
		}
		all = append(all, actions...)
	}
	return all, nil
}

// DeletedBy returns the versions of a package that this system deleted (done, or
// unknown) within the last 60 days and has not restored since. The zero ID
// stands for the package as a whole.
func (l *Ledger) DeletedBy(ctx context.Context, ref retention.PackageRef) (map[retention.ID]retention.DeletedBy, error) {
	actions, err := l.finished(ctx, ref, l.now().Add(-memory))
	if err != nil {
		return nil, fmt.Errorf("deletions in %s: %w", ref, err)
	}
	out := map[retention.ID]retention.DeletedBy{}
	for _, a := range actions {
		switch {
		case a.Action == retention.Delete && (a.Outcome == retention.OutcomeDone || a.Outcome == retention.OutcomeUnknown):
			out[a.VersionID] = deletedBy(a)
		case a.Action == retention.Restore && a.Outcome == retention.OutcomeDone:
			delete(out, a.VersionID)
		}
	}
	return out, nil
}

// Restored returns the versions of a package that this system restored within the
// last 60 days, each with the last record that says so. The zero ID stands for the
// package as a whole.
func (l *Ledger) Restored(ctx context.Context, ref retention.PackageRef) (map[retention.ID]int64, error) {
	actions, err := l.finished(ctx, ref, l.now().Add(-memory))
	if err != nil {
		return nil, fmt.Errorf("restored in %s: %w", ref, err)
	}
	out := map[retention.ID]int64{}
	for _, a := range actions {
		if a.Action == retention.Restore && a.Outcome == retention.OutcomeDone {
			out[a.VersionID] = a.FinishedSeq
		}
	}
	return out, nil
}

// Refusals returns the actions on a package that were begun at or after since and
// that GitHub blocked, the latest for each version (zero: the package), unless a
// later attempt went through.
func (l *Ledger) Refusals(ctx context.Context, ref retention.PackageRef, since time.Time) (map[retention.ID]Action, error) {
	actions, err := l.finished(ctx, ref, since)
	if err != nil {
		return nil, fmt.Errorf("refusals in %s: %w", ref, err)
	}
	out := map[retention.ID]Action{}
	for _, a := range actions {
		switch a.Outcome {
		case retention.OutcomeBlocked:
			out[a.VersionID] = a
		case retention.OutcomeDone:
			delete(out, a.VersionID)
		}
	}
	return out, nil
}

// finished returns the actions on a package that have ended, in the order in
// which they did.
func (l *Ledger) finished(ctx context.Context, ref retention.PackageRef, since time.Time) ([]Action, error) {
	ref.Owner = OwnerKey(ref.Owner)
	actions, err := l.store.PackageActions(ctx, ref, since)
	if err != nil {
		return nil, err
	}
	actions = slices.DeleteFunc(actions, func(a Action) bool { return a.Outcome == "" })
	slices.SortFunc(actions, byFinishedSeq)
	return actions, nil
}
