package ledger

import (
	"context"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Finish records how an action ended. The same outcome again does nothing. An
// unknown outcome may become done, gone or failed, once a later reading shows
// it; every other change fails with ErrFinal, and an action that was never begun
// with ErrNoIntent. Nothing is ever refunded to the budget.
//
// Give it a context that outlives the call it reports on: an outcome that is not
// recorded has to be found out by reconciliation.
func (l *Ledger) Finish(ctx context.Context, intent Intent, result Result) error {
	owner := OwnerKey(intent.Owner)
	err := l.commit(ctx, owner, func(c *chain, b *Batch) error {
		found, err := l.store.Lookup(ctx, owner, intent.Run, []string{intent.ID})
		if err != nil {
			return fmt.Errorf("look up the intent: %w", err)
		}
		if len(found) != 1 {
			return ErrNoIntent
		}
		a := found[0]
		if result.Outcome != "" && a.Outcome == result.Outcome {
			return nil
		}
		if !mayFollow(a.Outcome, result.Outcome) {
			if a.Outcome == "" {
				return fmt.Errorf("%w: %q is no outcome", ErrInvalid, result.Outcome)
			}
			return fmt.Errorf("%w: %s, not %s", ErrFinal, a.Outcome, result.Outcome)
		}
		body := outcomeBody{Intent: a.ID, Outcome: result.Outcome, RequestID: clip(result.RequestID), Detail: clip(result.Detail), Guard: result.Guard}
		var stored outcomeBody
		if _, err := c.add(KindOutcome, a.Run, body, &stored); err != nil {
			return err
		}
		done := a.finished(stored, c.records[0])
		b.FinishAction = &done
		return nil
	})
	if err != nil {
		return fmt.Errorf("finish %s of %s %s in run %s: %w", intent.Action, intent.Ref(), intent.Version, intent.Run, err)
	}
	return nil
}

// policyOf names the policy that an action was done for: that of the first rule
// that asked for it, "" when a person asked by hand.
func policyOf(a Action) string {
	for _, r := range a.Rules {
		if r.Action == a.Action {
			return r.Policy
		}
	}
	return ""
}

// deletedBy is what the ledger says of a version that the action deleted.
func deletedBy(a Action) retention.DeletedBy {
	return retention.DeletedBy{Run: a.Run, Policy: policyOf(a)}
}
