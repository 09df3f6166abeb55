package dynamodb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Run returns one run of an owner.
func (t *Table) Run(ctx context.Context, owner, id string) (retention.Run, bool, error) {
	i, err := t.get(ctx, runKey(owner, id))
	if err != nil || i == nil {
		return retention.Run{}, false, err
	}
	run, err := readRun(i)
	return run, err == nil, err
}

// Runs returns an owner's runs, the newest first; limit 0 means all.
func (t *Table) Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error) {
	var keys []key
	s := span{pk: runsPK(owner), prefix: startPrefix, backwards: true, limit: int32(min(max(limit, 0), 1000))}
	err := t.query(ctx, s, func(i item) (bool, error) {
		ref, err := read[runRef](i)
		keys = append(keys, runKey(owner, ref.Run))
		return limit <= 0 || len(keys) < limit, err
	})
	if err != nil {
		return nil, err
	}
	var runs []retention.Run
	err = t.getAll(ctx, keys, true, func(i item) error {
		run, err := readRun(i)
		runs = append(runs, run)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(runs) != len(keys) {
		return nil, fmt.Errorf("%d runs of %s are listed, %d of them are there: run shelflife ledger verify", len(keys), owner, len(runs))
	}
	slices.SortFunc(runs, func(a, b retention.Run) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(b.ID, a.ID))
	})
	return runs, nil
}

// Lookup returns those of a run's actions that are there.
func (t *Table) Lookup(ctx context.Context, owner, run string, ids []string) ([]ledger.Action, error) {
	keys := make([]key, len(ids))
	for i, id := range ids {
		keys[i] = actionKey(owner, run, id)
	}
	return t.actions(ctx, keys)
}

// Actions returns a run's actions in order.
func (t *Table) Actions(ctx context.Context, owner, run string) ([]ledger.Action, error) {
	list, err := all(ctx, t, span{pk: actionsPK(owner, run)}, readAction)
	slices.SortFunc(list, bySeq)
	return list, err
}

// OpenActions returns an owner's actions without an outcome, in order. A run is
// not finished before all of its actions are, so that only the runs that are not
// have to be looked through.
func (t *Table) OpenActions(ctx context.Context, owner string) ([]ledger.Action, error) {
	active, err := all(ctx, t, span{pk: activePK(owner)}, read[runRef])
	if err != nil {
		return nil, err
	}
	var open []ledger.Action
	for _, ref := range active {
		list, err := t.Actions(ctx, owner, ref.Run)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			if a.Outcome == "" {
				open = append(open, a)
			}
		}
	}
	slices.SortFunc(open, bySeq)
	return open, nil
}

// PackageActions returns the actions on a package begun at or after since, in order.
func (t *Table) PackageActions(ctx context.Context, ref retention.PackageRef, since time.Time) ([]ledger.Action, error) {
	list, err := all(ctx, t, span{pk: packagePK(ref), from: stamp(since)}, read[packageItem])
	if err != nil {
		return nil, err
	}
	var keys []key
	for _, p := range list {
		for _, id := range p.IDs {
			keys = append(keys, actionKey(ref.Owner, p.Run, id))
		}
	}
	return t.actions(ctx, keys)
}

// actions reads those that are there, by Seq.
func (t *Table) actions(ctx context.Context, keys []key) ([]ledger.Action, error) {
	var out []ledger.Action
	err := t.getAll(ctx, keys, true, func(i item) error {
		a, err := readAction(i)
		out = append(out, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, bySeq)
	return out, nil
}

func bySeq(a, b ledger.Action) int { return cmp.Compare(a.Seq, b.Seq) }
