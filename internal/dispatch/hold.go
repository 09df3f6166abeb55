package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Locks keeps what a person starts by hand apart from the queue's work.
type Locks interface {
	// Hold takes an owner until a time; IsHeld tells its error when another has it.
	Hold(ctx context.Context, owner, holder string, until time.Time) error
	Release(ctx context.Context, owner, holder string) error
}

// Holder takes owners for one worker at a time. All of it is required.
type Holder struct {
	Locks  Locks
	IsHeld func(error) bool
	Now    func() time.Time
	NewID  func() string // tells holders apart
}

// deadline is when this invocation has ended for certain.
func (h Holder) deadline(ctx context.Context) time.Time {
	if t, ok := ctx.Deadline(); ok {
		return t
	}
	return h.Now().Add(longest)
}

// longest is as long as a function may run.
const longest = 15 * time.Minute

// ErrBusy says that the owner is being worked on.
var ErrBusy = errors.New(`somebody works on the owner right now; try again in a minute, or stop the work first with {"kind":"pause"}`)

// lockPatience is how long a command waits for an owner, and lockPause between
// two tries: the work of a slice, and some more.
const (
	lockPatience = 90 * time.Second
	lockPause    = time.Second
)

// Exclusive runs f while nobody else works on the owner: it waits for the slice
// at hand to end, or fails with ErrBusy.
func (h Holder) Exclusive(ctx context.Context, owner string, f func(ctx context.Context) (any, error)) (out any, err error) {
	holder, until := "a command, "+h.NewID(), h.deadline(ctx)
	patience, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		err := h.Locks.Hold(ctx, owner, holder, until)
		if err == nil {
			break
		}
		if !h.IsHeld(err) {
			return nil, err
		}
		wait := time.NewTimer(lockPause)
		select {
		case <-wait.C:
		case <-patience.Done():
			wait.Stop()
			return nil, fmt.Errorf("%w (%s)", ErrBusy, err.Error())
		}
	}
	defer func() { err = errors.Join(err, h.Locks.Release(context.WithoutCancel(ctx), owner, holder)) }()
	return f(ctx)
}
