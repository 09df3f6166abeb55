package enforce

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// maxReadingAge is how old the reading of a container package may be when its
// next versions are deleted: a push may have made an index of them meanwhile.
const maxReadingAge = time.Minute

// maxReadings is how often in a row a package is read that is too old to act on
// by the time it has been read whole.
const maxReadings = 3

// doPackage reads the package afresh, drops what no longer holds, and carries
// out the rest, reading again whenever the reading has grown old.
func (r *runner) doPackage(ctx context.Context, items []retention.Item) error {
	todo := unitsOf(items)
	old := 0
	for len(todo) > 0 {
		if r.res.StoppedBy = asked(ctx, r.req.Stop); r.res.StoppedBy != nil {
			return nil
		}
		inv, err := r.readAgain(ctx, items[0])
		if err != nil {
			if stops(err) {
				r.res.StoppedBy = err
				return nil
			}
			return r.refuseAll(ctx, todo, "the package could not be read again: "+err.Error())
		}
		approved, err := r.approve(ctx, inv, todo)
		if err != nil {
			return err
		}
		rest, err := r.doUnits(ctx, inv, approved)
		if err != nil || r.res.StoppedBy != nil {
			return err
		}
		if old++; size(rest) < size(approved) {
			old = 0
		}
		if todo = rest; old == maxReadings && r.late != nil {
			r.res.StoppedBy = r.late // GitHub lets nothing through for now: what is begun stays open
			return nil
		}
		if old == maxReadings {
			return r.refuseAll(ctx, todo, fmt.Sprintf("reading the package takes longer than the %s that a reading may be old; plan again when GitHub is less busy", maxReadingAge))
		}
	}
	return nil
}

// size counts the items of units.
func size(units []unit) (n int) {
	for _, u := range units {
		n += len(u.items)
	}
	return n
}

func (r *runner) refuseAll(ctx context.Context, units []unit, detail string) error {
	for _, u := range units {
		if err := r.refuse(ctx, u, retention.OutcomeFailed, detail); err != nil {
			return err
		}
	}
	return nil
}

// readAgain reads the package as it is now.
func (r *runner) readAgain(ctx context.Context, it retention.Item) (retention.Inventory, error) {
	t := r.target
	if it.Action == retention.Restore && it.Target == retention.TargetPackage {
		return r.readVanished(ctx, it)
	}
	pkg, err := t.Looker.GetPackage(ctx, t.Owner, it.PackageType, it.Package)
	switch {
	case packages.IsNotFound(err) && r.req.Plan.Kind() == retention.RunUndo:
		return r.vanished(it), nil
	case packages.IsNotFound(err):
		return retention.Inventory{}, fmt.Errorf("it is not visible any more: it was deleted, or the credential lost its access: %w", err)
	case err != nil:
		return retention.Inventory{}, err
	}
	deleted := it.Action == retention.Restore || (r.req.Judge != nil && r.req.Judge.NeedsDeleted())
	return t.Reader.Read(ctx, t.Owner, pkg, inventory.Options{Deleted: deleted, Fresh: true, Settled: true})
}

// vanished is a package that is gone, as far as the item knows it.
func (r *runner) vanished(it retention.Item) retention.Inventory {
	return retention.Inventory{
		Owner:    r.target.Owner,
		Package:  retention.Package{Name: it.Package, Type: it.PackageType, State: retention.Deleted, CreatedAt: it.CreatedAt, UpdatedAt: it.UpdatedAt},
		Complete: true, ReadAt: r.Now(),
	}
}

// readVanished finds a deleted package: GitHub can't list those, so what was
// known of it last comes from the snapshots. An undo knows enough by itself.
func (r *runner) readVanished(ctx context.Context, it retention.Item) (retention.Inventory, error) {
	t := r.target
	pkg, err := t.Looker.GetPackage(ctx, t.Owner, it.PackageType, it.Package)
	if err == nil {
		return t.Reader.Read(ctx, t.Owner, pkg, inventory.Options{Deleted: true, Fresh: true, Settled: true})
	}
	if !packages.IsNotFound(err) {
		return retention.Inventory{}, err
	}
	if r.req.Plan.Kind() == retention.RunApply {
		listing, err := t.Reader.List(ctx, t.Owner, []retention.PackageType{it.PackageType})
		if err != nil {
			return retention.Inventory{}, err
		}
		for _, inv := range listing.Vanished {
			if inv.Package.Name == it.Package {
				return inv, nil
			}
		}
	}
	return r.vanished(it), nil
}

