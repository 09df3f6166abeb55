package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/report/html"
)

// maxChartPolicies bounds the lines of a forecast's chart.
const maxChartPolicies = 4

func (f Forecast) page(prefix string) html.Page {
	d := f.document()
	tables := d.tables
	d.tables, d.summary = tables[:min(1, len(tables))], ""
	p := documentHead(d)
	s := f.Summary
	p.Tiles = []html.Tile{
		{Name: "deleted", Value: s.Deleted, Tone: html.Bad, Hint: "in " + count(f.Days, "day")},
		{Name: "remain", Value: s.Remaining, Hint: "after the last run"},
		{Name: "restored", Value: s.Restored}, {Name: "still held", Value: s.Held, Tone: html.Doubtful, Hint: "after the last run"},
		{Name: "packages", Value: s.Packages, Hint: "that lose something"},
	}
	p.Tiles = slices.DeleteFunc(p.Tiles, func(t html.Tile) bool { return t.Value == 0 && t.Name != "deleted" })
	if going, left, ok := f.charts(); ok {
		p.Sections = append(p.Sections,
			html.ChartSection(prefix+"going", "What goes, day by day", "If nothing else changes: nothing is pushed, pulled or deleted by others meanwhile.", going),
			html.ChartSection(prefix+"left", "What remains", "", left))
	}
	for i, t := range tables {
		s := tableSection(fmt.Sprintf("%st%d", prefix, i), t)
		s.Heading, s.Code = strings.ToUpper(s.Heading[:min(1, len(s.Heading))])+s.Heading[min(1, len(s.Heading)):], false
		p.Sections = append(p.Sections, s)
	}
	return p
}

// charts are what goes on each day, with the policies that ask for most of it, and
// what remains. There are none for a single day.
func (f Forecast) charts() (going, left html.Chart, ok bool) {
	going.About = "How many versions each day's runs delete, and how many are held."
	left.About = "How many active versions remain after each day."
	totals := map[string]int{}
	for _, d := range f.Series {
		for policy, n := range d.ByPolicy {
			totals[policy] += n
		}
	}
	policies := slices.SortedFunc(maps.Keys(totals), func(a, b string) int {
		return cmp.Or(-cmp.Compare(totals[a], totals[b]), strings.Compare(a, b))
	})
	policies = policies[:min(len(policies), maxChartPolicies)]
	names := append([]string{"Deleted"}, policies...)
	for i, name := range append(names, "Held") {
		going.Series = append(going.Series, html.Series{Name: clean(name), Bars: i == 0})
	}
	left.Series = []html.Series{{Name: "Remaining"}}
	for _, d := range f.Series {
		at, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			continue // not a day of this format: the table has it
		}
		going.Times, left.Times = append(going.Times, at), append(left.Times, at)
		values := []int{d.Deleted}
		for _, p := range policies {
			values = append(values, d.ByPolicy[p])
		}
		for i, n := range append(values, d.Held) {
			going.Series[i].Values = append(going.Series[i].Values, n)
		}
		left.Series[0].Values = append(left.Series[0].Values, d.Remaining)
	}
	return going, left, len(going.Times) > 1
}

func (d Diff) page(prefix string) html.Page {
	doc := d.document()
	doc.tables, doc.summary = doc.tables[:min(1, len(doc.tables))], ""
	p := documentHead(doc)
	if len(d.Changes) == 0 {
		return p
	}
	s := d.Summary
	p.Tiles = []html.Tile{
		{Name: "deletes added", Value: s.Added, Tone: html.Bad}, {Name: "deletes removed", Value: s.Removed, Tone: html.Good},
		{Name: "by another rule", Value: s.Changed}, {Name: "restores changed", Value: s.Restores}, {Name: "observed only", Value: s.Observed},
	}
	p.Tiles = slices.DeleteFunc(p.Tiles, func(t html.Tile) bool { return t.Value == 0 })
	if len(d.Policies) > 0 {
		s := tableSection(prefix+"policies", policyDiffs(d.Policies))
		s.Heading, s.Code = "By policy", false
		p.Sections = append(p.Sections, s)
	}
	changes := tableSection(prefix+"changes", d.changes())
	changes.Heading, changes.Code = "What changes", false
	p.Sections = append(p.Sections, changes)
	return p
}

// changes are those of all packages in one table: a page searches and sorts it.
func (d Diff) changes() table {
	t := table{columns: []column{
		{name: "Change"}, {name: "Package", code: true}, {name: "Version", code: true}, {name: "Tags", code: true}, {name: "Age", right: true}, {name: "Before"}, {name: "After"},
	}}
	for _, c := range d.Changes {
		t.rows = append(t.rows, d.changeRow(c))
	}
	return t
}

func (d Diff) changeRow(c preview.Change) []cell {
	return []cell{kindCell(c), text(c.Ref().String()), text(changedVersion(c)), text(strings.Join(c.Tags, ", ")), text(age(c.CreatedAt, d.EvaluatedAt)),
		text(verdictText(c.A)), text(verdictText(c.B))}
}
