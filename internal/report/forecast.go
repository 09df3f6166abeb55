package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Forecast shows what goes when.
type Forecast struct{ preview.Forecast }

func (f Forecast) value() any { return f.Forecast }

func (f Forecast) document() document {
	out := document{title: "Forecast", most: CommentBytes, notes: f.notes(), summary: f.summary(), empty: "Nothing goes in that time."}
	out.fact("policies", policiesText(f.Policies))
	out.fact("from", stamp(f.From))
	out.fact("until", stamp(f.Until))
	for _, o := range f.Owners {
		out.fact("owner "+o.Login, fmt.Sprintf("%s with %s, %s", count(o.Packages, "package"), count(o.Versions, "version"), count(len(o.Runs), "run")))
	}
	if t := f.days(); len(t.rows) > 0 {
		out.tables = append(out.tables, t)
	}
	if t := f.byPackage(); len(t.rows) > 0 {
		out.tables = append(out.tables, t)
	}
	return out
}

// days lists the days on which something happens or is held, by policy.
func (f Forecast) days() table {
	t := table{heading: "by day", columns: []column{
		{name: "DAY"}, {name: "RUNS", right: true, drop: 2}, {name: "DELETED", right: true}, {name: "RESTORED", right: true, drop: 1}, {name: "HELD", right: true},
		{name: "REMAINING", right: true}, {name: "BY POLICY", least: 12},
	}}
	last := -1
	for _, d := range f.Series {
		if d.Deleted+d.Restored == 0 && (d.Held == 0 || d.Held == last) {
			continue
		}
		last = d.Held
		var by []string
		for _, p := range slices.Sorted(maps.Keys(d.ByPolicy)) {
			by = append(by, fmt.Sprintf("%s %d", p, d.ByPolicy[p]))
		}
		t.rows = append(t.rows, texts(d.Date, fmt.Sprint(d.Runs), fmt.Sprint(d.Deleted), fmt.Sprint(d.Restored), fmt.Sprint(d.Held), fmt.Sprint(d.Remaining), briefly(strings.Join(by, ", "))))
	}
	t.fold = count(len(t.rows), "day")
	return t
}

// byPackage sums up the packages that lose or gain something.
func (f Forecast) byPackage() table {
	t := table{heading: "by package", columns: []column{
		{name: "PACKAGE", code: true, least: 16}, {name: "DELETED", right: true}, {name: "RESTORED", right: true, drop: 1}, {name: "FIRST"}, {name: "LAST"}, {name: "WHY, OF THE FIRST", least: 12},
	}}
	type sum struct {
		deleted, restored int
		first, last       preview.Due
	}
	sums := map[retention.PackageRef]*sum{}
	var order []retention.PackageRef
	for _, d := range f.Items {
		s := sums[d.Ref()]
		if s == nil {
			s = &sum{first: d}
			sums[d.Ref()], order = s, append(order, d.Ref())
		}
		s.last = d
		if d.Action == retention.Delete {
			s.deleted += d.Cost
		} else {
			s.restored++
		}
	}
	for _, ref := range order {
		s := sums[ref]
		t.rows = append(t.rows, texts(ref.String(), fmt.Sprint(s.deleted), fmt.Sprint(s.restored), day(s.first.At), day(s.last.At), briefly(ruleTexts(s.first.Rules))))
	}
	t.fold = count(len(t.rows), "package")
	return t
}

func (f Forecast) summary() string {
	s := f.Summary
	out := fmt.Sprintf("%s deleted in %s", count(s.Deleted, "version"), count(s.Packages, "package"))
	if s.Restored > 0 {
		out += fmt.Sprintf(", %d restored", s.Restored)
	}
	if s.Held > 0 {
		out += fmt.Sprintf(", %d still held in the end", s.Held)
	}
	return out + fmt.Sprintf(", %d remaining, if nothing else changes", s.Remaining)
}

func (f Forecast) notes() []string {
	var out []string
	for _, o := range f.Owners {
		if o.Mode == retention.Observe {
			out = append(out, o.Login+" is observed: nothing of this would be done unless it is enforced")
		}
		held := map[retention.GuardCode]int{}
		for _, r := range o.Runs {
			for code := range r.HeldBy {
				held[code]++
			}
		}
		for _, code := range slices.Sorted(maps.Keys(held)) {
			out = append(out, fmt.Sprintf("%s: %s holds something in %s of %d%s", o.Login, code, count(held[code], "run"), len(o.Runs), heldMeans(code)))
		}
	}
	out = append(out, f.Forecast.Notes...)
	out = append(out, problemNotes(f.Problems)...)
	if n := len(out) - maxNotes; n > 0 {
		out = append(out[:maxNotes], fmt.Sprintf("and %d notes more (--format json has them)", n))
	}
	for i := range out {
		out[i] = briefly(out[i])
	}
	return out
}

func heldMeans(code retention.GuardCode) string {
	switch code {
	case retention.GuardDeletesPerRun, retention.GuardDeletesPerDay:
		return ": the next runs take it up"
	case retention.GuardPercentOfOwner, retention.GuardPercentOfPackage:
		return ": it stays until a person applies a saved plan"
	}
	return ""
}
