package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Worker works items of the queue. *sweep.Engine is one.
type Worker interface {
	Handle(ctx context.Context, item retention.WorkItem) error
	// PutOff keeps an item for the tick to send again.
	PutOff(ctx context.Context, item retention.WorkItem) error
}

// Config is what a Dispatcher is made of. All of it is required but Revision,
// PutOff and Needs.
type Config struct {
	Holder
	Worker   Worker
	Tick     func(ctx context.Context) error
	Commands map[string]func(ctx context.Context, c Command) (any, error)
	Log      *slog.Logger
	Revision string // of this build; items of another are put off
	PutOff   func(owner string)
	// Needs is how much of the invocation has to be left for an item to be begun:
	// what is begun at the end would be cut short. 0 means 45 s.
	Needs time.Duration
}

const defaultNeeds = 45 * time.Second

// Dispatcher answers events. It is safe for concurrent use.
type Dispatcher struct{ Config }

// New checks the configuration and names what is missing.
func New(c Config) (*Dispatcher, error) {
	for _, part := range []struct {
		name    string
		missing bool
	}{
		{"Worker", c.Worker == nil}, {"Locks", c.Locks == nil}, {"IsHeld", c.IsHeld == nil}, {"Tick", c.Tick == nil},
		{"Log", c.Log == nil}, {"Now", c.Now == nil}, {"NewID", c.NewID == nil},
	} {
		if part.missing {
			return nil, fmt.Errorf("dispatcher: %s is missing", part.name)
		}
	}
	if c.Needs == 0 {
		c.Needs = defaultNeeds
	}
	if c.PutOff == nil {
		c.PutOff = func(string) {}
	}
	return &Dispatcher{c}, nil
}

// Invoke answers one event: a batch with the items that failed, a command with
// what it found. Its error fails the invocation.
func (d *Dispatcher) Invoke(ctx context.Context, raw json.RawMessage) (any, error) {
	ev, err := decode(raw)
	if err != nil {
		d.Log.ErrorContext(ctx, "event refused", "error", err)
		return nil, err
	}
	if ev.batch != nil {
		return d.batch(ctx, ev.batch), nil
	}
	return d.run(ctx, ev.command)
}

// answer of the schedule.
type ticked struct {
	Kind string `json:"kind"`
	OK   bool   `json:"ok"`
}

func (d *Dispatcher) run(ctx context.Context, c Command) (any, error) {
	if c.Kind == KindTick {
		if err := d.Tick(ctx); err != nil {
			d.Log.ErrorContext(ctx, "tick failed; the next one tries again", "error", err)
			return nil, fmt.Errorf("tick: %w", err)
		}
		return ticked{KindTick, true}, nil
	}
	do, ok := d.Commands[c.Kind]
	if !ok {
		return nil, fmt.Errorf(`there is no command %.40q; {"kind":"help"} lists them`, c.Kind)
	}
	d.Log.InfoContext(ctx, "command", "kind", c.Kind, "owner", c.Owner, "run", c.Run, "reason", c.Reason)
	out, err := do(ctx, c)
	if err != nil {
		d.Log.WarnContext(ctx, "command failed", "kind", c.Kind, "owner", c.Owner, "run", c.Run, "error", err)
	}
	return out, err
}
