package enforce

import (
	"context"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// ByHand is a Judge that asks for one action because a person named it. The
// guards judge it like any policy's decision: a person can't break an image
// by hand either.
type ByHand struct {
	Action  retention.Action
	Target  retention.Target
	Version retention.ID
	Reason  string
}

// Decide asks for the action, unless it has been done.
func (h ByHand) Decide(_ context.Context, req policy.Request) (retention.Judgement, error) {
	return retention.Judgement{EvaluatedAt: req.EvaluatedAt, Decisions: []retention.Decision{{
		Policy: "by_hand", Action: h.Action, Target: h.Target, Version: h.Version,
		Reason: h.Reason, Severity: "info", Mode: retention.Enforce,
	}}}, nil
}

// NeedsDeleted reports whether the action is about something deleted.
func (h ByHand) NeedsDeleted() bool { return h.Action == retention.Restore }

// PlanByHand plans one action on one package or version.
func (e *Enforcer) PlanByHand(ctx context.Context, t Target, ref retention.PackageRef, h ByHand) (guard.Plan, error) {
	now := e.Now()
	hdr := guard.Header{
		ID: NewID(now), Kind: retention.RunManual, CreatedAt: now, ExpiresAt: now.Add(e.expiry()), EvaluatedAt: now,
		Trigger: retention.Trigger{Kind: retention.TriggerCLI},
	}
	var inv retention.Inventory
	if h.Action == retention.Restore && h.Target == retention.TargetPackage {
		inv = (&runner{Enforcer: e, target: t}).vanished(retention.Item{PackageType: ref.Type, Package: ref.Name})
	} else {
		pkg, err := t.Looker.GetPackage(ctx, t.Owner, ref.Type, ref.Name)
		if err != nil {
			return guard.Plan{}, err
		}
		if inv, err = t.Reader.Read(ctx, t.Owner, pkg, inventory.Options{Deleted: h.NeedsDeleted(), Fresh: true}); err != nil {
			return guard.Plan{}, err
		}
	}
	d, err := e.draft(ctx, judgeRequest{Target: t, Judge: h, Trigger: hdr.Trigger, at: now, run: hdr.ID}, inv)
	if err != nil {
		return guard.Plan{}, err
	}
	o := guard.OwnerDraft{Owner: t.Owner, Mode: retention.Enforce, Limits: t.Limits, Drafts: []guard.Draft{d}}
	// One named action is no surprise: the owner's share is not an alarm here.
	o.Limits.PercentOfOwner = 100
	if t.Calls != nil {
		o.Calls = t.Calls()
	}
	return guard.Assemble(hdr, []guard.OwnerDraft{o}), nil
}
