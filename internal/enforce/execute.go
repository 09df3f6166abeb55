package enforce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// doUnits begins units in the ledger, as many as one step takes, and carries
// them out. It returns the units that it left because the reading has grown old.
func (r *runner) doUnits(ctx context.Context, inv retention.Inventory, units []unit) (rest []unit, err error) {
	for len(units) > 0 {
		if r.old(inv.Package.Type, inv.ReadAt) {
			return units, nil
		}
		n := 1
		for n < len(units) && size(units[:n+1]) <= ledger.MaxIntents {
			n++
		}
		batch := units[:n]
		units = units[n:]
		begun, err := r.begin(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, u := range begun {
			left, err := r.doUnit(ctx, u, inv.ReadAt)
			if err != nil {
				return nil, err
			}
			if r.res.StoppedBy != nil {
				return nil, nil
			}
			if left != nil {
				return append(r.putOff(append([]begunUnit{*left}, begun[i+1:]...)), units...), nil
			}
		}
	}
	return nil, nil
}

// begunUnit is a unit whose intents are in the ledger, in the unit's order.
type begunUnit struct {
	items   []retention.Item
	intents []ledger.Intent
}

// putOff hands units back that are to be judged again first. Their intents stay
// open: they are taken up again, or end with the refusal.
func (r *runner) putOff(units []begunUnit) []unit {
	var out []unit
	for _, u := range units {
		for _, in := range u.intents {
			r.open[in.ID] = in
		}
		out = append(out, unit{u.items})
	}
	return out
}

// begin reserves the budget of the units and writes their intents. When the
// budget doesn't take them all, they are tried one by one, and those that don't
// fit are held.
func (r *runner) begin(ctx context.Context, units []unit) ([]begunUnit, error) {
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
func (r *runner) reserve(ctx context.Context, units []unit) ([]begunUnit, error) {
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
			granted[in.ID], r.mine[in.ID] = in, true
		}
		for _, a := range g.Existing {
			if a.Outcome != "" { // resume has taken out what had ended by then
				return nil, fmt.Errorf("%w (run %s)", ErrElsewhere, r.record.ID)
			}
			granted[a.ID] = a.Intent
			r.sent[a.ID] = r.sent[a.ID] || !r.mine[a.ID]
		}
	}
	var out []begunUnit
	for _, u := range units {
		b := begunUnit{items: u.items}
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
// When the reading grows old meanwhile, it returns what is left of the unit.
func (r *runner) doUnit(ctx context.Context, u begunUnit, readAt time.Time) (left *begunUnit, err error) {
	for i, it := range u.items {
		res, err := r.call(ctx, it, readAt)
		if errors.Is(err, errOld) {
			return &begunUnit{u.items[i:], u.intents[i:]}, nil
		}
		if err != nil {
			r.res.StoppedBy = err
			return nil, nil // stays open in the ledger
		}
		if err := r.finish(ctx, it, u.intents[i], r.own(u.intents[i], res)); err != nil {
			return nil, err
		}
		if res.Outcome == retention.OutcomeDone || res.Outcome == retention.OutcomeGone {
			r.hasBegun(it)
			continue
		}
		why := ledger.Result{
			Outcome: retention.OutcomeFailed,
			Detail:  fmt.Sprintf("not attempted: it goes together with %s, which ended as %s", it.Version, res.Outcome),
		}
		for j := i + 1; j < len(u.items); j++ {
			if err := r.finish(ctx, u.items[j], u.intents[j], why); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return nil, nil
}

// hasBegun notes that something of the item's unit is done.
func (r *runner) hasBegun(it retention.Item) {
	if r.begun[it.Ref()] == nil {
		r.begun[it.Ref()] = map[retention.ID]bool{}
	}
	r.begun[it.Ref()][it.Unit()] = true
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
