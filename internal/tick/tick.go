// Package tick is what the schedule does every few minutes: it has the engine send
// what is due, has failed webhook deliveries sent again, and says in figures how
// each owner stands. The heartbeat at its end is what an alarm listens for.
//
// It works no item itself and changes nothing on GitHub but asking for deliveries.
package tick

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/metrics"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// Engine starts and resumes. *sweep.Engine is one.
type Engine interface {
	Tick(ctx context.Context, now time.Time) error
	State(ctx context.Context, owner string) (sweep.State, bool, error)
}

// Ledger tells what is spent and what is open. *ledger.Ledger is one.
type Ledger interface {
	Used(ctx context.Context, owner, run string) (ledger.Used, error)
	Open(ctx context.Context, owner string) ([]ledger.Action, error)
	Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error)
}

// Ticker does a tick. All fields are required but Redeliver.
type Ticker struct {
	Owners  []config.Owner
	Limits  func(login string) retention.Limits
	Engine  Engine
	Ledger  Ledger
	Metrics *metrics.Emitter
	// PausedSince is when the kill switch was turned on; zero when it is off.
	PausedSince func(ctx context.Context) (time.Time, error)
	// Redeliver asks GitHub for deliveries that failed, and says how many.
	Redeliver func(ctx context.Context) (int, error)
	Now       func() time.Time
	Log       *slog.Logger
}

// Tick does one. An owner whose figures can't be had, or a delivery that can't be
// asked for, does not keep the others from their work.
func (t *Ticker) Tick(ctx context.Context) error {
	errs := []error{t.Engine.Tick(ctx, t.Now())}
	since, err := t.PausedSince(ctx)
	errs = append(errs, err)
	for _, o := range t.Owners {
		if err := t.figures(ctx, o, since); err != nil {
			errs = append(errs, fmt.Errorf("figures of %s: %w", o.Login, err))
		}
	}
	errs = append(errs, t.redeliver(ctx, since))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return t.Metrics.Emit("", metrics.Of(metrics.Heartbeat, 1))
}

// redeliver is left out while the switch is on. Its failure is a figure of its
// own: sweeps see what a lost delivery would have announced.
func (t *Ticker) redeliver(ctx context.Context, paused time.Time) error {
	if t.Redeliver == nil || !paused.IsZero() {
		return nil
	}
	n, err := t.Redeliver(ctx)
	failed := 0
	if err != nil {
		failed = 1
		t.Log.WarnContext(ctx, "failed webhook deliveries could not be asked for again; the next tick tries", "error", err)
	}
	return t.Metrics.Emit("", metrics.Of(metrics.Redelivered, n), metrics.Of(metrics.RedeliverFailed, failed))
}

const (
	// lookBack is how long an unknown outcome is reported.
	lookBack = 24 * time.Hour
	// openAfter is when an intent without an outcome is past its time, as
	// enforce's reconciliation sees it.
	openAfter = time.Hour
	maxRuns   = 200
)

func (t *Ticker) figures(ctx context.Context, o config.Owner, switchedOff time.Time) error {
	now := t.Now()
	used, err := t.Ledger.Used(ctx, o.Login, "")
	if err != nil {
		return err
	}
	unknown, err := t.unknown(ctx, o.Login, now)
	if err != nil {
		return err
	}
	state, _, err := t.Engine.State(ctx, o.Login)
	if err != nil {
		return err
	}
	paused := state.PausedFor(now)
	if !switchedOff.IsZero() {
		paused = max(paused, now.Sub(switchedOff))
	}
	return t.Metrics.Emit(o.Login,
		metrics.Metric{Name: metrics.BudgetUsedPercent, Unit: metrics.Percent, Value: percent(used.Day, t.Limits(o.Login).DeletesPerDay)},
		metrics.Metric{Name: metrics.PausedSeconds, Unit: metrics.Seconds, Value: paused.Seconds()},
		metrics.Of(metrics.UnknownOutcomes, unknown))
}

// percent of a limit; of none at all it is 0, since zero means that nothing is
// deleted, not that something is amiss.
func percent(n, limit int) float64 {
	if limit <= 0 {
		return 0
	}
	return 100 * float64(n) / float64(limit)
}

func (t *Ticker) unknown(ctx context.Context, owner string, now time.Time) (int, error) {
	runs, err := t.Ledger.Runs(ctx, owner, maxRuns)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range runs {
		if now.Sub(r.StartedAt) <= lookBack {
			n += r.Outcomes[retention.OutcomeUnknown]
		}
	}
	open, err := t.Ledger.Open(ctx, owner)
	if err != nil {
		return 0, err
	}
	for _, a := range open {
		if now.Sub(a.At) > openAfter {
			n++
		}
	}
	return n, nil
}
