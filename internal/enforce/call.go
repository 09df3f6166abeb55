package enforce

import (
	"context"
	"errors"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sendby"
)

// attempts is how often a call is made whose failure left the version as it was.
const attempts = 3

// maxLookAge is how old the look at a version or package may be when it is deleted.
// Where GitHub's limits take longer, an image's package is read again as a whole.
const maxLookAge = 10 * time.Second

// errOld says that a call was not made since the reading of its package has grown
// too old to act on.
var errOld = errors.New("the reading of the package has grown old")

// call makes one call: it reads the target at this very moment, acts if it is
// still what the plan saw, and finds out what became of it when GitHub does not
// say so clearly. The error is errOld, when nothing may be deleted any more that
// rests on a reading of readAt, or one that stops the run (see stops); the item
// then has no outcome.
func (r *runner) call(ctx context.Context, it retention.Item, readAt time.Time) (ledger.Result, error) {
	var res ledger.Result
	r.late = nil
	for range attempts {
		if err := asked(ctx, r.req.Stop); err != nil {
			return res, err
		}
		looked := r.Now()
		ready, early, err := r.look(ctx, it)
		if err != nil || !ready {
			return early, err
		}
		// Again, since looking takes a while: from the switch on, nothing is deleted.
		if err := asked(ctx, r.req.Stop); err != nil {
			return res, err
		}
		image := it.Action == retention.Delete && it.PackageType == retention.Container
		if image && (r.old(it.PackageType, readAt) || sendby.Age(r.Now(), looked) > maxLookAge) {
			return res, errOld
		}
		receipt, err := r.act(r.bounded(ctx, it, readAt), it)
		if err == nil {
			return ledger.Result{Outcome: retention.OutcomeDone, RequestID: receipt.RequestID}, nil
		}
		if stopped, ok := errors.AsType[*sendby.StoppedError](err); ok {
			return res, stopped.Err
		}
		if _, late := errors.AsType[*sendby.LateError](err); late {
			// The next look waits instead, and sees what happened meanwhile.
			if r.late = err; image {
				return res, errOld
			}
			continue
		}
		r.late = nil
		if packages.MayHaveHappened(err) {
			r.sent[ledger.IntentID(ledger.NewIntent(r.record, it))] = true
		}
		var again bool
		if res, again, err = r.explain(ctx, it, err); err != nil || !again {
			return res, err
		}
	}
	return res, r.late
}

// old reports whether a reading of a package of that type is too old to delete by.
// Only images are held together by versions that may be pushed at any time.
func (r *runner) old(t retention.PackageType, readAt time.Time) bool {
	return t == retention.Container && sendby.Age(r.Now(), readAt) > maxReadingAge
}

// bounded is a context in which a call is not sent when the run was stopped while it
// waited for its turn or for GitHub's limits, nor a deletion when what it rests on has
// grown too old meanwhile.
func (r *runner) bounded(ctx context.Context, it retention.Item, readAt time.Time) context.Context {
	if r.req.Stop != nil {
		ctx = sendby.Unless(ctx, r.req.Stop)
	}
	if it.Action != retention.Delete {
		return ctx
	}
	by := r.Now().Add(maxLookAge)
	if end := readAt.Add(maxReadingAge); it.PackageType == retention.Container && end.Before(by) {
		by = end
	}
	return sendby.In(ctx, by)
}

// own says of an item that is gone already whether this run did that. GitHub may
// carry out a call after it has answered with an error, and after a reading that still
// showed the version: what this run may have sent is its own, so that it can be undone.
func (r *runner) own(in ledger.Intent, res ledger.Result) ledger.Result {
	if res.Outcome == retention.OutcomeGone && r.sent[in.ID] {
		res.Outcome, res.Detail = retention.OutcomeDone, "done by an earlier call, of which nobody knew what became: "+res.Detail
	}
	return res
}

