package enforce

import (
	"context"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Reconcile closes the intents of an owner's earlier runs that have had no
// outcome for an hour, by reading what became of them. It deletes and restores
// nothing. The error is one that asks to stop, such as a rate limit, or the
// ledger's; what can't be told now stays open.
func (e *Enforcer) Reconcile(ctx context.Context, t Target) error {
	r := &runner{Enforcer: e, target: t, limits: t.Limits, record: retention.Run{Owner: t.Owner.Login}, res: &Result{}}
	return r.reconcile(ctx)
}

// Abandoned reports whether an owner has intents for Reconcile to close.
func (e *Enforcer) Abandoned(ctx context.Context, owner string) (bool, error) {
	open, err := e.Ledger.Open(ctx, owner)
	if err != nil {
		return false, err
	}
	for _, a := range open {
		if e.Now().Sub(a.At) >= abandonedAfter {
			return true, nil
		}
	}
	return false, nil
}
