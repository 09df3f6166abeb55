package ledger

import (
	"context"
	"fmt"
	"maps"
	"time"
	"unicode/utf8"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Start records that a run begins. A run of the same id and owner that is not
// finished is resumed: nothing is written and its first record stands. It fails
// with ErrFinished when that run is closed and with ErrOtherRun when it is of
// another kind or mode or undoes another run.
func (l *Ledger) Start(ctx context.Context, run retention.Run) (resumed bool, err error) {
	if run.ID == "" || !utf8.ValidString(run.ID) || !utf8.ValidString(run.Owner) {
		return false, fmt.Errorf("start run %q of %q: %w: both must be there and be UTF-8", run.ID, run.Owner, ErrInvalid)
	}
	owner := OwnerKey(run.Owner)
	err = l.commit(ctx, owner, func(c *chain, b *Batch) error {
		old, ok, err := l.store.Run(ctx, owner, run.ID)
		if err != nil {
			return fmt.Errorf("look it up: %w", err)
		}
		if resumed = ok; ok {
			return resumable(old, run)
		}
		fresh := run
		fresh.FinishedAt, fresh.Outcomes = time.Time{}, nil
		if fresh.StartedAt.IsZero() {
			fresh.StartedAt = c.at
		}
		fresh.StartedAt = fresh.StartedAt.UTC().Round(0)
		var stored retention.Run
		if _, err := c.add(KindRunStarted, run.ID, fresh, &stored); err != nil {
			return err
		}
		b.StartRun = &stored
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("start run %s of %s: %w", run.ID, run.Owner, err)
	}
	return resumed, nil
}

func resumable(old, run retention.Run) error {
	switch {
	case !old.FinishedAt.IsZero():
		return ErrFinished
	case old.Kind != run.Kind || old.Mode != run.Mode || old.Undoes != run.Undoes:
		return fmt.Errorf("%w: it was started as %s (%s)", ErrOtherRun, old.Kind, old.Mode)
	}
	return nil
}

// Close records that a run has ended and how its items did. Every intent must
// have an outcome (ErrOpenIntents). Closing again with the same counts does
// nothing; with others it fails with ErrFinished.
func (l *Ledger) Close(ctx context.Context, run retention.Run, counts map[retention.Outcome]int) error {
	owner := OwnerKey(run.Owner)
	err := l.commit(ctx, owner, func(c *chain, b *Batch) error {
		old, ok, err := l.store.Run(ctx, owner, run.ID)
		switch {
		case err != nil:
			return fmt.Errorf("look it up: %w", err)
		case !ok:
			return ErrNotStarted
		case !old.FinishedAt.IsZero() && maps.Equal(old.Outcomes, counts):
			return nil
		case !old.FinishedAt.IsZero():
			return ErrFinished
		}
		actions, err := l.store.Actions(ctx, owner, run.ID)
		if err != nil {
			return fmt.Errorf("read its actions: %w", err)
		}
		for _, a := range actions {
			if a.Outcome == "" {
				return fmt.Errorf("%w: %s of %s %s: read the version and record what became of it", ErrOpenIntents, a.Action, a.Ref(), a.Version)
			}
		}
		var stored finishedBody
		if _, err := c.add(KindRunFinished, run.ID, finishedBody{Outcomes: counts}, &stored); err != nil {
			return err
		}
		old.FinishedAt, old.Outcomes = c.at, stored.Outcomes
		b.FinishRun = &old
		return nil
	})
	if err != nil {
		return fmt.Errorf("close run %s of %s: %w", run.ID, run.Owner, err)
	}
	return nil
}

// Note records a remark about a run, such as that it was paused or resumed. run
// may be "" for a remark about the owner.
func (l *Ledger) Note(ctx context.Context, owner, run, text string) error {
	err := l.commit(ctx, OwnerKey(owner), func(c *chain, _ *Batch) error {
		var stored noteBody
		_, err := c.add(KindNote, run, noteBody{Text: clip(text)}, &stored)
		return err
	})
	if err != nil {
		return fmt.Errorf("note on %s: %w", owner, err)
	}
	return nil
}

func clip(s string) string {
	if len(s) > maxDetail {
		return s[:maxDetail] + "…"
	}
	return s
}
