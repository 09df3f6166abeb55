package enforce

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// PlanExpiry is how long a saved plan may be applied.
const PlanExpiry = 24 * time.Hour

// Kept gives out what is kept of earlier readings, one package at a time. The
// stores of snapshots are one.
type Kept interface {
	Known(ctx context.Context, owner string) iter.Seq2[retention.KnownPackage, error]
	Snapshot(ctx context.Context, ref retention.PackageRef) (inv retention.Inventory, ok bool, err error)
}

// PlanRequest says what to plan.
type PlanRequest struct {
	Targets []Target
	Judge   Judge
	Bundle  guard.Bundle
	Trigger retention.Trigger
	AsOf    time.Time // zero: now
	Match   func(name string) bool
	// Offline decides from what is kept of earlier readings instead of reading
	// (nil: read).
	Offline Kept
	Full    bool // read every package from GitHub, whatever the snapshots say

	// ID is the id of the plan and of its run; "" makes one.
	ID string
	// Since is from when on a reading counts as fresh, so that planning which
	// was broken off reads only what is left. Zero: since planning began.
	Since time.Time
	// Stop, if set, is asked before each package; its error ends the planning.
	Stop func(ctx context.Context) error
}

// Plan reads every target's packages, asks the policies and lets the guard make
// a plan. It writes nothing to GitHub. It fails only when an owner can't be
// listed at all or the work is cancelled or paused; what concerns single
// packages is in the plan's problems.
func (e *Enforcer) Plan(ctx context.Context, req PlanRequest) (guard.Plan, error) {
	now := e.Now()
	at := now
	if !req.AsOf.IsZero() {
		at = req.AsOf
	}
	h := guard.Header{
		ID: cmp.Or(req.ID, NewID(now)), Kind: retention.RunApply, CreatedAt: now, ExpiresAt: now.Add(e.expiry()),
		EvaluatedAt: at, Moved: !req.AsOf.IsZero() || req.Offline != nil, Trigger: req.Trigger, Bundle: req.Bundle,
	}
	var owners []guard.OwnerDraft
	for _, t := range req.Targets {
		o, err := e.planOwner(ctx, req, t, h)
		if err != nil {
			return guard.Plan{}, fmt.Errorf("plan %s: %w", t.Owner.Login, err)
		}
		owners = append(owners, o)
	}
	return guard.Assemble(h, owners), nil
}

func (e *Enforcer) planOwner(ctx context.Context, req PlanRequest, t Target, h guard.Header) (guard.OwnerDraft, error) {
	o := guard.OwnerDraft{Owner: t.Owner, Mode: t.Mode, Limits: t.Limits}
	used, err := e.Ledger.Used(ctx, t.Owner.Login, h.ID)
	if err != nil {
		return o, err
	}
	o.SpentToday = used.Day
	work, problems, err := e.work(ctx, req, t)
	if err != nil {
		return o, err
	}
	o.Problems = problems
	since := h.CreatedAt
	if !req.Since.IsZero() {
		since = req.Since
	}
	e.Progress.Start("reading "+t.Owner.Login, len(work))
	defer e.Progress.Done()
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(e.workers())
	for _, read := range work {
		g.Go(func() error {
			if err := asked(gctx, req.Stop); err != nil {
				return err
			}
			d, err := e.planPackage(gctx, judgeRequest{Target: t, Judge: req.Judge, Trigger: req.Trigger, at: h.EvaluatedAt, run: h.ID}, read, since)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			o.Drafts = append(o.Drafts, d)
			e.Progress.Add(1)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return o, err
	}
	if t.Calls != nil {
		o.Calls = t.Calls()
	}
	return o, nil
}

// planPackage reads and drafts one package. What is kept of an earlier reading
// may only say that there is nothing to do: where it says otherwise, the package
// is read from GitHub and, unless that is the same to the last field, judged again.
func (e *Enforcer) planPackage(ctx context.Context, jr judgeRequest, read readFunc, since time.Time) (guard.Draft, error) {
	inv, err := read(ctx, false)
	if err != nil {
		return guard.Draft{}, err
	}
	d, err := e.draft(ctx, jr, inv)
	if err != nil || len(d.Items()) == 0 || !inv.ReadAt.Before(since) {
		return d, err
	}
	if inv, err = read(ctx, true); err != nil {
		return guard.Draft{}, err
	}
	if d.Judged(inv) {
		return d, nil
	}
	return e.draft(ctx, jr, inv)
}

// readFunc reads one package; fresh means from GitHub, not from a snapshot.
type readFunc func(ctx context.Context, fresh bool) (retention.Inventory, error)

// work lists what is to be judged: one reading per package.
func (e *Enforcer) work(ctx context.Context, req PlanRequest, t Target) ([]readFunc, []retention.Problem, error) {
	var out []readFunc
	add := func(inv retention.Inventory) {
		out = append(out, func(context.Context, bool) (retention.Inventory, error) { return inv, nil })
	}
	wanted := func(name string) bool {
		return (t.Match == nil || t.Match(name)) && (req.Match == nil || req.Match(name))
	}
	if req.Offline != nil {
		out, err := fromKept(ctx, req.Offline, t.Owner.Login, wanted)
		return out, nil, err
	}
	listing, err := t.Reader.List(ctx, t.Owner, t.Types)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range listing.Packages {
		if wanted(p.Name) {
			out = append(out, func(ctx context.Context, fresh bool) (retention.Inventory, error) {
				return t.Reader.Read(ctx, t.Owner, p, inventory.Options{Deleted: req.Judge.NeedsDeleted(), Fresh: fresh || req.Full})
			})
		}
	}
	for _, inv := range listing.Vanished {
		if wanted(inv.Package.Name) {
			add(inv)
		}
	}
	return out, listing.Problems, nil
}

// fromKept lists the packages that are kept of an owner, each to be read when it
// is its turn.
func fromKept(ctx context.Context, kept Kept, owner string, wanted func(string) bool) ([]readFunc, error) {
	var out []readFunc
	for known, err := range kept.Known(ctx, owner) {
		if err != nil {
			return nil, err
		}
		if !wanted(known.Ref.Name) {
			continue
		}
		out = append(out, func(ctx context.Context, _ bool) (retention.Inventory, error) {
			inv, ok, err := kept.Snapshot(ctx, known.Ref)
			if err == nil && !ok {
				err = fmt.Errorf("the snapshot of %s has gone meanwhile; plan again", known.Ref)
			}
			return inv, err
		})
	}
	return out, nil
}
