package enforce

import (
	"context"

	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Explanation is everything that led to what would happen to one package.
type Explanation struct {
	Inventory retention.Inventory
	Input     policy.Input        // the facts that the policies saw
	Judgement retention.Judgement // what every rule said
	Items     []retention.Item    // what the guard made of it, as if enforcing
}

// Explain reads one package afresh and judges it like Plan, keeping every step.
// Budgets over the owner are not part of it.
func (e *Enforcer) Explain(ctx context.Context, t Target, judge Judge, ref retention.PackageRef) (Explanation, error) {
	pkg, err := t.Looker.GetPackage(ctx, t.Owner, ref.Type, ref.Name)
	if err != nil {
		return Explanation{}, err
	}
	inv, err := t.Reader.Read(ctx, t.Owner, pkg, inventory.Options{Deleted: judge.NeedsDeleted(), Fresh: true})
	if err != nil {
		return Explanation{}, err
	}
	now := e.Now()
	req := judgeRequest{Target: t, Judge: judge, Trigger: retention.Trigger{Kind: retention.TriggerCLI}, at: now, run: NewID(now)}
	j, err := req.decide(ctx, inv)
	if err != nil {
		return Explanation{}, err
	}
	d, err := e.draft(ctx, req, inv)
	if err != nil {
		return Explanation{}, err
	}
	return Explanation{
		Inventory: inv, Judgement: j, Items: d.Items(),
		Input: policy.NewInput(policy.Request{Inventory: inv, EvaluatedAt: now, Trigger: req.Trigger}),
	}, nil
}
