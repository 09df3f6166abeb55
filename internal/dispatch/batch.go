package dispatch

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Failures is the answer to a batch: what SQS has to hand over again, or to the
// dead-letter queue.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
type Failures struct {
	Items []Failure `json:"batchItemFailures"`
}

// Failure names one message.
type Failure struct {
	ID string `json:"itemIdentifier"`
}

// batch works a batch: groups side by side, the messages of one group one after
// the other. Failures are in the batch's order.
func (d *Dispatcher) batch(ctx context.Context, batch []message) Failures {
	groups := map[string][]int{}
	for i, m := range batch {
		groups[m.group()] = append(groups[m.group()], i)
	}
	failed := make([]bool, len(batch))
	var all sync.WaitGroup
	for _, at := range groups {
		all.Go(func() { d.group(ctx, batch, at, failed) })
	}
	all.Wait()
	out := Failures{Items: []Failure{}}
	for i, m := range batch {
		if failed[i] {
			out.Items = append(out.Items, Failure{m.MessageID})
		}
	}
	return out
}

// group works one group's messages in order. A body that can't be read fails
// alone: it will never be readable, and what comes behind it does not depend on
// it. An item that fails for an unknown reason fails those behind it too, so that
// their order stays.
func (d *Dispatcher) group(ctx context.Context, batch []message, at []int, failed []bool) {
	holder := "the queue, " + d.NewID()
	for n, i := range at {
		m := batch[i]
		item, err := retention.DecodeWorkItem([]byte(m.Body))
		if err == nil && item.GroupID() != m.group() {
			err = fmt.Errorf("it is of %s, but was sent with the group %.120q", item.Owner, m.group())
		}
		if err != nil {
			failed[i] = true
			d.Log.ErrorContext(ctx, "message refused; it goes to the dead-letter queue", "message", m.MessageID, "error", err)
			continue
		}
		if err := d.item(ctx, item, holder); err != nil {
			d.Log.ErrorContext(ctx, "item failed; the queue hands it over again", "message", m.MessageID, "kind", string(item.Kind),
				"owner", item.Owner, "package", item.Name, "run", item.Run, "behind_it", len(at)-n-1, "error", err)
			for _, rest := range at[n:] {
				failed[rest] = true
			}
			return
		}
	}
}

// item works one item while the owner is held.
func (d *Dispatcher) item(ctx context.Context, item retention.WorkItem, holder string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.Log.ErrorContext(ctx, "panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if item.Revision != d.Revision && item.Revision != "" && d.Revision != "" {
		return d.putOff(ctx, item, fmt.Sprintf("it was sent by revision %s, this is %s: deploy both functions together", item.Revision, d.Revision))
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(d.Now()) < d.Needs {
		return d.putOff(ctx, item, "too little time is left of this invocation")
	}
	err = d.Locks.Hold(ctx, item.Owner, holder, d.deadline(ctx))
	if d.IsHeld(err) {
		return d.putOff(ctx, item, err.Error())
	}
	if err != nil {
		return err
	}
	defer func() {
		// An owner that can't be given back is free again when this invocation is over.
		if rerr := d.Locks.Release(context.WithoutCancel(ctx), item.Owner, holder); rerr != nil {
			d.Log.WarnContext(ctx, "the owner could not be given back", "owner", item.Owner, "error", rerr)
		}
	}()
	return d.Worker.Handle(ctx, item)
}

// putOff keeps an item for the tick, which sends it as this build's own.
func (d *Dispatcher) putOff(ctx context.Context, item retention.WorkItem, why string) error {
	d.PutOff(item.Owner)
	d.Log.WarnContext(ctx, "put off until the next tick", "kind", string(item.Kind), "owner", item.Owner, "package", item.Name, "run", item.Run, "reason", why)
	item.Revision = ""
	return d.Worker.PutOff(ctx, item)
}
