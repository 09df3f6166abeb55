package enforce

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// ApplyRequest says what to carry out.
type ApplyRequest struct {
	Plan    guard.Plan
	Targets []Target
	Judge   Judge        // asked again for each package; not used to undo
	Bundle  guard.Bundle // must be the plan's
	// Person says that a person applies a saved plan, which releases what the
	// percentage alarms hold.
	Person bool
	// Stop, if set, is asked before each package and before each call. Its error
	// ends the work like a rate limit: the run stays open, and applying the plan
	// again goes on.
	Stop func(ctx context.Context) error
}

// asked asks whether to stop; nobody there to ask means no.
func asked(ctx context.Context, stop func(context.Context) error) error {
	if stop == nil {
		return nil
	}
	return stop(ctx)
}

// Apply does exactly the plan's items, or refuses, item by item, what has
// changed; it never does more. Every package is read and judged again first.
// Applying a plan whose run was interrupted takes that run up again.
//
// The error is about the plan as a whole (see ErrMoved, ErrPolicies, ErrForeign,
// ErrApplied, ErrElsewhere) or the ledger; what became of the items is in the Result, which
// is valid whenever Result.Run is set.
func (e *Enforcer) Apply(ctx context.Context, req ApplyRequest) (Result, error) {
	plan := req.Plan
	switch {
	case plan.ID() == "":
		return Result{}, errors.New("there is no plan to apply")
	case req.Judge == nil && plan.Kind() != retention.RunUndo:
		return Result{}, errors.New("there are no policies to judge the plan by again")
	case plan.Moved():
		return Result{}, ErrMoved
	case plan.Bundle() != req.Bundle:
		return Result{}, fmt.Errorf("%w (plan: %s, now: %s)", ErrPolicies, plan.Bundle().Digest, req.Bundle.Digest)
	}
	for _, o := range plan.Owners() {
		t, ok := find(req.Targets, o.Login)
		if !ok || (o.ID != 0 && t.Owner.ID != 0 && o.ID != t.Owner.ID) {
			return Result{}, fmt.Errorf("%w: %s", ErrForeign, o.Login)
		}
	}
	res := Result{Run: plan.ID(), Kind: plan.Kind()}
	var applied error
	worked := false
	for _, o := range plan.Owners() {
		t, _ := find(req.Targets, o.Login)
		items := selectItems(plan, o, req.Person)
		if len(items) == 0 {
			continue
		}
		r := &runner{Enforcer: e, req: req, target: t, limits: t.Limits, res: &res}
		err := r.run(ctx, o, items)
		if errors.Is(err, ErrApplied) {
			applied = err // of this owner; an interruption may have left the next ones
			continue
		}
		if err != nil {
			return res, err
		}
		worked = true
		if res.StoppedBy != nil {
			break
		}
	}
	if !worked {
		return res, applied
	}
	return res, nil
}

// selectItems picks an owner's items that are to be done: the planned ones, and
// those that a percentage alarm holds when a person applies the plan. Of an
// owner that was only observed there are none: an alarm that is released there
// would make its items observed, not planned.
func selectItems(plan guard.Plan, o guard.OwnerSummary, person bool) []retention.Item {
	if o.Mode != retention.Enforce {
		return nil
	}
	login := o.Login
	var out []retention.Item
	for _, it := range plan.Items() {
		released := person && it.Status == retention.StatusHeld && it.Guard != nil && it.Guard.Code.ReleasedByApply()
		if retention.SameLogin(it.Owner, login) && it.Action != retention.Keep && (it.Status == retention.StatusPlanned || released) {
			it.Status, it.Guard = retention.StatusPlanned, nil
			out = append(out, it)
		}
	}
	return out
}

// runner carries out the items of one owner.
type runner struct {
	*Enforcer
	req    ApplyRequest
	target Target
	limits retention.Limits
	record retention.Run
	res    *Result
	// begun holds the units of which this run has done something.
	begun map[retention.PackageRef]map[retention.ID]bool
	// open holds the intents without an outcome that an interruption left, or that
	// were put off until the package is read again.
	open map[string]ledger.Intent
	// mine holds the intents that this process has begun, and sent those of which a call
	// may have reached GitHub, of this process or of one that came before it.
	mine, sent map[string]bool
	// late is why the last call was not sent in time, nil when it was.
	late error
}