// approve drafts the package again as it is now and lets through the units all
// of whose items the new draft plans too, unchanged, and that no survivor needs.
// The others are refused with the reason.
func (r *runner) approve(ctx context.Context, inv retention.Inventory, todo []unit) ([]unit, error) {
	d, err := r.redraft(ctx, inv, todo)
	if err != nil {
		return nil, err
	}
	now := map[retention.ID]retention.Item{}
	for _, it := range d.Items() {
		now[it.VersionID] = it
	}
	var ok []unit
	for _, u := range todo {
		outcome, why := differs(inv, u, now)
		if why == "" {
			ok = append(ok, u)
		} else if err := r.refuse(ctx, u, outcome, why); err != nil {
			return nil, err
		}
	}
	for {
		gone := map[retention.ID]bool{}
		for _, u := range ok {
			for _, it := range u.items {
				if it.Action == retention.Delete && it.Target == retention.TargetVersion {
					gone[it.VersionID] = true
				}
			}
		}
		broken := guard.Broken(inv, gone)
		if len(broken) == 0 {
			return ok, nil
		}
		var left []unit
		for _, u := range ok {
			if !slices.ContainsFunc(u.items, func(it retention.Item) bool { return slices.Contains(broken, it.VersionID) }) {
				left = append(left, u)
			} else if err := r.refuse(ctx, u, retention.OutcomeChanged, "a version that stays needs it now"); err != nil {
				return nil, err
			}
		}
		ok = left
	}
}

// redraft judges the package as it is now: by the policies, or, for an undo, by
// what can still be restored.
func (r *runner) redraft(ctx context.Context, inv retention.Inventory, todo []unit) (guard.Draft, error) {
	if r.req.Plan.Kind() == retention.RunUndo {
		return r.draftUndo(ctx, inv, todo)
	}
	t := r.target
	t.Limits = r.limits
	return r.draft(ctx, judgeRequest{
		Target: t, Judge: r.req.Judge, Trigger: r.req.Plan.Trigger(),
		at: r.Now(), run: r.record.ID, extra: r.leftOver(todo),
	}, inv)
}

// leftOver asks for what an interruption left of units whose root this run has
// deleted already: nothing refers to those versions any more, so no policy would
// ask for them as the root's cascade. The guards judge them like any other.
func (r *runner) leftOver(todo []unit) []retention.Decision {
	var out []retention.Decision
	for _, u := range todo {
		if !r.begun[u.items[0].Ref()][u.items[0].Unit()] {
			continue
		}
		for _, it := range u.items {
			if len(it.Rules) == 0 || it.Rules[0].CascadeOf == nil {
				continue
			}
			out = append(out, retention.Decision{
				Policy: it.Rules[0].Policy, Rule: it.Rules[0].Rule, Reason: it.Rules[0].Reason, Severity: it.Rules[0].Severity,
				Action: it.Action, Target: it.Target, Version: it.VersionID, Mode: retention.Enforce,
			})
		}
	}
	return out
}

// differs says why a unit can't be done as planned, or "". A unit that a crash
// interrupted has lost its first members already; those don't count against it.
func differs(inv retention.Inventory, u unit, now map[retention.ID]retention.Item) (retention.Outcome, string) {
	for _, it := range u.items {
		if it.Action == retention.Delete && !inv.Complete {
			// A version that such a reading lacks need not be gone.
			return retention.OutcomeFailed, incomplete(inv)
		}
		if it.Target == retention.TargetVersion {
			v, known := inv.Version(it.VersionID)
			if it.Action == retention.Delete && (!known || !v.IsActive()) {
				continue // gone: the call's own reading will say so
			}
			if known && !unchanged(it, v) {
				return retention.OutcomeChanged, "its tags or its time of update differ from the plan; plan again"
			}
		}
		n, still := now[it.VersionID]
		switch {
		case !still || n.Action != it.Action || n.Target != it.Target:
			return retention.OutcomeChanged, "the policies don't ask for it any more; plan again"
		case n.Status == retention.StatusIncomplete && n.Guard != nil:
			return retention.OutcomeFailed, n.Guard.Detail
		case n.Status != retention.StatusPlanned && n.Guard != nil:
			return retention.OutcomeChanged, fmt.Sprintf("it is %s now: %s", n.Status, n.Guard.Detail)
		case n.Status != retention.StatusPlanned:
			return retention.OutcomeChanged, fmt.Sprintf("it is %s now", n.Status)
		case it.Target == retention.TargetPackage && it.Action == retention.Delete && (n.Cost != it.Cost || !n.UpdatedAt.Equal(it.UpdatedAt)):
			return retention.OutcomeChanged, "the package has changed since the plan; plan again"
		}
	}
	return "", ""
}

func incomplete(inv retention.Inventory) string {
	why := "it could not be read whole"
	if len(inv.Problems) > 0 {
		why = inv.Problems[0].Detail
	}
	return "nothing of this package is deleted: " + why
}

// unchanged compares a version with the plan's reading of it.
func unchanged(it retention.Item, v retention.Version) bool {
	if it.Action == retention.Restore {
		return it.Version == v.Name // deleting changes updated_at, and tags may not come with the listing
	}
	return it.Version == v.Name && it.UpdatedAt.Equal(v.UpdatedAt) && slices.Equal(it.Tags, v.Tags) && slices.Equal(it.Referrers, v.Referrers)
}
