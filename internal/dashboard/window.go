package dashboard

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// window knows what can still be undone. A finished run is read from the ledger
// once.
type window struct {
	ledger Ledger
	now    func() time.Time

	mu   sync.Mutex
	runs map[string][]effect // of finished runs
}

// effect is what an action did to one version.
type effect struct {
	run     string
	pkg     retention.PackageRef
	version retention.ID
	gone    bool // deleted; else restored
	at      time.Time
}

// Undoable is a run of which something is still deleted and can come back.
type Undoable struct {
	Run   string
	Owner string
	Count int       // versions, and packages, that are still deleted
	Until time.Time // when the first of them can't be restored any more
}

// DaysLeft is how many whole days are left at now; 0 on the last.
func (u Undoable) DaysLeft(now time.Time) int {
	return max(0, int(u.Until.Sub(now).Hours()/24))
}

func newWindow(l Ledger, now func() time.Time) *window {
	return &window{ledger: l, now: now, runs: map[string][]effect{}}
}

// open returns the runs with something to undo, the most urgent first.
func (w *window) open(ctx context.Context) ([]Undoable, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	since := w.now().Add(-retention.RestoreWindow)
	runs, err := w.ledger.Runs(ctx, "", 0)
	if err != nil {
		return nil, err
	}
	unfinished := map[string]bool{}
	for _, r := range runs {
		unfinished[r.ID] = unfinished[r.ID] || r.FinishedAt.IsZero()
	}
	known := map[string][]effect{}
	var all []effect
	for _, r := range runs {
		// A run's last action can't be later than its end. A run over several owners
		// is here once for each, and read once.
		if _, ok := known[r.ID]; ok || (!r.FinishedAt.IsZero() && r.FinishedAt.Before(since)) {
			continue
		}
		effects, err := w.effects(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		known[r.ID] = effects
		all = append(all, effects...)
	}
	maps.DeleteFunc(known, func(id string, _ []effect) bool { return unfinished[id] })
	w.runs = known
	return stillGone(all, since), nil
}

// stillGone plays the effects in their order and sums up what is left deleted.
func stillGone(all []effect, since time.Time) []Undoable {
	type version struct {
		pkg retention.PackageRef
		id  retention.ID
	}
	slices.SortStableFunc(all, func(a, b effect) int { return a.at.Compare(b.at) })
	gone := map[version]effect{}
	for _, e := range all {
		if key := (version{e.pkg, e.version}); !e.gone {
			delete(gone, key)
		} else if e.at.After(since) {
			gone[key] = e
		}
	}
	byRun := map[string]Undoable{}
	for _, d := range gone {
		u := byRun[d.run]
		u.Run, u.Owner = d.run, d.pkg.Owner
		u.Count++
		if until := d.at.Add(retention.RestoreWindow); u.Until.IsZero() || until.Before(u.Until) {
			u.Until = until
		}
		byRun[d.run] = u
	}
	out := make([]Undoable, 0, len(byRun))
	for _, u := range byRun {
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b Undoable) int { return a.Until.Compare(b.Until) })
	return out
}

// effects reads what a run did, unless that is known.
func (w *window) effects(ctx context.Context, run string) ([]effect, error) {
	if e, ok := w.runs[run]; ok {
		return e, nil
	}
	actions, err := w.ledger.Actions(ctx, run)
	if err != nil {
		return nil, err
	}
	var out []effect
	for _, a := range actions {
		if e, ok := effectOf(a); ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// effectOf says what an action did. Of a deletion that is not known to have been
// done, the version may be gone: it counts.
func effectOf(a ledger.Action) (effect, bool) {
	at := a.FinishedAt
	if at.IsZero() {
		at = a.At
	}
	e := effect{run: a.Run, pkg: a.Ref(), version: a.VersionID, gone: a.Action == retention.Delete, at: at}
	switch a.Outcome {
	case retention.OutcomeDone:
		return e, a.Action != retention.Keep
	case retention.OutcomeUnknown, "":
		return e, a.Action == retention.Delete
	}
	return e, false
}
