package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/decisions"
	"github.com/shelflife-dev/shelflife/internal/fifo"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory/s3snap"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/metrics"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// counter writes figures; one that can't be written is no reason to stop the work.
type counter struct {
	*metrics.Emitter
	log *slog.Logger
}

func (c counter) count(owner string, figures ...metrics.Metric) {
	if err := c.Emit(owner, figures...); err != nil {
		c.log.Warn("metrics could not be written", "error", err)
	}
}

// event makes figures of what the engine reports.
func (c counter) event(e sweep.Event) {
	switch e.Kind {
	case sweep.Began:
		c.count(e.Owner, metrics.Of(metrics.SweepsStarted, 1))
	case sweep.Ended:
		c.count(e.Owner, metrics.Of(metrics.SweepsFinished, 1))
	case sweep.GivenUp:
		c.count(e.Owner, metrics.Of(metrics.SweepsFailed, 1))
	case sweep.PlanMade:
		c.count(e.Owner, metrics.Of(metrics.Held, e.Summary.Held))
	case sweep.RunEnded:
		c.count(e.Owner, outcomes(e.Result.Items)...)
	}
}

// outcomes counts what became of a run's items.
func outcomes(items []retention.Item) []metrics.Metric {
	names := map[retention.Outcome]string{
		retention.OutcomeGone: metrics.Gone, retention.OutcomeBlocked: metrics.Blocked, retention.OutcomeChanged: metrics.Changed,
		retention.OutcomeFailed: metrics.Failed, retention.OutcomeUnknown: metrics.Unknown,
	}
	counts := map[string]int{}
	for _, it := range items {
		switch {
		case it.Outcome == retention.OutcomeDone && it.Action == retention.Restore:
			counts[metrics.Restored]++
		case it.Outcome == retention.OutcomeDone:
			counts[metrics.Deleted]++
		default:
			counts[names[it.Outcome]]++
		}
	}
	var out []metrics.Metric
	for _, name := range []string{metrics.Deleted, metrics.Restored, metrics.Gone, metrics.Blocked, metrics.Changed, metrics.Failed, metrics.Unknown} {
		out = append(out, metrics.Of(name, counts[name]))
	}
	return out
}

// counted is a queue that counts what could not be queued.
type counted struct {
	*fifo.Queue
	counter counter
}

// Send queues an item.
func (q counted) Send(ctx context.Context, item retention.WorkItem) error {
	err := q.Queue.Send(ctx, item)
	if err != nil {
		q.counter.count(item.Owner, metrics.Of(metrics.QueuePutFailures, 1))
	}
	return err
}

// measured is the engine with the calls of each item counted.
type measured struct {
	*sweep.Engine
	parts *parts
}

// Handle works an item.
func (m measured) Handle(ctx context.Context, item retention.WorkItem) error {
	before := m.calls(item.Owner)
	err := m.Engine.Handle(ctx, item)
	after := m.calls(item.Owner)
	m.parts.counter.count(item.Owner, metrics.Of(metrics.RESTCalls, after.REST-before.REST),
		metrics.Of(metrics.RegistryCalls, after.Registry-before.Registry), metrics.Of(metrics.CallsSaved, after.Saved-before.Saved))
	return err
}

// calls are those of an owner so far.
func (m measured) calls(login string) guard.Calls {
	o, ok := m.parts.settings.Config.Owner(login)
	if !ok {
		return guard.Calls{}
	}
	return m.parts.owners.calls(o)
}

func (o *owners) calls(owner config.Owner) guard.Calls {
	c := o.connection(owner.Login)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.access == nil {
		return guard.Calls{}
	}
	total, now := c.before, c.access.Calls()
	return guard.Calls{REST: total.REST + now.REST, Registry: total.Registry + now.Registry, Saved: total.Saved + now.Saved}
}

// record keeps the decisions of a plan, before anything of it is done.
func (p *parts) record(ctx context.Context, plan guard.Plan) error {
	for _, o := range plan.Owners() {
		log := s3snap.Log{Owner: o.Login, Run: plan.ID(), At: plan.CreatedAt()}
		_, err := s3snap.SaveDecisions(ctx, p.bucket, log, func(yield func(decisions.Row, error) bool) {
			for row := range decisions.Rows(plan) {
				if retention.SameLogin(row.Owner, o.Login) && !yield(row, nil) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// killSwitch is the one in the table.
type killSwitch struct{ *dynamodb.Table }

// Set turns it.
func (k killSwitch) Set(ctx context.Context, on bool, reason string) error {
	_, err := k.SetSwitch(ctx, on, reason)
	return err
}

// since is when it was turned on; zero when it is off.
func (k killSwitch) since(ctx context.Context) (time.Time, error) {
	s, err := k.Switch(ctx)
	if err != nil || !s.On {
		return time.Time{}, err
	}
	return s.At, nil
}

func isHeld(err error) bool {
	_, held := errors.AsType[*dynamodb.HeldError](err)
	return held
}
