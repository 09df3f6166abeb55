package sweep

import (
	"context"
	"errors"
	"time"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// minPause is how long an owner is left alone at least after a rate limit, so
// that a limit without a time does not lead to asking again and again.
const minPause = time.Minute

// samePause is how soon after a pause the next one belongs to it: little was done
// between them.
const samePause = 15 * time.Minute

// pausedUntil reports whether err is a rate limit, and until when.
func pausedUntil(err error) (time.Time, bool) {
	if t, ok := packages.RateLimitedUntil(err); ok {
		return t, true
	}
	if p, ok := errors.AsType[interface {
		error
		RetryAt() time.Time
	}](err); ok {
		return p.RetryAt(), true
	}
	return time.Time{}, false
}

// pause notes a rate limit; false means that err is none.
func (w *worker) pause(ctx context.Context, err error) bool {
	until, ok := pausedUntil(err)
	if !ok {
		return false
	}
	if least := w.Now().Add(minPause); until.Before(least) {
		until = least
	}
	if w.Now().Sub(w.state.PausedEnd) > samePause {
		w.state.PausedSince = w.Now().UTC()
	}
	w.state.PausedUntil, w.state.PausedEnd, w.state.Note = until.UTC(), until.UTC(), err.Error()
	w.log.WarnContext(ctx, "GitHub asks to wait", "until", until.UTC(), "reason", err.Error())
	return true
}

// later is the end of a slice that has not finished its work: it notes why and
// sees to it that the work goes on. Only what is not understood is an error.
//
// The cursor counts up whenever the item is done with, so that the next one has
// a deduplication id that the queue has not seen.
func (w *worker) later(ctx context.Context, err error) error {
	s := &w.state
	var off *switchedError
	switch {
	case errors.Is(err, errSlice):
		s.Cursor, s.Failures = s.Cursor+1, 0
		if err := w.keep(ctx); err != nil {
			return err
		}
		w.log.InfoContext(ctx, "slice ends", "run", s.Run, "phase", string(s.Phase), "progress", s.Progress, "next", s.Cursor)
		if err := w.Queue.Send(context.WithoutCancel(ctx), w.item(w.owner, *s)); err != nil {
			w.observe(Event{Kind: QueueFailed})
			w.log.WarnContext(ctx, "the next slice could not be queued; the tick sends it", "run", s.Run, "error", err.Error())
		}
		return nil
	case errors.As(err, &off):
		s.Note = off.Error()
		w.log.WarnContext(ctx, "stopped", "run", s.Run, "reason", off.why)
	case w.pause(ctx, err):
	case ctx.Err() != nil:
		return err // the process is being stopped; the item comes again
	default:
		return w.fail(ctx, err)
	}
	s.Cursor++
	return w.keep(ctx)
}

// fail counts a failure, and gives an unfinished sweep up after a few.
func (w *worker) fail(ctx context.Context, err error) error {
	if !w.state.Unfinished() {
		return err
	}
	w.state.Failures++
	w.state.Note = err.Error()
	if w.state.Failures >= maxFailures {
		w.log.ErrorContext(ctx, "the sweep is given up until the next one is due", "run", w.state.Run, "failures", w.state.Failures, "error", err.Error())
		w.state.Phase = Failed
		w.observe(Event{Kind: GivenUp})
	}
	return errors.Join(err, w.keep(ctx))
}

// laterPackage is the same for a package item.
func (w *worker) laterPackage(ctx context.Context, item retention.WorkItem, err error) error {
	var off *switchedError
	if errors.As(err, &off) {
		w.log.WarnContext(ctx, "put off", "package", item.Ref().String(), "reason", off.why)
		return w.putOff(ctx, item)
	}
	if w.pause(ctx, err) {
		return w.putOff(ctx, item)
	}
	return err
}
