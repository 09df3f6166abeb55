package sweep

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// reconcilePrefix begins the run of a sweep item that only closes what an
// interruption left in the ledger.
const reconcilePrefix = "reconcile-"

// reconcileEvery spaces those items: within that time they have one id.
const reconcileEvery = 10 * time.Minute

// Tick sends the work that is due at now: sweeps by their owners' schedules,
// unfinished sweeps whose pause is over, package items that were put off, and
// the closing of abandoned intents. It makes no call to GitHub. Calling it often,
// or from two places, is harmless.
//
// An owner that is seen for the first time is swept when its schedule next says
// so. Of several times that were missed only one sweep is made up for.
func (e *Engine) Tick(ctx context.Context, now time.Time) error {
	if on, why := e.Switch.Paused(ctx); on {
		e.Log.WarnContext(ctx, "switched off: nothing is started", "reason", why)
		return nil
	}
	var errs []error
	for _, o := range e.Owners {
		if err := e.tick(ctx, o, now); err != nil {
			errs = append(errs, fmt.Errorf("tick for %s: %w", o.Login, err))
		}
	}
	return errors.Join(errs...)
}

func (e *Engine) tick(ctx context.Context, o config.Owner, now time.Time) error {
	s, ok, err := e.stateOf(ctx, o.Login)
	if err != nil {
		return err
	}
	if !ok && o.Schedule.IsZero() {
		return e.sendReconcile(ctx, o, now)
	}
	if !ok {
		return e.register(ctx, o, now)
	}
	if now.Before(s.PausedUntil) {
		return nil
	}
	for _, item := range s.Deferred {
		if err := e.Queue.Send(ctx, item); err != nil {
			return err
		}
	}
	if s.Unfinished() {
		return e.Queue.Send(ctx, e.item(o, s))
	}
	if due := o.Next(s.StartedAt); !due.IsZero() && !due.After(now) {
		return e.Queue.Send(ctx, retention.NewSweepWork(runID(o.Login, due), o.Login, "0"))
	}
	return e.sendReconcile(ctx, o, now)
}

// register notes an owner that is seen for the first time. A worker that holds
// the owner does so itself when it has something to note.
func (e *Engine) register(ctx context.Context, o config.Owner, now time.Time) error {
	unlock, ok := e.tryLock(o.Login)
	if !ok {
		return nil
	}
	defer unlock()
	if _, ok, err := e.stateOf(ctx, o.Login); ok || err != nil {
		return err
	}
	return e.save(ctx, o.Login, State{Phase: Waiting, StartedAt: now.UTC()})
}

// item asks for the next slice.
func (e *Engine) item(o config.Owner, s State) retention.WorkItem {
	return retention.NewSweepWork(s.Run, o.Login, strconv.Itoa(s.Cursor))
}

// sendReconcile asks for the closing of abandoned intents, where there are any.
// A sweep does that by itself.
func (e *Engine) sendReconcile(ctx context.Context, o config.Owner, now time.Time) error {
	left, err := e.Enforcer.Abandoned(ctx, o.Login)
	if err != nil || !left {
		return err
	}
	run := reconcilePrefix + now.UTC().Truncate(reconcileEvery).Format("20060102T150405Z")
	return e.Queue.Send(ctx, retention.NewSweepWork(run, o.Login, ""))
}

func (w *worker) reconcile(ctx context.Context) error {
	if err := w.stop(time.Time{})(ctx); err != nil {
		return w.later(ctx, err)
	}
	if w.Now().Before(w.state.PausedUntil) {
		return nil
	}
	t, err := w.Connect(ctx, w.owner)
	if err == nil {
		err = w.Enforcer.Reconcile(ctx, t)
	}
	if err != nil {
		return w.later(ctx, err)
	}
	w.log.InfoContext(ctx, "reconciled")
	return nil
}
