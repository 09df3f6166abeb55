package enforce

import (
	"cmp"
	"context"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// PackageRequest says which package to plan, and why.
type PackageRequest struct {
	Target  Target
	Judge   Judge
	Bundle  guard.Bundle
	Trigger retention.Trigger
	Type    retention.PackageType
	Name    string
	ID      string // of the plan and of its run; "" makes one
	// OwnerVersions is how many active versions the owner is known to have, asked
	// after the package has been read; nil or 0 is not known.
	OwnerVersions func(ctx context.Context) (int, error)
}

// PlanPackage reads one package afresh and plans it alone, as a reaction to a
// change in it. The budgets of the run and the day and the share of the package
// hold as in Plan. The share of the owner is measured against all versions that
// the owner is known to have; where no others are known it says nothing, since
// one package is no measure of an owner.
//
// A package that GitHub does not show is an error for which packages.IsNotFound
// holds.
func (e *Enforcer) PlanPackage(ctx context.Context, req PackageRequest) (guard.Plan, error) {
	now, t := e.Now(), req.Target
	h := guard.Header{
		ID: cmp.Or(req.ID, NewID(now)), Kind: retention.RunApply, CreatedAt: now, ExpiresAt: now.Add(e.expiry()),
		EvaluatedAt: now, Trigger: req.Trigger, Bundle: req.Bundle,
	}
	used, err := e.Ledger.Used(ctx, t.Owner.Login, h.ID)
	if err != nil {
		return guard.Plan{}, err
	}
	pkg, err := t.Looker.GetPackage(ctx, t.Owner, req.Type, req.Name)
	if err != nil {
		return guard.Plan{}, err
	}
	inv, err := t.Reader.Read(ctx, t.Owner, pkg, inventory.Options{Deleted: req.Judge.NeedsDeleted(), Fresh: true})
	if err != nil {
		return guard.Plan{}, err
	}
	d, err := e.draft(ctx, judgeRequest{Target: t, Judge: req.Judge, Trigger: req.Trigger, at: now, run: h.ID}, inv)
	if err != nil {
		return guard.Plan{}, err
	}
	o := guard.OwnerDraft{Owner: t.Owner, Mode: t.Mode, Limits: t.Limits, SpentToday: used.Day, Drafts: []guard.Draft{d}}
	if o.Limits.PercentOfOwner, err = shareOfOwner(ctx, req, inv.Active()); err != nil {
		return guard.Plan{}, err
	}
	if t.Calls != nil {
		o.Calls = t.Calls()
	}
	return guard.Assemble(h, []guard.OwnerDraft{o}), nil
}

// shareOfOwner turns the share of the owner into one of the package alone: the
// guard measures against the drafts that it is given. n·100 > p·all is the same
// as n·100 > (p·all/here)·here.
func shareOfOwner(ctx context.Context, req PackageRequest, here int) (float64, error) {
	all := 0
	if req.OwnerVersions != nil {
		var err error
		if all, err = req.OwnerVersions(ctx); err != nil {
			return 0, err
		}
	}
	if here == 0 || all <= here {
		return 100, nil
	}
	return req.Target.Limits.PercentOfOwner * float64(all) / float64(here), nil
}