// look reads the target. ready means that the call may be made; otherwise early
// is how the item ends.
func (r *runner) look(ctx context.Context, it retention.Item) (ready bool, early ledger.Result, err error) {
	t := r.target
	if it.Target == retention.TargetPackage {
		var p retention.Package
		p, err = t.Looker.GetPackage(ctx, t.Owner, it.PackageType, it.Package)
		switch {
		case err != nil || it.Action != retention.Delete:
		case p.UpdatedAt.IsZero():
			return false, ledger.Result{Outcome: retention.OutcomeChanged, Detail: "GitHub does not say when the package was updated, so nobody knows whether it has changed since the plan"}, nil
		case !p.UpdatedAt.Equal(it.UpdatedAt):
			return false, ledger.Result{Outcome: retention.OutcomeChanged, Detail: "the package was updated just now; plan again"}, nil
		}
	} else if it.Action == retention.Delete {
		var v retention.Version
		v, err = t.Looker.GetVersion(ctx, t.Owner, it.PackageType, it.Package, it.VersionID)
		if err == nil && v.State == retention.Deleted {
			return false, ledger.Result{Outcome: retention.OutcomeGone, Detail: "it was deleted already"}, nil
		}
		if err == nil && !unchanged(it, v) {
			return false, ledger.Result{Outcome: retention.OutcomeChanged, Detail: "its tags or its time of update changed just now; plan again"}, nil
		}
	} else {
		return true, ledger.Result{}, nil // a deleted version can't be read singly; its package's list was just read
	}
	restoring := it.Action == retention.Restore
	switch {
	case err == nil && restoring:
		return false, ledger.Result{Outcome: retention.OutcomeGone, Detail: "it is there already"}, nil
	case err == nil, packages.IsNotFound(err) && restoring:
		return true, ledger.Result{}, nil
	case packages.IsNotFound(err):
		res, _, err := r.missing(ctx, it, err)
		return false, res, err
	case stops(err):
		return false, ledger.Result{}, err
	}
	return false, ledger.Result{Outcome: retention.OutcomeFailed, RequestID: requestID(err), Detail: "not attempted: " + err.Error()}, nil
}

func (r *runner) act(ctx context.Context, it retention.Item) (packages.Receipt, error) {
	t := r.target
	switch {
	case it.Action == retention.Delete && it.Target == retention.TargetPackage:
		return t.Writer.DeletePackage(ctx, t.Owner, it.PackageType, it.Package)
	case it.Action == retention.Delete && it.Target == retention.TargetVersion:
		return t.Writer.DeleteVersion(ctx, t.Owner, it.PackageType, it.Package, it.VersionID)
	case it.Action == retention.Restore && it.Target == retention.TargetPackage:
		return t.Writer.RestorePackage(ctx, t.Owner, it.PackageType, it.Package, "")
	case it.Action == retention.Restore && it.Target == retention.TargetVersion:
		return t.Writer.RestoreVersion(ctx, t.Owner, it.PackageType, it.Package, it.VersionID)
	}
	return packages.Receipt{}, errors.New("the item asks for nothing that can be done")
}

// explain says what a failed call means. again asks for another attempt: the
// call certainly did nothing and may work next time.
func (r *runner) explain(ctx context.Context, it retention.Item, failure error) (res ledger.Result, again bool, err error) {
	res = ledger.Result{RequestID: requestID(failure), Detail: failure.Error()}
	if rule, ok := packages.BlockedRule(failure); ok {
		res.Outcome, res.Guard = retention.OutcomeBlocked, retention.GuardCode(rule)
		return res, false, nil
	}
	if packages.MayHaveHappened(failure) {
		return r.uncertain(context.WithoutCancel(ctx), it, res)
	}
	switch {
	case stops(failure):
		return res, false, failure
	case packages.IsNotFound(failure):
		return r.missing(ctx, it, failure)
	}
	res.Outcome = retention.OutcomeFailed
	return res, packages.IsTransient(failure), nil
}

// uncertain reads what became of a call that GitHub may have carried out. It
// outlives the caller's context: an answer now saves a reconciliation later.
func (r *runner) uncertain(ctx context.Context, it retention.Item, res ledger.Result) (ledger.Result, bool, error) {
	happened, known, err := r.happened(ctx, ledger.Action{Intent: ledger.NewIntent(r.record, it)})
	switch {
	case err != nil || !known:
		res.Outcome = retention.OutcomeUnknown
		return res, false, nil
	case happened:
		res.Outcome, res.Detail = retention.OutcomeDone, "done, though the call failed: "+res.Detail
		return res, false, nil
	}
	res.Outcome = retention.OutcomeFailed
	return res, true, nil
}

// missing says what a 404 means, by a second, differently scoped reading. Only
// a target that is certainly not there counts as gone.
func (r *runner) missing(ctx context.Context, it retention.Item, failure error) (ledger.Result, bool, error) {
	res := ledger.Result{Outcome: retention.OutcomeFailed, RequestID: requestID(failure), Detail: failure.Error()}
	if it.Action == retention.Restore {
		return res, false, nil // the window is over, the name is taken, or the right is missing
	}
	happened, known, err := r.happened(ctx, ledger.Action{Intent: ledger.NewIntent(r.record, it)})
	switch {
	case err != nil && stops(err):
		return res, false, err
	case err == nil && known && happened:
		res.Outcome, res.Detail = retention.OutcomeGone, "it was not there any more"
	}
	return res, false, nil
}

func requestID(err error) string {
	if e, ok := errors.AsType[*packages.Error](err); ok {
		return e.RequestID
	}
	return ""
}
