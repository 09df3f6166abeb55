package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/dispatch"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Status is how things stand.
type Status struct {
	Paused   bool          `json:"paused"` // by the kill switch
	Reason   string        `json:"reason,omitempty"`
	Revision string        `json:"revision"` // of the build
	Policies string        `json:"policies"` // digest of the policy set
	At       time.Time     `json:"at"`
	Owners   []OwnerStatus `json:"owners"`
}

// OwnerStatus is how one owner stands.
type OwnerStatus struct {
	Owner       string          `json:"owner"`
	Mode        retention.Mode  `json:"mode"`
	Phase       string          `json:"phase"` // of the last sweep
	Run         string          `json:"run,omitempty"`
	StartedAt   time.Time       `json:"started_at,omitzero"`
	UpdatedAt   time.Time       `json:"updated_at,omitzero"`
	NextAt      time.Time       `json:"next_at,omitzero"` // when the next sweep is due
	PausedUntil time.Time       `json:"paused_until,omitzero"`
	Note        string          `json:"note,omitempty"`
	Waiting     int             `json:"waiting"` // packages that were put off
	UsedToday   int             `json:"used_today"`
	PerDay      int             `json:"deletes_per_day"`
	Open        int             `json:"open"` // intents without an outcome
	Runs        []retention.Run `json:"runs"` // the last five
}

func (o *Operator) status(ctx context.Context, _ dispatch.Command) (any, error) {
	out := Status{Revision: o.c.Revision, Policies: o.c.Bundle.Digest, At: o.c.Now().UTC(), Owners: []OwnerStatus{}}
	out.Paused, out.Reason = o.c.Switch.Paused(ctx)
	for _, owner := range o.c.Owners {
		s, err := o.ownerStatus(ctx, owner)
		if err != nil {
			return nil, fmt.Errorf("status of %s: %w", owner.Login, err)
		}
		out.Owners = append(out.Owners, s)
	}
	return out, nil
}

func (o *Operator) ownerStatus(ctx context.Context, owner config.Owner) (OwnerStatus, error) {
	out := OwnerStatus{Owner: owner.Login, Mode: o.c.Mode(owner.Login), Phase: "none yet", PerDay: o.c.Limits(owner.Login).DeletesPerDay, Runs: []retention.Run{}}
	state, ok, err := o.c.States.State(ctx, owner.Login)
	if err != nil {
		return out, err
	}
	if ok {
		out.Phase, out.Run, out.StartedAt, out.UpdatedAt = string(state.Phase), state.Run, state.StartedAt, state.UpdatedAt
		out.NextAt, out.Note, out.Waiting = owner.Next(state.StartedAt).UTC(), state.Note, len(state.Deferred)
		if o.c.Now().Before(state.PausedUntil) {
			out.PausedUntil = state.PausedUntil
		}
	}
	used, err := o.c.Ledger.Used(ctx, owner.Login, "")
	if err != nil {
		return out, err
	}
	open, err := o.c.Ledger.Open(ctx, owner.Login)
	if err != nil {
		return out, err
	}
	runs, err := o.c.Ledger.Runs(ctx, owner.Login, 5)
	if err != nil {
		return out, err
	}
	out.UsedToday, out.Open, out.Runs = used.Day, len(open), append(out.Runs, runs...)
	return out, nil
}

// Shown is one run. Actions are cut at maxShown.
type Shown struct {
	Run     retention.Run   `json:"run"`
	Actions []ledger.Action `json:"actions"`
	More    int             `json:"more"` // actions that are not shown
}

// maxShown keeps an answer below the 6 MB that Lambda takes: an action is up to
// 40 KB, most are below 1 KB.
const (
	maxShown      = 1000
	maxShownBytes = 4 << 20
)

func (o *Operator) show(ctx context.Context, c dispatch.Command) (any, error) {
	owner, err := o.owner(c)
	if err == nil {
		err = needRun(c)
	}
	if err != nil {
		return nil, err
	}
	runs, err := o.c.Ledger.Run(ctx, c.Run)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(runs, func(r retention.Run) bool { return retention.SameLogin(r.Owner, owner.Login) })
	if at < 0 {
		return nil, fmt.Errorf("run %.100s of %s: %w", c.Run, owner.Login, enforce.ErrNoRun)
	}
	actions, err := o.c.Ledger.Actions(ctx, c.Run)
	if err != nil {
		return nil, err
	}
	out := Shown{Run: runs[at], Actions: []ledger.Action{}}
	size := 0
	for _, a := range actions {
		if !retention.SameLogin(a.Owner, owner.Login) {
			continue
		}
		if size += sizeOf(a); len(out.Actions) == maxShown || size > maxShownBytes {
			out.More++
			continue
		}
		out.Actions = append(out.Actions, a)
	}
	return out, nil
}

// sizeOf is about how long an action is as JSON.
func sizeOf(a ledger.Action) int {
	n := 500 + len(a.Package) + len(a.Version) + len(a.Detail)
	for _, t := range a.Tags {
		n += len(t) + 3
	}
	for _, r := range a.Rules {
		n += 100 + len(r.Policy) + len(r.Rule) + len(r.Reason)
	}
	return n
}

// verified is what became of one owner's chain.
type verified struct {
	Owner   string `json:"owner"`
	Whole   bool   `json:"whole"`
	Records int64  `json:"records"`
	Head    string `json:"head,omitempty"` // note it elsewhere: it proves this state later
	Runs    int    `json:"runs"`
	Actions int    `json:"actions"`
	Open    int    `json:"open"`
	Problem string `json:"problem,omitempty"`
}

func (o *Operator) verify(ctx context.Context, c dispatch.Command) (any, error) {
	owners, err := o.c.Ledger.Owners(ctx)
	if err != nil {
		return nil, err
	}
	if c.Owner != "" {
		owners = []string{ledger.OwnerKey(c.Owner)}
	}
	out := struct {
		Whole  bool       `json:"whole"`
		Owners []verified `json:"owners"`
	}{true, []verified{}}
	for _, owner := range owners {
		v, err := o.c.Ledger.Verify(ctx, owner)
		line := verified{Owner: owner, Whole: err == nil, Records: v.Records, Head: v.Head, Runs: v.Runs, Actions: v.Actions, Open: v.Open}
		if err != nil {
			if !isBroken(err) {
				return nil, err // it could not be read, which says nothing of it
			}
			line.Problem, out.Whole = err.Error(), false
		}
		out.Owners = append(out.Owners, line)
	}
	return out, nil
}
