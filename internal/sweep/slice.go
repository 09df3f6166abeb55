package sweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// counter counts how far a slice has come.
type counter struct{ n atomic.Int64 }

func (*counter) Start(string, int) {}
func (c *counter) Add(n int)       { c.n.Add(int64(n)) }
func (*counter) Done()             {}

// sweep works one slice, unless the item is late, repeated or too early.
func (w *worker) sweep(ctx context.Context, item retention.WorkItem) error {
	if ok, err := w.takes(ctx, item); err != nil || !ok {
		return err
	}
	if err := w.stop(time.Time{})(ctx); err != nil {
		return w.later(ctx, err)
	}
	if w.Now().Before(w.state.PausedUntil) {
		return nil // the tick resumes it
	}
	w.state.PausedUntil, w.state.Note = time.Time{}, ""
	length := w.Slice << min(w.state.Stalls, maxStalls)
	end := w.Now().Add(length)
	if d, ok := ctx.Deadline(); ok && d.Add(-w.margin()).Before(end) {
		end = d.Add(-w.margin())
	}
	// The end is asked for between steps, so that no call is cut short; this
	// cuts short what hangs.
	sctx, cancel := context.WithTimeout(ctx, length+w.margin())
	defer cancel()
	count := &counter{}
	err := w.slice(sctx, end, count)
	if err != nil && ctx.Err() == nil && sctx.Err() != nil {
		err = errSlice
	}
	n := int(count.n.Load())
	if err == nil {
		return w.keep(ctx)
	}
	if n > w.state.Progress {
		w.state.Progress, w.state.Stalls = n, 0
	} else if errors.Is(err, errSlice) {
		w.state.Stalls++
	}
	return w.later(ctx, err)
}

// takes reports whether the item is the sweep's next slice, or begins a new one.
func (w *worker) takes(ctx context.Context, item retention.WorkItem) (bool, error) {
	s := &w.state
	cursor := 0
	if item.Cursor != "" {
		n, err := strconv.Atoi(item.Cursor)
		if err != nil {
			return false, fmt.Errorf("cursor %.40q is no number", item.Cursor)
		}
		cursor = n
	}
	switch {
	case s.Unfinished() && item.Run == s.Run && cursor == s.Cursor:
		return true, nil
	case s.Unfinished() || item.Run <= s.Run || cursor != 0:
		w.log.DebugContext(ctx, "ignored: late or repeated", "run", item.Run, "cursor", item.Cursor)
		return false, nil
	}
	w.begin(item.Run)
	w.observe(Event{Kind: Began})
	w.log.InfoContext(ctx, "sweep begins", "run", s.Run)
	return true, w.keep(ctx)
}

func (w *worker) begin(run string) {
	w.state = State{
		Run: run, Phase: Planning, StartedAt: w.Now().UTC(),
		PausedUntil: w.state.PausedUntil, PausedSince: w.state.PausedSince, PausedEnd: w.state.PausedEnd,
		Deferred: w.state.Deferred, Attempts: w.state.Attempts,
	}
}

// slice plans and applies until the sweep is finished or an error says why not.
func (w *worker) slice(ctx context.Context, end time.Time, count *counter) error {
	t, err := w.Connect(ctx, w.owner)
	if err != nil {
		return err
	}
	enforcer := *w.Enforcer
	enforcer.Progress = count
	if w.state.Phase == Planning {
		if err := w.plan(ctx, &enforcer, t, end); err != nil || !w.state.Unfinished() {
			return err
		}
		w.state.Progress, w.state.Stalls = 0, 0
		count.n.Store(0)
	}
	return w.apply(ctx, &enforcer, t, end)
}

