package preview

import (
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// carryOut applies the owner's alarms and budgets to what was judged, as a run
// does, and lets go what is planned then.
func (w *world) carryOut(n int, at time.Time) {
	if day := at.UTC().Format(time.DateOnly); day != w.day {
		w.day, w.spent = day, 0
	}
	var drafts []guard.Draft
	shelves, quiet := map[retention.PackageRef]*shelf{}, 0
	for _, s := range w.packages {
		if len(s.draft.Items()) == 0 {
			quiet += s.draft.Active()
			continue
		}
		drafts, shelves[s.ref] = append(drafts, s.draft.Copy()), s
	}
	plan := guard.Assemble(guard.Header{EvaluatedAt: at, Moved: true}, []guard.OwnerDraft{{
		Owner: w.owner.Owner, Mode: retention.Enforce, Limits: w.owner.Limits, SpentToday: w.spent, Drafts: drafts, Quiet: quiet,
	}})
	remaining := w.active()
	run := ForecastRun{At: at.UTC(), HeldBy: map[retention.GuardCode]int{}, ByPolicy: map[string]int{}}
	for _, it := range plan.Items() {
		s := shelves[it.Ref()]
		switch it.Status {
		case retention.StatusHeld:
			run.Held += it.Cost
			run.HeldBy[it.Guard.Code] += it.Cost
			s.wait(it, at)
		case retention.StatusPlanned:
			w.do(s, it, at, &run)
			s.again = n + 1
		}
	}
	run.Remaining = remaining - run.Deleted + run.back
	w.sum.Runs = append(w.sum.Runs, run)
}

// wait notes since when an item is held, and by what.
func (s *shelf) wait(it retention.Item, at time.Time) {
	p := place{it.Target, it.VersionID}
	w, known := s.since[p]
	if !known {
		w.since = at
	}
	w.by = it.Guard.Code
	s.since[p] = w
}

// do lets one planned item happen.
func (w *world) do(s *shelf, it retention.Item, at time.Time, run *ForecastRun) {
	due := Due{
		At: at.UTC(), Since: at.UTC(), Owner: it.Owner, PackageType: it.PackageType, Package: it.Package, Target: it.Target,
		VersionID: it.VersionID, Version: it.Version, Tags: it.Tags, CreatedAt: it.CreatedAt, Action: it.Action, Cost: it.Cost, Rules: it.Rules,
	}
	if held, ok := s.since[place{it.Target, it.VersionID}]; ok {
		due.Since, due.HeldBy = held.since.UTC(), held.by
	}
	w.items = append(w.items, due)
	policy := ""
	if len(it.Rules) > 0 {
		policy = it.Rules[0].Policy
	}
	switch {
	case it.Action == retention.Restore && it.Target == retention.TargetPackage:
		run.Restored++
		s.retired, s.draft = true, guard.Draft{} // back with its versions: what they will be is not known
	case it.Action == retention.Restore:
		run.Restored++
		run.back++
		s.changes = append(s.changes, change{id: it.VersionID, at: at, restore: true})
	case it.Target == retention.TargetPackage:
		w.delete(run, policy, it.Cost)
		s.retired, s.draft = true, guard.Draft{}
	default:
		w.delete(run, policy, it.Cost)
		s.changes = append(s.changes, change{id: it.VersionID, at: at, run: runID(at), policy: policy})
	}
}

func (w *world) delete(run *ForecastRun, policy string, cost int) {
	run.Deleted += cost
	run.ByPolicy[policy] += cost
	w.spent += cost
}
