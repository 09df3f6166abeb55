package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// A commit that finds the head moved is tried again, with full jitter between
// the attempts. Somebody always gets through, so this ends.
const (
	maxAttempts = 100
	firstWait   = time.Millisecond
	longestWait = 100 * time.Millisecond
)

// Ledger records runs, intents and outcomes and keeps the budget. It is safe for
// concurrent use, also by several processes on one store.
type Ledger struct {
	store Store
	now   func() time.Time
	// locks hold this process's writers of one owner back from one another:
	// they would only make each other's heads stale.
	mu    sync.Mutex
	locks map[string]chan struct{}
}

// New returns the ledger kept in store. now is the clock that records bear and
// that says which UTC day a deletion is counted on.
func New(store Store, now func() time.Time) *Ledger {
	return &Ledger{store: store, now: now, locks: map[string]chan struct{}{}}
}

// commit appends what build makes of the chain's head, until it fits. build may
// leave the chain empty: then nothing is written. It may be called many times.
func (l *Ledger) commit(ctx context.Context, owner string, build func(c *chain, b *Batch) error) error {
	if owner == "" {
		return fmt.Errorf("%w: the owner has no login; ask GitHub for it first", ErrInvalid)
	}
	unlock, err := l.lock(ctx, owner)
	if err != nil {
		return err
	}
	defer unlock()
	for attempt := range maxAttempts {
		err = l.try(ctx, owner, build)
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrExists) {
			return err
		}
		if err := pause(ctx, min(firstWait<<min(attempt, 16), longestWait)); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d attempts, try again later: %w", maxAttempts, err)
}

func (l *Ledger) try(ctx context.Context, owner string, build func(c *chain, b *Batch) error) error {
	head, err := l.store.Head(ctx, owner)
	if err != nil {
		return fmt.Errorf("read the head of the chain: %w", err)
	}
	c := &chain{owner: owner, head: head, at: l.now().UTC().Round(0)}
	b := Batch{Owner: owner, Expect: head}
	if err := build(c, &b); err != nil {
		return err
	}
	if b.Records = c.records; len(b.Records) == 0 {
		return nil
	}
	return l.store.Commit(ctx, b)
}

func (l *Ledger) lock(ctx context.Context, owner string) (unlock func(), err error) {
	l.mu.Lock()
	sem, ok := l.locks[owner]
	if !ok {
		sem = make(chan struct{}, 1)
		l.locks[owner] = sem
	}
	l.mu.Unlock()
	select {
	case sem <- struct{}{}:
		return func() { <-sem }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pause waits between half of d and d.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