func (r *runner) run(ctx context.Context, o guard.OwnerSummary, items []retention.Item) error {
	plan := r.req.Plan
	if r.req.Person {
		// The person has seen the plan: the alarms have done their work.
		r.limits.PercentOfPackage, r.limits.PercentOfOwner = 100, 100
	}
	r.record = retention.Run{
		ID: plan.ID(), Owner: o.Login, Kind: plan.Kind(), Undoes: plan.Undoes(), Mode: retention.Enforce,
		Trigger: plan.Trigger(), Actor: r.Actor, BundleDigest: plan.Bundle().Digest, Planned: len(items),
	}
	resumed, err := r.Ledger.Start(ctx, r.record)
	switch {
	case errors.Is(err, ledger.ErrFinished):
		return fmt.Errorf("%w (run %s)", ErrApplied, plan.ID())
	case err != nil:
		return err
	}
	r.res.Resumed = r.res.Resumed || resumed
	if err := r.reconcile(ctx); err != nil {
		if !stops(err) {
			return err
		}
		r.res.StoppedBy = err
		return nil
	}
	r.Progress.Start(verb(plan.Kind())+" "+o.Login, len(items))
	defer r.Progress.Done()
	items, err = r.resume(ctx, items)
	if err != nil {
		return err
	}
	work := r.doPackage
	if undone, err := r.undone(ctx, resumed); err != nil {
		return err
	} else if undone {
		work = r.giveUp
	}
	for _, batch := range byPackage(items) {
		if r.res.StoppedBy != nil {
			break
		}
		if err := work(ctx, batch); err != nil {
			return err
		}
	}
	if r.res.StoppedBy != nil {
		return nil // stays open: applying the plan again goes on
	}
	counts := map[retention.Outcome]int{}
	for _, it := range r.res.Items {
		if retention.SameLogin(it.Owner, o.Login) && it.Outcome != "" {
			counts[it.Outcome]++
		}
	}
	return r.Ledger.Close(context.WithoutCancel(ctx), r.record, counts)
}

func verb(k retention.RunKind) string {
	if k == retention.RunUndo {
		return "restoring in"
	}
	return "applying to"
}

// byPackage splits items into runs of the same package, in the plan's order.
func byPackage(items []retention.Item) [][]retention.Item {
	var out [][]retention.Item
	at := map[retention.PackageRef]int{}
	for _, it := range items {
		i, ok := at[it.Ref()]
		if !ok {
			i = len(out)
			at[it.Ref()] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], it)
	}
	return out
}

// unit is a group of items that is done whole or not at all. kind separates a
// package from its versions and deletes from restores.
type unit struct{ items []retention.Item }

func unitsOf(items []retention.Item) []unit {
	type key struct {
		group  retention.ID
		action retention.Action
		target retention.Target
	}
	var out []unit
	at := map[key]int{}
	for _, it := range items {
		k := key{cmp.Or(it.Unit(), it.VersionID), it.Action, it.Target}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, unit{})
		}
		out[i].items = append(out[i].items, it)
	}
	return out
}

// refuse records how the items of a unit ended that is not carried out. Intents
// that an interrupted run left of them end with it, or the run could never close.
func (r *runner) refuse(ctx context.Context, u unit, o retention.Outcome, detail string) error {
	for _, it := range u.items {
		in, open := r.open[ledger.IntentID(ledger.NewIntent(r.record, it))]
		if !open {
			r.settle(it, o, detail)
			continue
		}
		if err := r.finish(ctx, it, in, ledger.Result{Outcome: o, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

// settle records how an item ended, in the result only.
func (r *runner) settle(it retention.Item, o retention.Outcome, detail string) {
	it.Outcome, it.Detail = o, detail
	r.res.Items = append(r.res.Items, it)
	r.Progress.Add(1)
}
