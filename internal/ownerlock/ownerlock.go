// Package ownerlock keeps an undo apart from the sweeps of other processes on the
// same state file. An undo restores children before their index; who reads the
// package in between sees old, untagged children that nothing needs.
//
// A lock is the operating system's, on an empty file beside the state file, and
// dies with its process: none is ever stale. The files stay. Budgets and intents
// need no lock: the ledger looks after them. Where the system has no such lock
// (Supported is false) nobody waits.
package ownerlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pollEvery is how often a lock that somebody else has is asked for again.
const pollEvery = 100 * time.Millisecond

// Locks are those of the owners of one state file.
type Locks struct {
	base  string
	waits func(owner string)
}

// New makes the locks beside a state file. waits hears once of each owner that has
// to be waited for.
func New(statePath string, waits func(owner string)) *Locks {
	if real, err := filepath.EvalSymlinks(statePath); err == nil {
		statePath = real // one state file has one set of locks
	}
	return &Locks{base: statePath, waits: waits}
}

// Share holds the owners together with whoever else shares them. It waits for who
// has them alone or waits to, so that an undo gets its turn. Sharing the same owner
// again before release may wait for ever.
func (l *Locks) Share(ctx context.Context, owners ...string) (release func(), err error) {
	return l.each(ctx, owners, l.share)
}

// Exclude holds the owners alone. It waits until nobody else holds them.
func (l *Locks) Exclude(ctx context.Context, owners ...string) (release func(), err error) {
	return l.each(ctx, owners, l.exclude)
}

// held is what one owner's lock consists of.
type held []*os.File

func (h held) release() {
	for _, f := range h {
		_ = f.Close() // nothing was written; closing ends the lock
	}
}

// each takes the owners in one order for everybody, so that no two wait for each
// other.
func (l *Locks) each(ctx context.Context, owners []string, take func(context.Context, *waiting) (held, error)) (func(), error) {
	names := make([]string, len(owners))
	for i, o := range owners {
		names[i] = strings.ToLower(o)
	}
	slices.Sort(names)
	var all held
	for _, name := range slices.Compact(names) {
		h, err := take(ctx, &waiting{Locks: l, owner: name})
		if err != nil {
			all.release()
			if ctx.Err() != nil {
				return nil, fmt.Errorf("wait for %s, which another shelflife works on: %w", name, err)
			}
			return nil, fmt.Errorf("keep %s from other processes, by a file beside the state file: %w", name, err)
		}
		all = append(all, h...)
	}
	return all.release, nil
}

// share passes the gate, where who wants the owner alone waits in front of it.
func (l *Locks) share(ctx context.Context, w *waiting) (held, error) {
	gate, err := w.take(ctx, "next", false)
	if err != nil {
		return nil, err
	}
	defer held{gate}.release()
	f, err := w.take(ctx, "lock", false)
	if err != nil {
		return nil, err
	}
	return held{f}, nil
}

// exclude closes the gate, and waits until those behind it have gone.
func (l *Locks) exclude(ctx context.Context, w *waiting) (held, error) {
	gate, err := w.take(ctx, "next", true)
	if err != nil {
		return nil, err
	}
	f, err := w.take(ctx, "lock", true)
	if err != nil {
		held{gate}.release()
		return nil, err
	}
	return held{f, gate}, nil
}

// waiting is one turn at an owner.
type waiting struct {
	*Locks
	owner string
	said  bool
}

// take locks one file.
func (w *waiting) take(ctx context.Context, kind string, alone bool) (*os.File, error) {
	f, err := os.OpenFile(w.base+"."+w.owner+"."+kind, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(pollEvery)
	defer again.Stop()
	for {
		ok, err := tryLock(f, alone)
		if ok {
			return f, nil
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
		}
		if !w.said && w.waits != nil {
			w.waits(w.owner)
		}
		w.said = true
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		}
	}
}
