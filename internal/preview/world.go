package preview

import (
	"context"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// world is one owner on its way through a forecast: what has gone so far, and
// from when on each package has to be judged again.
type world struct {
	ForecastRequest
	owner    Owner
	source   source
	runs     []time.Time
	packages []*shelf
	sum      OwnerForecast
	items    []Due
	problems []retention.Problem
	spent    int    // deletes on that day
	day      string // UTC
}

// shelf is one package between two runs. What is kept of it is read again when
// it has to be judged; only what the forecast changed is remembered.
type shelf struct {
	ref     retention.PackageRef
	changes []change
	draft   guard.Draft // as it was last judged
	again   int         // the first run at which that may be otherwise
	// next is what a visit has found already of a later run, as long as nothing is
	// done before; watch is what it found it with.
	next    *judged
	watch   *policy.Watch
	since   map[place]waiting
	retired bool // deleted as a whole, by a run or long ago
	noted   bool // its problems are among the world's
}

// judged is a draft, at which run it was made, and from which on it may be otherwise.
type judged struct {
	at, again int
	draft     guard.Draft
}

// change is what a forecast run did to a version.
type change struct {
	id      retention.ID
	at      time.Time
	run     string
	policy  string
	restore bool
}

// waiting is what an item has been waiting for, and since when.
type waiting struct {
	since time.Time
	by    retention.GuardCode
}

// source gives out packages as they are known at an instant.
type source interface {
	// at returns a package and until when that is how it is known; the zero time is
	// for ever. known is false when it was not known then.
	at(ctx context.Context, ref retention.PackageRef, t time.Time) (inv retention.Inventory, until time.Time, known bool, err error)
}

// present is a source that knows what is kept now, at any instant.
type present struct{ Owner }

func (p present) at(ctx context.Context, ref retention.PackageRef, _ time.Time) (retention.Inventory, time.Time, bool, error) {
	inv, err := p.read(ctx, ref)
	return inv, time.Time{}, err == nil, err
}

// gone is how long a deleted version is listed: GitHub's window.
const gone = retention.RestoreWindow

// newWorld makes the world of an owner before its first run.
func (r ForecastRequest) newWorld(o Owner, src source, runs []time.Time, refs []retention.PackageRef) *world {
	w := &world{
		ForecastRequest: r, owner: o, source: src, runs: runs, spent: o.SpentToday, day: r.From.UTC().Format(time.DateOnly),
		sum: OwnerForecast{Login: o.Owner.Login, Mode: o.Mode, Limits: o.Limits, Packages: len(refs), Runs: []ForecastRun{}},
	}
	for _, ref := range refs {
		w.packages = append(w.packages, &shelf{ref: ref, since: map[place]waiting{}})
	}
	return w
}

// run goes through the runs one after the other: judge what may have changed,
// apply the owner's budgets and alarms, and let go what is planned then.
func (w *world) run(ctx context.Context) error {
	w.Progress.Start("looking ahead on "+w.owner.Owner.Login, len(w.packages)+len(w.runs))
	defer w.Progress.Done()
	for n, at := range w.runs {
		if err := w.judge(ctx, n); err != nil {
			return err
		}
		if n == 0 {
			w.sum.Versions = w.active()
		}
		w.carryOut(n, at)
		w.Progress.Add(1)
	}
	return nil
}

// active counts the versions that are there.
func (w *world) active() int {
	n := 0
	for _, s := range w.packages {
		n += s.draft.Active()
	}
	return n
}

// judge judges the packages whose answers may be otherwise at this run.
func (w *world) judge(ctx context.Context, n int) error {
	var todo []*shelf
	for _, s := range w.packages {
		if !s.retired && (s.again <= n || w.EveryRun) {
			todo = append(todo, s)
		}
	}
	var mu sync.Mutex
	return each(ctx, w.Workers, todo, func(ctx context.Context, s *shelf) error {
		if err := w.visit(ctx, s, n); err != nil {
			return err
		}
		if n == 0 {
			w.Progress.Add(1)
		}
		if s.noted || len(s.draft.Problems()) == 0 {
			return nil
		}
		s.noted = true
		mu.Lock()
		defer mu.Unlock()
		w.problems = append(w.problems, s.draft.Problems()...)
		return nil
	})
}

// visit judges one package at a run, unless an earlier visit has done so.
func (w *world) visit(ctx context.Context, s *shelf, n int) error {
	if next := s.next; next != nil {
		if s.next = nil; next.at == n {
			s.draft, s.again = next.draft, next.again
			return nil
		}
	}
	kept, until, known, err := w.source.at(ctx, s.ref, w.runs[n])
	if err != nil {
		return err
	}
	if !known {
		s.draft, s.again = guard.Draft{}, w.after(n, until)
		return nil
	}
	if kept.Package.State == retention.Deleted && !w.runs[n].Before(kept.ReadAt.Add(gone)) {
		s.retired, s.draft = true, guard.Draft{}
		return nil
	}
	refused, err := w.owner.refused(ctx, s.ref)
	if err != nil {
		return err
	}
	if s.watch == nil {
		s.watch = w.Engine.NewWatch()
	}
	return w.follow(ctx, s, n, kept, until, refused)
}

// follow judges a package at a run, and goes on to later runs as long as it is at
// hand, known like that, and nothing is to be done.
func (w *world) follow(ctx context.Context, s *shelf, n int, kept retention.Inventory, until time.Time, refused map[retention.ID]string) error {
	for first := true; ; first = false {
		at := w.runs[n]
		inv := s.now(kept, at)
		s.watch.Reset()
		d, err := w.owner.draft(ctx, s.watch, inv, refused, at, runID(at))
		if err != nil {
			return err
		}
		w.guardEnds(s.watch, inv, d, at)
		if !until.IsZero() {
			s.watch.Ends(until)
		}
		found := n
		for n++; n < len(w.runs) && s.watch.Holds(w.runs[n]) && !w.EveryRun; n++ {
		}
		quiet := isQuiet(d)
		if !first && !quiet { // what is there to do is done when its run comes
			s.again, s.next = found, &judged{at: found, again: n, draft: d}
			return nil
		}
		if s.again, s.draft = n, d; quiet {
			s.draft = d.Bare()
		}
		if n == len(w.runs) {
			s.watch = nil
			return nil
		}
		if !quiet || !until.IsZero() && !w.runs[n].Before(until) || w.EveryRun {
			return nil
		}
	}
}

// after is the first run at or after an instant; the zero time is never.
func (w *world) after(n int, t time.Time) int {
	for n++; n < len(w.runs) && (t.IsZero() || w.runs[n].Before(t)); n++ {
	}
	return n
}

// isQuiet reports whether a run would do nothing with a draft, and hold nothing.
func isQuiet(d guard.Draft) bool {
	for _, it := range d.Items() {
		if it.Status == retention.StatusPlanned || it.Status == retention.StatusHeld {
			return false
		}
	}
	return true
}

// guardEnds notes when the guards, or what GitHub lists, change by themselves.
func (w *world) guardEnds(watch interface{ Ends(time.Time) }, inv retention.Inventory, d guard.Draft, at time.Time) {
	note := func(t time.Time) {
		if t.After(at) {
			watch.Ends(t)
		}
	}
	if inv.Package.State == retention.Deleted {
		note(inv.ReadAt.Add(gone))
	}
	for _, v := range inv.Versions {
		if !v.IsActive() && !v.DeletedAt.IsZero() {
			note(v.DeletedAt.Add(gone))
		}
		if len(d.Items()) > 0 && v.IsActive() && !v.CreatedAt.IsZero() {
			note(v.CreatedAt.Add(w.owner.Limits.MinAge))
		}
	}
}

func runID(at time.Time) string { return "forecast-" + at.UTC().Format("20060102T150405Z") }

// now is the package as it would be at an instant, after what was done to it.
func (s *shelf) now(kept retention.Inventory, at time.Time) retention.Inventory {
	inv := kept
	by := map[retention.ID]change{}
	for _, c := range s.changes {
		by[c.id] = c // the last one counts
	}
	dead := map[string]bool{}
	inv.Versions = make([]retention.Version, 0, len(kept.Versions))
	for _, v := range kept.Versions {
		if c, ok := by[v.ID]; ok {
			if c.restore {
				v.State, v.DeletedAt, v.DeletedBy = retention.Active, time.Time{}, nil
			} else {
				v.State, v.DeletedAt = retention.Deleted, c.at
				v.DeletedBy = &retention.DeletedBy{Run: c.run, Policy: c.policy}
				dead[v.Name] = true
			}
		}
		if !v.IsActive() && !v.DeletedAt.IsZero() && !at.Before(v.DeletedAt.Add(gone)) {
			continue // GitHub lists it no more
		}
		inv.Versions = append(inv.Versions, v)
	}
	if len(dead) > 0 {
		inv.Graph = inv.Graph.Without(dead)
	}
	return inv
}
