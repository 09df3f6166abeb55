package enforce

import (
	"context"
	"errors"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Refusals of a whole plan. Nothing was done.
var (
	ErrMoved    = errors.New("the plan was made for looking (--as-of or --offline) and can't be applied; plan again without them")
	ErrPolicies = errors.New("the policies or parameters have changed since the plan was made; plan again")
	ErrForeign  = errors.New("the plan names an owner that is not configured here")
	ErrApplied  = errors.New("the plan has been applied already; plan again")
	// ErrElsewhere means that somebody else carries out the same run at this moment.
	ErrElsewhere = errors.New("another process applies the same plan at this moment; look at the run with shelflife show, and apply the plan again if it does not get to its end")
)

// Result is what came of carrying out a plan.
type Result struct {
	Run       string
	Kind      retention.RunKind
	Items     []retention.Item // those of the plan that were to be done, with their outcomes
	Resumed   bool             // an interrupted run was taken up again
	StoppedBy error            // why the rest was left, nil when everything was gone through
}

// Counts sums the outcomes; an item held by a budget at the last moment counts
// as nothing.
func (r Result) Counts() map[retention.Outcome]int {
	out := map[retention.Outcome]int{}
	for _, it := range r.Items {
		if it.Outcome != "" {
			out[it.Outcome]++
		}
	}
	return out
}

// Held reports whether a budget held items back.
func (r Result) Held() bool {
	for _, it := range r.Items {
		if it.Status == retention.StatusHeld && it.Outcome == "" {
			return true
		}
	}
	return false
}

// Clean reports whether every item ended as done or gone.
func (r Result) Clean() bool {
	for _, it := range r.Items {
		if it.Outcome != retention.OutcomeDone && it.Outcome != retention.OutcomeGone && !(it.Outcome == "" && it.Status == retention.StatusHeld) {
			return false
		}
	}
	return r.StoppedBy == nil
}

// stops reports whether err means that going on makes no sense: the caller gave
// up, GitHub asks to wait, the credential is not accepted, or the request was
// never sent. Whatever was begun and not asked for stays open in the ledger, and
// applying the plan again takes it up.
func stops(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if n, ok := errors.AsType[interface {
		error
		NotSent() bool
	}](err); ok && n.NotSent() {
		return true
	}
	return packages.KindOf(err) == packages.RateLimited || packages.IsUnauthorized(err) || packages.KindOf(err) == packages.Canceled
}
