package operator

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/dispatch"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func isBroken(err error) bool {
	_, ok := errors.AsType[*ledger.BrokenError](err)
	return ok
}

// Planned is a plan that is kept, in short.
type Planned struct {
	Run      string              `json:"run"` // its id: that of apply
	Mode     retention.Mode      `json:"mode"`
	Summary  retention.Summary   `json:"summary"`
	Problems []retention.Problem `json:"problems"`
	Items    []retention.Item    `json:"items"` // what would be done, or is held
	More     int                 `json:"more"`  // items that are not shown
}

// Done is what came of carrying out a plan.
type Done struct {
	Run      string                    `json:"run"`
	Undoes   string                    `json:"undoes,omitempty"`
	Outcomes map[retention.Outcome]int `json:"outcomes"`
	Held     bool                      `json:"held"`              // a budget held items back
	Lost     []retention.Item          `json:"lost,omitempty"`    // of an undo: what can't be restored, with the reason
	Stopped  string                    `json:"stopped,omitempty"` // why the rest was left; the same command goes on
}

// maxItems is how many items an answer shows.
const maxItems = 500

func (o *Operator) plan(ctx context.Context, c dispatch.Command) (any, error) {
	owner, err := o.owner(c)
	if err != nil {
		return nil, err
	}
	if err := o.stop(ctx); err != nil {
		return nil, err
	}
	return o.c.Exclusive(ctx, owner.Login, func(ctx context.Context) (any, error) { return o.planNow(ctx, owner) })
}

func (o *Operator) planNow(ctx context.Context, owner config.Owner) (any, error) {
	t, err := o.c.Connect(ctx, owner)
	if err != nil {
		return nil, err
	}
	p, err := o.enforcer().Plan(ctx, enforce.PlanRequest{
		Targets: []enforce.Target{t}, Judge: o.c.Judge, Bundle: o.c.Bundle, Trigger: retention.Trigger{Kind: retention.TriggerCLI}, Stop: o.stop,
	})
	if err == nil {
		err = o.c.Record(ctx, p)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := p.Seal(ctx, o.c.Sealer)
	if err == nil {
		err = o.c.Plans.SavePlan(ctx, owner.Login, p.ID(), sealed)
	}
	if err != nil {
		return nil, err
	}
	out := Planned{Run: p.ID(), Mode: p.Mode(), Summary: p.Summary(), Problems: append([]retention.Problem{}, p.Problems()...), Items: []retention.Item{}}
	for _, it := range p.Items() {
		if it.Action == retention.Keep {
			continue
		}
		if len(out.Items) == maxItems {
			out.More++
			continue
		}
		out.Items = append(out.Items, it)
	}
	return out, nil
}

func (o *Operator) apply(ctx context.Context, c dispatch.Command) (any, error) {
	owner, err := o.owner(c)
	if err == nil {
		err = needRun(c)
	}
	if err == nil && o.c.Mode(owner.Login) != retention.Enforce {
		err = fmt.Errorf("%s is observed only: set mode: enforce in shelflife.yaml and SHELFLIFE_MODE=enforce, and plan again", owner.Login)
	}
	if err == nil {
		err = o.stop(ctx)
	}
	if err != nil {
		return nil, err
	}
	return o.c.Exclusive(ctx, owner.Login, func(ctx context.Context) (any, error) {
		sealed, ok, err := o.c.Plans.LoadPlan(ctx, owner.Login, c.Run)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf(`no plan %.100s of %s is kept; make one with {"kind":"plan","owner":%q}`, c.Run, owner.Login, owner.Login)
		}
		p, err := guard.Open(ctx, bytes.NewReader(sealed), o.c.Sealer, o.c.Now())
		if err != nil {
			return nil, err
		}
		if p.ID() != c.Run {
			return nil, fmt.Errorf("the plan kept for run %.100s is that of %s: it was put there by somebody; plan again", c.Run, p.ID())
		}
		return o.carryOut(ctx, owner, p, enforce.ApplyRequest{Judge: o.c.Judge, Bundle: o.c.Bundle, Person: true, Stop: o.stop})
	})
}

// undo works while the kill switch is on: an incident is when it is needed.
func (o *Operator) undo(ctx context.Context, c dispatch.Command) (any, error) {
	owner, err := o.owner(c)
	if err == nil {
		err = needRun(c)
	}
	if err != nil {
		return nil, err
	}
	return o.c.Exclusive(ctx, owner.Login, func(ctx context.Context) (any, error) {
		t, err := o.c.Connect(ctx, owner)
		if err != nil {
			return nil, err
		}
		p, err := o.enforcer().PlanUndo(ctx, c.Run, []enforce.Target{t})
		if err != nil {
			return nil, err
		}
		return o.carryOut(ctx, owner, p, enforce.ApplyRequest{Bundle: p.Bundle(), Stop: o.timeLeft})
	})
}

func (o *Operator) carryOut(ctx context.Context, owner config.Owner, p guard.Plan, req enforce.ApplyRequest) (any, error) {
	t, err := o.c.Connect(ctx, owner)
	if err != nil {
		return nil, err
	}
	req.Plan, req.Targets = p, []enforce.Target{t}
	res, err := o.enforcer().Apply(ctx, req)
	if err != nil {
		return nil, err
	}
	out := Done{Run: res.Run, Undoes: p.Undoes(), Outcomes: res.Counts(), Held: res.Held()}
	if res.StoppedBy != nil {
		out.Stopped = res.StoppedBy.Error()
	}
	for _, it := range p.Items() {
		lost := it.Status == retention.StatusBlocked || it.Status == retention.StatusIncomplete
		if p.Kind() == retention.RunUndo && lost && len(out.Lost) < maxItems {
			out.Lost = append(out.Lost, it)
		}
	}
	return out, nil
}
