package preview

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Owner is one owner with what is kept of its packages and what limits a run on it.
type Owner struct {
	Owner  retention.Owner
	Mode   retention.Mode
	Limits retention.Limits
	Types  []retention.PackageType // looked after; none means all
	Match  func(name string) bool  // which packages; nil means all
	Kept   enforce.Kept
	// Refused returns what GitHub refused to delete of a package (0: the package
	// itself); nil means that nothing is known of that.
	Refused func(ctx context.Context, ref retention.PackageRef) (map[retention.ID]string, error)
	// Next returns the first time after t at which the owner is swept, or the zero
	// time when it has no schedule; nil means that it has none.
	Next func(t time.Time) time.Time
	// SpentToday is how many deletes are spent already on the day (UTC) from which
	// a forecast starts.
	SpentToday int
}

// Progress hears how far the work has come.
type Progress interface {
	Start(label string, total int)
	Add(n int)
	Done()
}

// Policies identifies a policy set.
type Policies struct {
	Name string `json:"name"` // what a person called it: a folder, a revision, builtin
	guard.Bundle
}

// trigger is what the judged runs are started by.
func trigger() retention.Trigger { return retention.Trigger{Kind: retention.TriggerSchedule} }

func workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.NumCPU()
}

// refs lists the owner's packages that are looked after.
func (o Owner) refs(ctx context.Context, match func(string) bool) ([]retention.PackageRef, error) {
	var out []retention.PackageRef
	for k, err := range o.Kept.Known(ctx, o.Owner.Login) {
		if err != nil {
			return nil, err
		}
		if o.covers(k.Ref) && (match == nil || match(k.Ref.Name)) {
			out = append(out, k.Ref)
		}
	}
	return out, nil
}

func (o Owner) covers(ref retention.PackageRef) bool {
	if o.Match != nil && !o.Match(ref.Name) {
		return false
	}
	for _, t := range o.Types {
		if t == ref.Type {
			return true
		}
	}
	return len(o.Types) == 0
}

// read returns what is kept of a package.
func (o Owner) read(ctx context.Context, ref retention.PackageRef) (retention.Inventory, error) {
	inv, ok, err := o.Kept.Snapshot(ctx, ref)
	if err == nil && !ok {
		err = fmt.Errorf("the snapshot of %s has gone meanwhile; start again", ref)
	}
	return inv, err
}

func (o Owner) refused(ctx context.Context, ref retention.PackageRef) (map[retention.ID]string, error) {
	if o.Refused == nil {
		return nil, nil
	}
	return o.Refused(ctx, ref)
}

// draft judges one package as a scheduled run at that time would.
func (o Owner) draft(ctx context.Context, judge enforce.Judge, inv retention.Inventory, refused map[retention.ID]string, at time.Time, run string) (guard.Draft, error) {
	return enforce.Draft(ctx, enforce.DraftRequest{
		Inventory: inv, Judge: judge, Trigger: trigger(), Limits: o.Limits, EvaluatedAt: at, Run: run, Refused: refused,
	})
}

// each calls f for every element, several at a time.
func each[T any](ctx context.Context, n int, list []T, f func(ctx context.Context, v T) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(n))
	for _, v := range list {
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			return f(gctx, v)
		})
	}
	return g.Wait()
}
