// Package sendby carries in a context until when a request may be sent, and what may
// still forbid it. A deletion rests on what was read right before it, and on nobody
// having stopped the run: when it has to wait for its turn or for GitHub's limits,
// both have to be looked at again before it is sent.
package sendby

import (
	"context"
	"time"
)

type (
	timeKey   struct{}
	unlessKey struct{}
)

// In is a context whose requests are not sent after t, however long their turn or
// GitHub's limits have them wait. What waits asks for it; a deadline would also cut
// off an answer.
func In(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, timeKey{}, t)
}

// Of is the time until when the requests of a context may be sent, if there is one.
func Of(ctx context.Context) (t time.Time, ok bool) {
	t, ok = ctx.Value(timeKey{}).(time.Time)
	return t, ok
}

// Unless is a context whose requests are not sent any more after a wait when stop
// returns an error, such as that of a kill switch.
func Unless(ctx context.Context, stop func(context.Context) error) context.Context {
	return context.WithValue(ctx, unlessKey{}, stop)
}

// Stopped asks what Unless has put into the context, if anything. Its error is a
// *StoppedError.
func Stopped(ctx context.Context) error {
	stop, ok := ctx.Value(unlessKey{}).(func(context.Context) error)
	if !ok || stop == nil {
		return nil
	}
	if err := stop(ctx); err != nil {
		return &StoppedError{err}
	}
	return nil
}

// Age is how long ago then was. The clock that Go measures by stands still while the
// machine sleeps, and the one on the wall can be set: the longer of both counts.
func Age(now, then time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)))
}

// StoppedError says that a request was not sent, since it was forbidden while it
// waited. It wraps the reason.
type StoppedError struct{ Err error }

// Error says so, with the reason.
func (e *StoppedError) Error() string { return "stopped before it was sent: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *StoppedError) Unwrap() error { return e.Err }

// NotSent is true: GitHub did nothing.
func (*StoppedError) NotSent() bool { return true }

// LateError says that a request was not sent, since its turn comes after its time.
// It wraps what the request would have had to wait for.
type LateError struct{ Err error }

// Error says so, with what it would have had to wait for.
func (e *LateError) Error() string {
	return "not sent, since the wait would be longer than what it rests on may be old: " + e.Err.Error()
}

// Unwrap returns what the request would have had to wait for.
func (e *LateError) Unwrap() error { return e.Err }

// NotSent is true: GitHub did nothing.
func (*LateError) NotSent() bool { return true }
