// Package sendby says of a request until when it may still be sent. A deletion
// rests on what was read right before it: when GitHub has it wait, that has to be
// read again instead of being acted on once the wait is over.
package sendby

import (
	"context"
	"time"
)

type key struct{}

// In is a context whose requests are not sent after t, however long their turn or
// GitHub's limits have them wait. What waits asks for it; a deadline would also cut
// off an answer.
func In(ctx context.Context, t time.Time) context.Context { return context.WithValue(ctx, key{}, t) }

// Of is the time until when the requests of a context may be sent, if there is one.
func Of(ctx context.Context) (t time.Time, ok bool) {
	t, ok = ctx.Value(key{}).(time.Time)
	return t, ok
}

// LateError says that a request was not sent, since its turn comes after its time.
// It wraps what the request would have had to wait for.
type LateError struct{ Err error }

func (e *LateError) Error() string {
	return "it would have had to wait for longer than what it rests on may be old: " + e.Err.Error()
}

// Unwrap returns what the request would have had to wait for.
func (e *LateError) Unwrap() error { return e.Err }

// NotSent is true: GitHub did nothing.
func (*LateError) NotSent() bool { return true }
