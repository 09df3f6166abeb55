package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Grant is what Begin allowed.
type Grant struct {
	// New holds the intents that this call recorded, with ID and At: do these.
	New []Intent
	// Existing holds what an earlier call of the same run recorded: those with
	// an outcome are over, those without must be reconciled before anything else.
	Existing []Action
}

// Begin reserves the budget of all deletions among the intents and records the
// intents, in one durable step: all of them or none. Only a call that was begun
// may be made. It takes at most MaxIntents, all of the given run.
//
// An intent that the run already holds is returned in Grant.Existing and not
// reserved again. It fails with *BudgetError, ErrNotStarted, ErrFinished or
// ErrInvalid, and then nothing was written. After any other error it is not
// known whether the intents were: calling Begin again tells.
func (l *Ledger) Begin(ctx context.Context, run retention.Run, limits retention.Limits, intents []Intent) (Grant, error) {
	intents, err := prepare(run, intents)
	if err != nil {
		return Grant{}, fmt.Errorf("begin in run %s of %s: %w", run.ID, run.Owner, err)
	}
	owner := OwnerKey(run.Owner)
	var grant Grant
	err = l.commit(ctx, owner, func(c *chain, b *Batch) error {
		grant = Grant{} // what an attempt in vain had put together
		if err := l.running(ctx, owner, run.ID); err != nil {
			return err
		}
		fresh, existing, err := l.split(ctx, owner, run.ID, intents)
		if err != nil {
			return err
		}
		grant.Existing = existing
		for _, in := range fresh {
			in.At = c.at
			a, err := c.intent(in)
			if err != nil {
				return err
			}
			grant.New = append(grant.New, a.Intent)
			b.BeginActions = append(b.BeginActions, a)
		}
		b.Counters = reserve(run.ID, c.at, limits, fresh)
		return nil
	})
	if err != nil {
		return Grant{}, fmt.Errorf("begin in run %s of %s: %w", run.ID, run.Owner, err)
	}
	return grant, nil
}

// prepare checks the intents and gives them their ids.
func prepare(run retention.Run, intents []Intent) ([]Intent, error) {
	if len(intents) > MaxIntents {
		return nil, fmt.Errorf("%w: %d intents, at most %d go at once: split them", ErrInvalid, len(intents), MaxIntents)
	}
	out := make([]Intent, len(intents))
	seen := make(map[string]bool, len(intents))
	for i, in := range intents {
		if err := in.check(run); err != nil {
			return nil, err
		}
		in.ID = IntentID(in)
		in.UpdatedAt = in.UpdatedAt.UTC().Round(0)
		if seen[in.ID] {
			return nil, fmt.Errorf("%w: %s of %s %s is there twice", ErrInvalid, in.Action, in.Ref(), in.Version)
		}
		seen[in.ID] = true
		out[i] = in
	}
	return out, nil
}

// running makes sure that the run takes intents.
func (l *Ledger) running(ctx context.Context, owner, id string) error {
	run, ok, err := l.store.Run(ctx, owner, id)
	switch {
	case err != nil:
		return fmt.Errorf("look up the run: %w", err)
	case !ok:
		return ErrNotStarted
	case !run.FinishedAt.IsZero():
		return ErrFinished
	}
	return nil
}

// split separates the intents that the run holds already from the others.
func (l *Ledger) split(ctx context.Context, owner, run string, intents []Intent) (fresh []Intent, existing []Action, err error) {
	ids := make([]string, len(intents))
	for i, in := range intents {
		ids[i] = in.ID
	}
	found, err := l.store.Lookup(ctx, owner, run, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("look up the intents: %w", err)
	}
	byID := make(map[string]Action, len(found))
	for _, a := range found {
		byID[a.ID] = a
	}
	for _, in := range intents {
		if a, ok := byID[in.ID]; ok {
			existing = append(existing, a)
		} else {
			fresh = append(fresh, in)
		}
	}
	return fresh, existing, nil
}

// intent appends an intent and returns the action as it is kept.
func (c *chain) intent(in Intent) (Action, error) {
	var stored Intent
	seq, err := c.add(KindIntent, in.Run, in, &stored)
	if err != nil {
		return Action{}, err
	}
	if n := len(c.records[len(c.records)-1].Body); n > MaxIntentBytes {
		return Action{}, fmt.Errorf("%w: %s of %s takes %d bytes, at most %d: shorten the policies' reasons", ErrInvalid, in.Action, in.Ref(), n, MaxIntentBytes)
	}
	return Action{Intent: stored, Seq: seq}, nil
}

// reserve is what the intents take from the two budgets; nothing when they
// delete nothing.
func reserve(run string, at time.Time, limits retention.Limits, intents []Intent) []Add {
	n := 0
	for _, in := range intents {
		n += in.spends()
	}
	if n == 0 {
		return nil
	}
	return []Add{
		{Name: runCounter(run), N: n, Limit: max(0, limits.DeletesPerRun), Guard: retention.GuardDeletesPerRun},
		{Name: dayCounter(at), N: n, Limit: max(0, limits.DeletesPerDay), Guard: retention.GuardDeletesPerDay},
	}
}

func runCounter(run string) string   { return "run/" + run }
func dayCounter(at time.Time) string { return "day/" + at.UTC().Format(time.DateOnly) }
