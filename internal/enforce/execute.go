package enforce

import (
	"context"
	"errors"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// doUnits begins units in the ledger, as many as one step takes, and carries
// them out. It returns the units that it left because the reading has grown old.
func (r *runner) doUnits(ctx context.Context, inv retention.Inventory, units []unit) (rest []unit, err error) {
	for len(units) > 0 {
		if inv.Package.Type == retention.Container && r.Now().Sub(inv.ReadAt) > maxReadingAge {
			return units, nil
		}
		n, size := 1, len(units[0].items)
		for n < len(units) && size+len(units[n].items) <= ledger.MaxIntents {
			size += len(units[n].items)
			n++
		}
		batch := units[:n]
		units = units[n:]
		begun, err := r.begin(ctx, batch)
		if err != nil {
			return nil, err
		}
		for _, u := range begun {
			if err := r.doUnit(ctx, u); err != nil {
				return nil, err
			}
			if r.res.StoppedBy != nil {
				return nil, nil
			}
		}
	}
	return nil, nil
}

// begun is a unit whose intents are in the ledger, in the unit's order.
type begun struct {
	items   []retention.Item
	intents []ledger.Intent
}

// begin reserves the budget of the units and writes their intents. When the
// budget doesn't take them all, they are tried one by one, and those that don't
// fit are held.
func (r *runner) begin(ctx context.Context, units []unit) ([]begun, error) {
	out, err := r.reserve(ctx, units)
	over, isBudget := errors.AsType[*ledger.BudgetError](err)
	if !isBudget {
		return out, err
	}
	if len(units) == 1 {
		for _, it := range units[0].items {
			it.Status = retention.StatusHeld
			it.Guard = &retention.GuardNote{Code: over.Which, Detail: over.Error()}
			r.settle(it, "", "")
		}
		return nil, nil
	}
	for _, u := range units {
		b, err := r.begin(ctx, []unit{u})
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// reserve writes the intents of units in steps of at most ledger.MaxIntents. All
// of a unit's intents are there before the first of its calls.
func (r *runner) reserve(ctx context.Context, units []unit) ([]begun, error) {
	var all []ledger.Intent
	for _, u := range units {
		for _, it := range u.items {
			all = append(all, ledger.NewIntent(r.record, it))
		}
	}
	granted := map[string]ledger.Intent{}
	for i := 0; i < len(all); i += ledger.MaxIntents {
		part := all[i:min(i+ledger.MaxIntents, len(all))]
		g, err := r.Ledger.Begin(context.WithoutCancel(ctx), r.record, r.limits, part)
		if err != nil {
			r.release(ctx, granted)
			return nil, err
		}
		for _, in := range g.New {
			granted[in.ID] = in
		}
		for _, a := range g.Existing {
			granted[a.ID] = a.Intent // open ones only: resume has taken out the others
		}
	}
	var out []begun
	for _, u := range units {
		b := begun{items: u.items}
		for _, it := range u.items {
			in, ok := granted[ledger.IntentID(ledger.NewIntent(r.record, it))]
			if !ok {
				return nil, fmt.Errorf("the ledger did not grant %s of %s %s", it.Action, it.Ref(), it.Version)
			}
			b.intents = append(b.intents, in)
		}
		out = append(out, b)
	}
	return out, nil
}

// release closes the intents of a large unit that the budget took only in part.
// What they reserved stays spent: no reservation is refunded by itself.
func (r *runner) release(ctx context.Context, granted map[string]ledger.Intent) {
	for _, in := range granted {
		// A failure here leaves the intent open, which reconciliation closes.
		_ = r.Ledger.Finish(context.WithoutCancel(ctx), in, ledger.Result{
			Outcome: retention.OutcomeFailed, Detail: "not attempted: the budget did not take the whole unit",
		})
	}
}

// doUnit carries out a unit's items in order. The first one that does not end
// as done or gone ends the unit: what needs one another is not torn apart further.
func (r *runner) doUnit(ctx context.Context, u begun) error {
	for i, it := range u.items {
		res, err := r.call(ctx, it)
		if err != nil {
			r.res.StoppedBy = err
			return nil // stays open in the ledger
		}
		if err := r.finish(ctx, it, u.intents[i], res); err != nil {
			return err
		}
		if res.Outcome == retention.OutcomeDone || res.Outcome == retention.OutcomeGone {
			continue
		}
		why := ledger.Result{
			Outcome: retention.OutcomeFailed,
			Detail:  fmt.Sprintf("not attempted: it goes together with %s, which ended as %s", it.Version, res.Outcome),
		}
		for j := i + 1; j < len(u.items); j++ {
			if err := r.finish(ctx, u.items[j], u.intents[j], why); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

func (r *runner) finish(ctx context.Context, it retention.Item, in ledger.Intent, res ledger.Result) error {
	if err := r.Ledger.Finish(context.WithoutCancel(ctx), in, res); err != nil {
		return err
	}
	it.RequestID = res.RequestID
	if res.Outcome == retention.OutcomeBlocked {
		it.Guard = &retention.GuardNote{Code: res.Guard, Detail: res.Detail}
	}
	r.settle(it, res.Outcome, res.Detail)
	return nil
}
