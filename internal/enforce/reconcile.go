package enforce

import (
	"context"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// abandonedAfter is how old an open intent of another run must be to count as
// left behind: a younger one may be what another worker is doing right now, and
// an outcome recorded for it would stand against the worker's own.
const abandonedAfter = time.Hour

// reconcile finds out what became of intents that have no outcome: a crash came
// between them and their outcome. Those of this run that were not carried out
// stay open and are taken up again; those of other runs are closed.
func (r *runner) reconcile(ctx context.Context) error {
	open, err := r.Ledger.Open(ctx, r.record.Owner)
	if err != nil {
		return err
	}
	for _, a := range open {
		if a.Run != r.record.ID && r.Now().Sub(a.At) < abandonedAfter {
			continue
		}
		happened, known, err := r.happened(ctx, a)
		if err != nil && stops(err) {
			return fmt.Errorf("reconcile %s of %s %s: %w", a.Action, a.Ref(), a.Version, err)
		}
		if err != nil {
			continue // nothing can be told now; it stays open for the next run to look at
		}
		var res ledger.Result
		switch {
		case happened:
			res = ledger.Result{Outcome: retention.OutcomeDone, Detail: "found done after an interruption"}
		case !known:
			res = ledger.Result{Outcome: retention.OutcomeUnknown, Detail: "interrupted, and the package can't be seen any more; it counts as spent"}
		case a.Run == r.record.ID:
			continue
		default:
			res = ledger.Result{Outcome: retention.OutcomeFailed, Detail: "interrupted before it was carried out; the next plan takes it up"}
		}
		if err := r.Ledger.Finish(context.WithoutCancel(ctx), a.Intent, res); err != nil {
			return err
		}
	}
	return nil
}

// happened reads whether an intent was carried out; known is false when nothing
// can be told. Rate limits, time-outs and the like are errors: they say nothing.
func (r *runner) happened(ctx context.Context, a ledger.Action) (happened, known bool, err error) {
	t := r.target
	presence, err := t.Looker.Confirm(ctx, t.Owner, a.PackageType, a.Package, a.VersionID)
	if err != nil {
		return false, false, err
	}
	deleting := a.Action == retention.Delete
	switch presence {
	case packages.Present:
		return !deleting, true, nil
	case packages.Deleted, packages.Gone:
		return deleting, true, nil
	}
	if a.Target == retention.TargetPackage {
		return r.packageGone(ctx, a, deleting)
	}
	return false, false, nil
}

// packageGone looks for a package that answers 404 in the owner's listing. Only a
// listing that could be read whole and shows other packages proves anything.
func (r *runner) packageGone(ctx context.Context, a ledger.Action, deleting bool) (happened, known bool, err error) {
	listing, err := r.target.Reader.List(ctx, r.target.Owner, []retention.PackageType{a.PackageType})
	if err != nil {
		return false, false, err
	}
	if len(listing.Problems) > 0 || len(listing.Packages) == 0 {
		return false, false, nil
	}
	for _, p := range listing.Packages {
		if p.Name == a.Package {
			return !deleting, true, nil
		}
	}
	return deleting, true, nil
}

// resume takes out the items that this run has an outcome for already, and
// remembers the units that it had begun.
func (r *runner) resume(ctx context.Context, items []retention.Item) ([]retention.Item, error) {
	r.begun, r.open = map[retention.PackageRef]map[retention.ID]bool{}, map[string]ledger.Intent{}
	r.mine, r.sent = map[string]bool{}, map[string]bool{}
	if !r.res.Resumed {
		return items, nil
	}
	actions, err := r.Ledger.Actions(ctx, r.record.ID)
	if err != nil {
		return nil, err
	}
	ended := map[string]ledger.Action{}
	for _, a := range actions {
		if a.Outcome != "" {
			ended[a.ID] = a
		} else {
			r.open[a.ID] = a.Intent
		}
	}
	var left []retention.Item
	for _, it := range items {
		a, ok := ended[ledger.IntentID(ledger.NewIntent(r.record, it))]
		if !ok {
			left = append(left, it)
			continue
		}
		if a.Outcome == retention.OutcomeDone || a.Outcome == retention.OutcomeGone {
			r.hasBegun(it)
		}
		it.RequestID = a.RequestID
		r.settle(it, a.Outcome, a.Detail)
	}
	return left, nil
}

// undone reports whether a run that is taken up again has been undone meanwhile.
// Whoever did that did not want the rest of it either.
func (r *runner) undone(ctx context.Context, resumed bool) (bool, error) {
	if !resumed {
		return false, nil
	}
	for limit := 10; ; limit *= 10 { // few are newer, and a worker asks at each of its slices
		runs, err := r.Ledger.Runs(ctx, r.record.Owner, limit)
		if err != nil {
			return false, err
		}
		var started time.Time
		for _, other := range runs { // the newest first
			switch {
			case other.Kind == retention.RunUndo && other.Undoes == r.record.ID:
				return true, nil
			case other.ID == r.record.ID:
				started = other.StartedAt
			case other.StartedAt.Before(started):
				return false, nil // older than the run itself
			}
		}
		if len(runs) < limit {
			return false, nil
		}
	}
}

// giveUp ends what is left of a package without a call.
func (r *runner) giveUp(ctx context.Context, items []retention.Item) error {
	for _, u := range unitsOf(items) {
		if err := r.refuse(ctx, u, retention.OutcomeChanged, "the run was undone before it got here; plan again"); err != nil {
			return err
		}
	}
	return nil
}
