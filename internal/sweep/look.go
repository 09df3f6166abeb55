package sweep

import (
	"context"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// look reads the package that a webhook names, plans it alone, and carries the
// plan out at once where the owner is enforced.
func (w *worker) look(ctx context.Context, item retention.WorkItem) error {
	if err := w.stop(time.Time{})(ctx); err != nil {
		return w.laterPackage(ctx, item, err)
	}
	if w.Now().Before(w.state.PausedUntil) {
		return w.putOff(ctx, item)
	}
	log := w.log.With("package_type", string(item.Type), "package", item.Name)
	if !w.owner.Matches(item.Name) || !w.owner.Covers(item.Type) {
		log.InfoContext(ctx, "ignored: the package is not looked after")
		return w.settled(ctx, item)
	}
	t, err := w.Connect(ctx, w.owner)
	if err != nil {
		return w.laterPackage(ctx, item, err)
	}
	enforcer := *w.Enforcer
	enforcer.Progress = &counter{}
	p, err := enforcer.PlanPackage(ctx, enforce.PackageRequest{
		Target: t, Judge: w.judge, Bundle: w.bundle, Trigger: item.Trigger, Type: item.Type, Name: item.Name, OwnerVersions: w.versions(),
	})
	if packages.IsNotFound(err) {
		log.InfoContext(ctx, "ignored: the package is not visible any more")
		return w.settled(ctx, item)
	}
	if err != nil {
		return w.laterPackage(ctx, item, err)
	}
	if err := w.record(ctx, p); err != nil {
		return err
	}
	if t.Mode == retention.Enforce && slices.ContainsFunc(p.Items(), func(it retention.Item) bool { return it.Status == retention.StatusPlanned }) {
		res, err := enforcer.Apply(ctx, enforce.ApplyRequest{
			Plan: p, Targets: []enforce.Target{t}, Judge: w.judge, Bundle: w.bundle, Stop: w.stop(time.Time{}),
		})
		if err == nil {
			w.logResult(ctx, res)
			err = res.StoppedBy
		}
		if err == nil {
			w.observe(Event{Kind: RunEnded, Result: res})
		}
		if err != nil {
			return w.laterPackage(ctx, item, err)
		}
	}
	return w.settled(ctx, item)
}

func (w *worker) versions() func(context.Context) (int, error) {
	if w.OwnerVersions == nil {
		return nil
	}
	return func(ctx context.Context) (int, error) { return w.OwnerVersions(ctx, w.owner.Login) }
}

// PutOff keeps a package item for the tick to send again, without a look at it.
// What it can't keep the next sweep looks at. A sweep item needs no keeping: the
// tick sends its next slice.
func (e *Engine) PutOff(ctx context.Context, item retention.WorkItem) error {
	o, ok := e.owner(item.Owner)
	if !ok || item.Kind != retention.WorkPackage {
		return nil
	}
	unlock, err := e.lock(ctx, o.Login)
	if err != nil {
		return err
	}
	defer unlock()
	w := &worker{Engine: e, owner: o, log: e.Log.With("owner", o.Login)}
	if _, err := w.load(ctx); err != nil {
		return err
	}
	return w.putOff(ctx, item)
}

// Retry keeps a package item that Handle failed on, for the tick to send again: for
// queues that don't deliver again by themselves. After five attempts it is given
// up, and kept is false.
func (e *Engine) Retry(ctx context.Context, item retention.WorkItem) (kept bool, err error) {
	o, ok := e.owner(item.Owner)
	if !ok || item.Kind != retention.WorkPackage {
		return false, nil
	}
	unlock, err := e.lock(ctx, o.Login)
	if err != nil {
		return false, err
	}
	defer unlock()
	w := &worker{Engine: e, owner: o, log: e.Log.With("owner", o.Login)}
	if _, err := w.load(ctx); err != nil {
		return false, err
	}
	if w.state.Attempts == nil {
		w.state.Attempts = map[string]int{}
	}
	id := item.DeduplicationID()
	if w.state.Attempts[id]++; w.state.Attempts[id] >= maxAttempts {
		return false, w.settled(ctx, item)
	}
	return true, w.putOff(ctx, item)
}
