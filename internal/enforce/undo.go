package enforce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// ErrNoRun means that the ledger holds no run of that id.
var ErrNoRun = errors.New("the ledger holds no such run; shelflife runs lists them")

// PlanUndo plans the restoring of everything that a run deleted, or may have.
// What can't be restored is in the plan with the reason.
func (e *Enforcer) PlanUndo(ctx context.Context, run string, targets []Target) (guard.Plan, error) {
	actions, err := e.Ledger.Actions(ctx, run)
	if err != nil {
		return guard.Plan{}, err
	}
	if len(actions) == 0 {
		known, err := e.Ledger.Run(ctx, run)
		if err != nil {
			return guard.Plan{}, err
		}
		if len(known) == 0 {
			return guard.Plan{}, fmt.Errorf("run %s: %w", run, ErrNoRun)
		}
	}
	now := e.Now()
	h := guard.Header{
		ID: NewID(now), Kind: retention.RunUndo, Undoes: run, CreatedAt: now, ExpiresAt: now.Add(e.expiry()), EvaluatedAt: now,
		Trigger: retention.Trigger{Kind: retention.TriggerCLI},
	}
	deleted := deletions(actions)
	var owners []guard.OwnerDraft
	for _, t := range targets {
		o := guard.OwnerDraft{Owner: t.Owner, Mode: retention.Enforce, Limits: t.Limits}
		for _, batch := range deleted {
			if !retention.SameLogin(batch[0].Item.Owner, t.Owner.Login) {
				continue
			}
			r := &runner{Enforcer: e, target: t, req: ApplyRequest{Plan: guard.Assemble(h, nil)}}
			d, err := r.undoPackage(ctx, batch)
			if err != nil {
				return guard.Plan{}, fmt.Errorf("look at %s: %w", batch[0].Item.Ref(), err)
			}
			o.Drafts = append(o.Drafts, d)
		}
		if t.Calls != nil {
			o.Calls = t.Calls()
		}
		owners = append(owners, o)
	}
	return guard.Assemble(h, owners), nil
}

// deletions returns a run's deletions that happened or may have, by package, in
// the order in which they were begun, which is that in which they were done: an
// interrupted one has no outcome that would tell when.
func deletions(actions []ledger.Action) [][]guard.Done {
	slices.SortStableFunc(actions, func(a, b ledger.Action) int { return cmp.Compare(a.Seq, b.Seq) })
	var items []retention.Item
	done := map[string]guard.Done{}
	key := func(it retention.Item) string { return it.Ref().String() + "@" + it.VersionID.String() }
	for _, a := range actions {
		if a.Action != retention.Delete || (a.Outcome != retention.OutcomeDone && a.Outcome != retention.OutcomeUnknown && a.Outcome != "") {
			continue
		}
		it := retention.Item{
			Owner: a.Owner, PackageType: a.PackageType, Package: a.Package, VersionID: a.VersionID, Version: a.Version,
			Tags: a.Tags, Action: a.Action, Target: a.Target, Rules: a.Rules, UpdatedAt: a.UpdatedAt, Cost: 1, Group: a.Unit,
		}
		at := a.FinishedAt
		if at.IsZero() {
			at = a.At
		}
		items = append(items, it)
		done[key(it)] = guard.Done{Item: it, At: at, Seq: max(a.Seq, a.FinishedSeq)}
	}
	var out [][]guard.Done
	for _, batch := range byPackage(items) {
		var ds []guard.Done
		for _, it := range batch {
			ds = append(ds, done[key(it)])
		}
		out = append(out, ds)
	}
	return out
}

// undoPackage reads a package as it is now and drafts the restoring of batch.
func (r *runner) undoPackage(ctx context.Context, batch []guard.Done) (guard.Draft, error) {
	first := batch[0].Item
	first.Action = retention.Restore
	inv, err := r.readAgain(ctx, first)
	if err != nil {
		return guard.Draft{}, err
	}
	reused := first.Target == retention.TargetPackage && inv.Package.State == retention.Active && inv.Package.CreatedAt.After(batch[0].At)
	return r.undoDraft(ctx, inv, batch, reused)
}

func (r *runner) undoDraft(ctx context.Context, inv retention.Inventory, batch []guard.Done, reused bool) (guard.Draft, error) {
	restored, err := r.Ledger.Restored(ctx, batch[0].Item.Ref())
	if err != nil {
		return guard.Draft{}, err
	}
	return guard.Undo(guard.UndoSubject{
		Inventory: inv, Deleted: batch, Restored: restored, Run: r.req.Plan.Undoes(), Now: r.Now(), Reused: reused,
	}), nil
}

// draftUndo drafts the same once more at the time of restoring.
func (r *runner) draftUndo(ctx context.Context, inv retention.Inventory, todo []unit) (guard.Draft, error) {
	actions, err := r.Ledger.Actions(ctx, r.req.Plan.Undoes())
	if err != nil {
		return guard.Draft{}, err
	}
	for _, batch := range deletions(actions) {
		if batch[0].Item.Ref() == todo[0].items[0].Ref() {
			return r.undoDraft(ctx, inv, batch, false)
		}
	}
	return guard.Draft{}, nil
}
