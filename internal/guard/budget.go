package guard

import (
	"slices"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// planned selects the items that would be deleted.
func planned(it retention.Item) bool {
	return it.Action == retention.Delete && it.Status == retention.StatusPlanned
}

// cost sums what the planned deletes among items spend.
func cost(items []retention.Item) int {
	n := 0
	for _, it := range items {
		if planned(it) {
			n += it.Cost
		}
	}
	return n
}

// holdAll holds every planned delete.
func holdAll(items []retention.Item, why *retention.GuardNote) {
	for i := range items {
		if planned(items[i]) {
			items[i].Status, items[i].Guard = retention.StatusHeld, why
		}
	}
}

// holdLargeShare is the alarm on a package: a plan that would delete more than
// percent of its active versions is held whole, until a person applies it.
func holdLargeShare(items []retention.Item, active int, percent float64) {
	if n := cost(items); n > 0 && exceeds(n, active, percent) {
		holdAll(items, note(retention.GuardPercentOfPackage,
			"the plan deletes %d of %d versions, more than %g %% (limits.percent_of_package); nothing is deleted here until a person reads the saved plan and applies it", n, active, percent))
	}
}

// holdLargeShareOfOwner is the same alarm over all of an owner's packages.
func holdLargeShareOfOwner(drafts []Draft, quiet int, percent float64) {
	n, active := 0, quiet
	for _, d := range drafts {
		n += cost(d.items)
		active += d.active
	}
	if n == 0 || !exceeds(n, active, percent) {
		return
	}
	why := note(retention.GuardPercentOfOwner,
		"the plan deletes %d of the owner's %d versions, more than %g %% (limits.percent_of_owner); nothing is deleted until a person reads the saved plan and applies it", n, active, percent)
	for _, d := range drafts {
		holdAll(d.items, why)
	}
}

func exceeds(n, of int, percent float64) bool { return float64(n)*100 > percent*float64(of) }

// unit is a group of a draft's items that are done whole or not at all.
type unit struct {
	draft int
	items []int // indexes into the draft's items, in order
	cost  int
}

// unitsOf lists the planned units of all drafts, those with the oldest leader first.
func unitsOf(drafts []Draft) []unit {
	var out []unit
	for d := range drafts {
		at := map[retention.ID]int{}
		for i, it := range drafts[d].items {
			if !planned(it) {
				continue
			}
			u, known := at[it.Unit()]
			if !known {
				u = len(out)
				at[it.Unit()] = u
				out = append(out, unit{draft: d})
			}
			out[u].items = append(out[u].items, i)
			out[u].cost += it.Cost
		}
	}
	slices.SortStableFunc(out, func(a, b unit) int {
		return drafts[a.draft].items[a.items[0]].CreatedAt.Compare(drafts[b.draft].items[b.items[0]].CreatedAt)
	})
	return out
}

// cutToBudget holds what goes beyond the two counts: the oldest units go
// first, whole units only. A unit larger than a whole limit can never go and
// doesn't stop the others; otherwise the first that doesn't fit ends the run,
// so that the order stays by age.
func cutToBudget(drafts []Draft, limits retention.Limits, spentToday int) {
	day := max(0, limits.DeletesPerDay-spentToday)
	used, full := 0, (*retention.GuardNote)(nil)
	for _, u := range unitsOf(drafts) {
		why := full
		switch {
		case u.cost > limits.DeletesPerRun:
			why = note(retention.GuardDeletesPerRun, "these %d versions go together, more than the %d that one run may delete; raise limits.deletes_per_run to let them go", u.cost, limits.DeletesPerRun)
		case u.cost > limits.DeletesPerDay:
			why = note(retention.GuardDeletesPerDay, "these %d versions go together, more than the %d that one day may see deleted; raise limits.deletes_per_day to let them go", u.cost, limits.DeletesPerDay)
		case why != nil:
		case used+u.cost > limits.DeletesPerRun:
			why = note(retention.GuardDeletesPerRun, "the run has %d of its %d deletes left, too few for what comes next by age (limits.deletes_per_run); the next run takes it up", limits.DeletesPerRun-used, limits.DeletesPerRun)
			full = why
		case used+u.cost > day:
			why = note(retention.GuardDeletesPerDay, "%d of today's %d deletes are left, too few for what comes next by age (limits.deletes_per_day, UTC); a run after midnight takes it up", day-used, limits.DeletesPerDay)
			full = why
		}
		if why == nil {
			used += u.cost
			continue
		}
		for _, i := range u.items {
			it := &drafts[u.draft].items[i]
			it.Status, it.Guard = retention.StatusHeld, why
		}
	}
}
