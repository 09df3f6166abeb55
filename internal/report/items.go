package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// itemColumns are those of itemRow; aged says whether there are ages to show.
func itemColumns(aged bool) []column {
	columns := []column{
		{name: "ACTION"},
		{name: "VERSION", code: true, least: 19}, // a short digest
		{name: "TAGS", code: true, least: 6, drop: 1},
		{name: "AGE", right: true, drop: 2},
		{name: "STATUS", least: 10},
		{name: "WHY", least: 8},
	}
	if !aged {
		columns = slices.Delete(columns, 3, 4)
	}
	return columns
}

// itemTables shows items as one table for each package, in the order in which
// the packages first appear, each version followed by those that go with it.
func itemTables(items []retention.Item, now time.Time) []table {
	// A run from the ledger knows no ages.
	aged := slices.ContainsFunc(items, func(it retention.Item) bool { return age(it.CreatedAt, now) != "" })
	columns := itemColumns(aged)
	var tables []table
	for _, of := range byPackage(items) {
		tables = append(tables, table{
			heading: of[0].Ref().String(), columns: columns, notes: itemNotes(of),
			lazy: func(yield func([]cell) bool) {
				eachUnit(of, func(it retention.Item, child bool) bool { return yield(itemRow(it, child, now, aged)) })
			},
		})
	}
	return tables
}

// byPackage parts items by package, in the order in which the packages first
// appear. Plans have them together: then nothing is copied.
func byPackage(items []retention.Item) [][]retention.Item {
	var parts [][]retention.Item
	at := map[retention.PackageRef]int{}
	for start := 0; start < len(items); {
		ref, end := items[start].Ref(), start+1
		for end < len(items) && items[end].Ref() == ref {
			end++
		}
		if i, ok := at[ref]; ok {
			parts[i] = append(parts[i], items[start:end]...)
		} else {
			at[ref] = len(parts)
			parts = append(parts, items[start:end:end])
		}
		start = end
	}
	return parts
}

// eachUnit visits every item once: roots in their order, each followed by the
// items that its deletion takes along. It ends when visit returns false.
func eachUnit(items []retention.Item, visit func(it retention.Item, child bool) bool) {
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
		if !visit(it, false) {
			return
		}
		if it.Unit() != it.VersionID {
			continue
		}
		for _, c := range children[it.VersionID] {
			if !visit(c, true) {
				return
			}
		}
		delete(children, it.VersionID) // a version may have several items; its children are shown once
	}
}

func itemRow(it retention.Item, child bool, now time.Time, aged bool) []cell {
	version := cell{text: versionText(it), child: child}
	row := []cell{
		{text: it.Action.String(), tone: actionTone(it)},
		version,
		text(strings.Join(it.Tags, ", ")),
		text(age(it.CreatedAt, now)),
		statusCell(it),
		whyCell(it.Rules),
	}
	if !aged {
		row = slices.Delete(row, 3, 4)
	}
	return row
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
