// Package operator answers what a person asks of the enforcer function by invoking
// it directly: how things stand, stop and go on, look at a run, apply a plan that
// an alarm holds, undo a run, prove the ledger whole.
//
// It does nothing that the command line could not: plans are applied exactly,
// guards hold, and an undo restores only. What changes something on GitHub runs
// while nobody else works on the owner.
package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/dispatch"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// States tells where sweeps stand. *sweep.Engine is one.
type States interface {
	State(ctx context.Context, owner string) (sweep.State, bool, error)
}

// Switch is the kill switch.
type Switch interface {
	sweep.Switch
	Set(ctx context.Context, on bool, reason string) error
}

// Config is what an Operator is made of. All of it is required.
type Config struct {
	Owners   []config.Owner
	Mode     func(login string) retention.Mode // with the cap of the deployment
	Limits   func(login string) retention.Limits
	Connect  func(ctx context.Context, o config.Owner) (enforce.Target, error)
	Enforcer *enforce.Enforcer
	Ledger   *ledger.Ledger
	Judge    enforce.Judge
	Bundle   guard.Bundle
	Sealer   guard.Sealer
	Plans    sweep.Plans
	Record   func(ctx context.Context, p guard.Plan) error
	States   States
	Switch   Switch
	// Exclusive runs f while nobody else works on the owner.
	Exclusive func(ctx context.Context, owner string, f func(ctx context.Context) (any, error)) (any, error)
	// Observe hears of runs that a command has ended.
	Observe  func(e sweep.Event)
	Now      func() time.Time
	Revision string
}

// Operator answers commands. It is safe for concurrent use.
type Operator struct{ c Config }

// New returns an operator. It makes no call.
func New(c Config) *Operator { return &Operator{c} }

// Commands are the commands by their kind.
func (o *Operator) Commands() map[string]func(context.Context, dispatch.Command) (any, error) {
	return map[string]func(context.Context, dispatch.Command) (any, error){
		"help": o.help, "status": o.status, "pause": o.pause, "resume": o.resume,
		"show": o.show, "verify": o.verify, "plan": o.plan, "apply": o.apply, "undo": o.undo,
	}
}

func (o *Operator) help(context.Context, dispatch.Command) (any, error) {
	return map[string]string{
		"tick":   `{"kind":"tick"}: what the schedule does`,
		"status": `{"kind":"status"}: switch, sweeps, pauses and budgets of all owners`,
		"pause":  `{"kind":"pause","reason":"incident 12"}: stop all work before its next call`,
		"resume": `{"kind":"resume"}: go on`,
		"plan":   `{"kind":"plan","owner":"acme"}: plan now, keep the plan and show what it would do`,
		"apply":  `{"kind":"apply","owner":"acme","run":"…"}: carry out a kept plan, with what an alarm holds`,
		"undo":   `{"kind":"undo","owner":"acme","run":"…"}: restore what a run deleted; works while paused`,
		"show":   `{"kind":"show","owner":"acme","run":"…"}: a run and its items`,
		"verify": `{"kind":"verify"}: prove the ledger of all owners whole, or of one with "owner"`,
	}, nil
}

// owner finds the configured owner that a command names.
func (o *Operator) owner(c dispatch.Command) (config.Owner, error) {
	if c.Owner == "" {
		return config.Owner{}, fmt.Errorf(`%s needs an owner: {"kind":%q,"owner":"…"}`, c.Kind, c.Kind)
	}
	found, ok := config.Config{Owners: o.c.Owners}.Owner(c.Owner)
	if !ok {
		return config.Owner{}, fmt.Errorf("owner %.100q is not configured, and no other owner is touched", c.Owner)
	}
	return found, nil
}

func needRun(c dispatch.Command) error {
	if c.Run == "" {
		return fmt.Errorf(`%s needs a run: {"kind":%q,"owner":%q,"run":"…"}; {"kind":"status"} shows the last ones`, c.Kind, c.Kind, c.Owner)
	}
	return nil
}

// switched is the answer to pause and resume.
type switched struct {
	Paused bool   `json:"paused"`
	Reason string `json:"reason,omitempty"`
}

func (o *Operator) pause(ctx context.Context, c dispatch.Command) (any, error) {
	if err := o.c.Switch.Set(ctx, true, c.Reason); err != nil {
		return nil, err
	}
	return switched{true, c.Reason}, nil
}

func (o *Operator) resume(ctx context.Context, _ dispatch.Command) (any, error) {
	if err := o.c.Switch.Set(ctx, false, ""); err != nil {
		return nil, err
	}
	on, why := o.c.Switch.Paused(ctx)
	return switched{on, why}, nil
}

// actor is what the ledger says of runs that a command starts.
const actor = "a command to the enforcer function"

func (o *Operator) enforcer() *enforce.Enforcer {
	e := *o.c.Enforcer
	e.Actor, e.Progress = actor, enforce.Silent{}
	return &e
}

// errSwitched refuses what deletes while the kill switch is on.
var errSwitched = errors.New(`the kill switch is on; {"kind":"resume"} first`)

// stop is asked before each call of a plan and an apply.
func (o *Operator) stop(ctx context.Context) error {
	if on, why := o.c.Switch.Paused(ctx); on {
		return fmt.Errorf("%w (%s)", errSwitched, why)
	}
	return o.timeLeft(ctx)
}

// margin is how much of the invocation is left for recording what was done.
const margin = 30 * time.Second

var errTime = errors.New("the time of this invocation is over; send the same command again to go on")

func (o *Operator) timeLeft(ctx context.Context) error {
	if d, ok := ctx.Deadline(); ok && d.Sub(o.c.Now()) < margin {
		return errTime
	}
	return ctx.Err()
}
