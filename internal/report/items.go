package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func itemColumns() []column {
	return []column{
		{name: "ACTION"},
		{name: "VERSION", code: true, least: 19}, // a short digest
		{name: "TAGS", code: true, least: 6, drop: 1},
		{name: "AGE", right: true, drop: 2},
		{name: "STATUS", least: 10},
		{name: "WHY", least: 8},
	}
}

// itemTables shows items as one table for each package, in the order in which
// the packages first appear, each version followed by those that go with it.
func itemTables(items []retention.Item, now time.Time) []table {
	byPackage := map[retention.PackageRef][]retention.Item{}
	var order []retention.PackageRef
	for _, it := range items {
		if _, ok := byPackage[it.Ref()]; !ok {
			order = append(order, it.Ref())
		}
		byPackage[it.Ref()] = append(byPackage[it.Ref()], it)
	}
	tables := make([]table, 0, len(order))
	for _, ref := range order {
		t := table{heading: ref.String(), columns: itemColumns(), notes: itemNotes(byPackage[ref])}
		eachUnit(byPackage[ref], func(it retention.Item, child bool) { t.rows = append(t.rows, itemRow(it, child, now)) })
		tables = append(tables, t)
	}
	return withoutEmpty(tables, "AGE")
}

// withoutEmpty leaves a column out where no row of tables that are alike has
// anything in it: a run from the ledger knows no ages.
func withoutEmpty(tables []table, name string) []table {
	for _, t := range tables {
		i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
		if i < 0 || slices.ContainsFunc(t.rows, func(row []cell) bool { return row[i].text != "" }) {
			return tables
		}
	}
	for j, t := range tables {
		i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
		tables[j].columns = slices.Delete(t.columns, i, i+1)
		for k := range t.rows {
			t.rows[k] = slices.Delete(t.rows[k], i, i+1)
		}
	}
	return tables
}

// eachUnit visits every item once: roots in their order, each followed by the
// items that its deletion takes along.
func eachUnit(items []retention.Item, visit func(it retention.Item, child bool)) {
	roots := map[retention.ID]bool{}
	for _, it := range items {
		if it.Unit() == it.VersionID {
			roots[it.VersionID] = true
		}
	}
	children := map[retention.ID][]retention.Item{}
	for _, it := range items {
		if unit := it.Unit(); unit != it.VersionID && roots[unit] {
			children[unit] = append(children[unit], it)
		}
	}
	for _, it := range items {
		if unit := it.Unit(); unit != it.VersionID && roots[unit] {
			continue // comes with its root
		}
		visit(it, false)
		if it.Unit() != it.VersionID {
			continue
		}
		for _, c := range children[it.VersionID] {
			visit(c, true)
		}
		delete(children, it.VersionID) // a version may have several items; its children are shown once
	}
}

func itemRow(it retention.Item, child bool, now time.Time) []cell {
	version := cell{text: versionText(it), child: child}
	return []cell{
		{text: it.Action.String(), tone: actionTone(it)},
		version,
		text(strings.Join(it.Tags, ", ")),
		text(age(it.CreatedAt, now)),
		statusCell(it),
		whyCell(it.Rules),
	}
}

func versionText(it retention.Item) string {
	if it.Target == retention.TargetPackage {
		return "(whole package)"
	}
	return shortDigest(it.Version)
}

func actionTone(it retention.Item) tone {
	switch {
	case it.Status != retention.StatusPlanned:
		return faint
	case it.Action == retention.Delete:
		return bad
	case it.Action == retention.Restore:
		return good
	}
	return plain
}

// whyCell shows the rules that asked for an item, the first in full.
func whyCell(rules []retention.Rule) cell {
	var cells []cell
	for _, r := range rules {
		lead := r.Policy
		if r.Rule != "" {
			lead += "/" + r.Rule
		}
		cells = append(cells, cell{lead: lead, text: r.Reason})
	}
	if len(cells) == 0 {
		return cell{}
	}
	first := cells[0]
	first.more = cells[1:]
	return first
}

// statusCell says how an item ended, or else where it stands and what decided that.
func statusCell(it retention.Item) cell {
	if it.Outcome != "" {
		return outcomeCell(it.Outcome)
	}
	c := cell{text: string(it.Status)}
	switch it.Status {
	case retention.StatusPlanned:
		return c
	case retention.StatusObserved, retention.StatusKept:
		c.tone = faint
	default:
		c.tone = doubtful
	}
	switch keepers := keepersOf(it, retention.Enforce); {
	case it.Guard != nil:
		c.text += ": " + string(it.Guard.Code)
	case it.Status == retention.StatusKept && len(keepers) > 0:
		c.text += " by " + strings.Join(keepers, ", ")
	}
	return c
}

func outcomeCell(o retention.Outcome) cell {
	c := cell{text: string(o), tone: doubtful}
	switch o {
	case retention.OutcomeDone:
		c.tone = good
	case retention.OutcomeGone:
		c.tone = plain
	case retention.OutcomeFailed, retention.OutcomeUnknown:
		c.tone = bad
	}
	return c
}

// keepersOf names the policies of a mode that spoke for keeping an item.
func keepersOf(it retention.Item, m retention.Mode) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range it.Overruled {
		if r.Action == retention.Keep && r.Mode == m && !seen[r.Policy] {
			seen[r.Policy] = true
			out = append(out, r.Policy)
		}
	}
	return out
}

// itemNotes says below a package's table what its rows have no room for: what
// each guard says, keeps that only observe, and what came in the way of a run.
// The same sentence about several versions is said once.
func itemNotes(items []retention.Item) []string {
	times := map[string]int{}
	var order []string
	add := func(note string) {
		if times[note]++; times[note] == 1 {
			order = append(order, note)
		}
	}
	for _, it := range items {
		if it.Guard != nil && it.Guard.Detail != "" {
			add(string(it.Guard.Code) + ": " + it.Guard.Detail)
		}
		if it.Status == retention.StatusPlanned && it.Outcome == "" {
			for _, policy := range keepersOf(it, retention.Observe) {
				add(policy + " would keep what is planned here, but only observes; give it mode: enforce to protect")
			}
		}
		if it.Outcome != "" && it.Detail != "" {
			note := string(it.Outcome) + ": " + it.Detail
			if it.RequestID != "" {
				note = versionText(it) + " " + note
				if !strings.Contains(it.Detail, it.RequestID) {
					note += " (GitHub's request " + it.RequestID + ")"
				}
			}
			add(note)
		}
	}
	for i, note := range order {
		if n := times[note]; n > 1 {
			order[i] = fmt.Sprintf("%s (%d versions)", note, n)
		}
	}
	return order
}