// plan plans the owner and keeps the plan. Where there is nothing to do the sweep
// is done with that.
func (w *worker) plan(ctx context.Context, enforcer *enforce.Enforcer, t enforce.Target, end time.Time) error {
	p, err := enforcer.Plan(ctx, enforce.PlanRequest{
		Targets: []enforce.Target{t}, Judge: w.judge, Bundle: w.bundle, Trigger: retention.Trigger{Kind: retention.TriggerSchedule},
		ID: w.state.Run, Since: w.state.StartedAt, Stop: w.stop(end),
	})
	if err != nil {
		return err
	}
	if err := w.record(ctx, p); err != nil {
		return err
	}
	s := p.Summary()
	if t.Mode == retention.Enforce && s.Delete+s.Restore+s.Held > 0 {
		// Also when all of it is held: a person may apply it.
		if err := w.savePlan(ctx, p); err != nil {
			return err
		}
	}
	if t.Mode != retention.Enforce || s.Delete+s.Restore == 0 {
		// Intents that an earlier interruption left are closed by each run; here
		// there is none.
		if err := enforcer.Reconcile(ctx, t); err != nil {
			return err
		}
		note := "nothing to do"
		if t.Mode == retention.Enforce && s.Held > 0 {
			note = "all of it is held; a person can look at the plan and apply it"
		}
		w.finish(ctx, Done, note)
		return nil
	}
	w.state.Phase = Applying
	return w.keep(ctx)
}

func (w *worker) savePlan(ctx context.Context, p guard.Plan) error {
	var sealed bytes.Buffer
	if err := p.Seal(ctx, &sealed, w.Sealer); err != nil {
		return err
	}
	return w.Plans.SavePlan(ctx, w.owner.Login, p.ID(), sealed.Bytes())
}

// apply carries the kept plan out, or what is left of it.
func (w *worker) apply(ctx context.Context, enforcer *enforce.Enforcer, t enforce.Target, end time.Time) error {
	sealed, ok, err := w.Plans.LoadPlan(ctx, w.owner.Login, w.state.Run)
	if err != nil {
		return err
	}
	if !ok {
		return w.again(ctx, "its plan is not there any more")
	}
	p, err := guard.Open(ctx, bytes.NewReader(sealed), w.Sealer, w.Now())
	if errors.Is(err, guard.ErrExpired) {
		return w.again(ctx, err.Error())
	}
	if err != nil {
		return err
	}
	res, err := enforcer.Apply(ctx, enforce.ApplyRequest{
		Plan: p, Targets: []enforce.Target{t}, Judge: w.judge, Bundle: w.bundle, Stop: w.stop(end),
	})
	switch {
	case errors.Is(err, enforce.ErrApplied):
		w.finish(ctx, Done, "applied before")
		return nil
	case errors.Is(err, enforce.ErrPolicies):
		return w.again(ctx, err.Error())
	case err != nil:
		return err
	case res.StoppedBy != nil:
		return res.StoppedBy
	}
	w.observe(Event{Kind: RunEnded, Result: res})
	w.logResult(ctx, res)
	note := "applied"
	if !res.Clean() {
		note = "applied, with refusals or failures; shelflife show " + res.Run + " lists them"
	}
	w.finish(ctx, Done, note)
	return nil
}

func (w *worker) finish(ctx context.Context, phase Phase, note string) {
	w.state.Phase, w.state.Note, w.state.Failures = phase, note, 0
	w.observe(Event{Kind: Ended})
	w.log.InfoContext(ctx, "sweep ends", "run", w.state.Run, "phase", string(phase), "note", note, "slices", w.state.Cursor+1)
}

// again starts the sweep over, with a run of its own: a plan is done exactly or
// not at all.
func (w *worker) again(ctx context.Context, why string) error {
	old := w.state.Run
	run := runID(w.owner.Login, w.Now())
	if run <= old {
		return fmt.Errorf("the plan can't be carried out (%s), and the clock stands before the sweep's beginning; the next sweep starts over", why)
	}
	w.begin(run)
	w.log.WarnContext(ctx, "sweep starts over", "run", run, "instead_of", old, "reason", why)
	return errSlice
}
