package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Backtest shows what policies would have deleted, and what of it was needed.
type Backtest struct{ preview.Backtest }

func (b Backtest) value() any { return b.Backtest }

func (b Backtest) document() document {
	out := document{title: "Backtest", most: CommentBytes, notes: b.notes(), summary: b.summary(), empty: "Nothing would have gone in that time."}
	out.fact("policies", policiesText(b.Policies))
	out.fact("from", stamp(b.From))
	out.fact("to", stamp(b.To))
	out.fact("oldest reading", stamp(b.Oldest))
	for _, o := range b.Owners {
		out.fact("owner "+o.Login, fmt.Sprintf("%s, %s", count(o.Packages, "package"), count(len(o.Runs), "run")))
	}
	// What was needed comes first: it is what the question is about.
	if t := b.missed(); len(t.rows) > 0 {
		out.tables = append(out.tables, t)
	}
	f := Forecast{preview.Forecast{Series: b.Series}}
	for _, it := range b.Items {
		f.Items = append(f.Items, it.Due)
	}
	for _, t := range []table{f.days(), f.byPackage()} {
		if len(t.rows) > 0 {
			out.tables = append(out.tables, t)
		}
	}
	return out
}

func (b Backtest) missed() table {
	t := table{heading: "needed later", columns: []column{
		{name: "PACKAGE", code: true, least: 16}, {name: "VERSION", code: true, least: 19}, {name: "TAGS", code: true, least: 6, drop: 1},
		{name: "GONE"}, {name: "NEEDED", least: 12}, {name: "WHY IT WENT", least: 12},
	}}
	for _, it := range b.Items {
		if len(it.Uses) == 0 {
			continue
		}
		var uses []string
		for _, u := range it.Uses {
			uses = append(uses, fmt.Sprintf("%s on %s: %s", u.Kind, day(u.At), u.Detail))
		}
		name := shortDigest(it.Version)
		if it.Target == retention.TargetPackage {
			name = "(whole package)"
		}
		t.rows = append(t.rows, texts(it.Ref().String(), name, briefly(strings.Join(it.Tags, ", ")), day(it.At), briefly(strings.Join(uses, "; ")), briefly(ruleTexts(it.Rules))))
	}
	t.fold = count(len(t.rows), "version")
	return t
}

func (b Backtest) summary() string {
	s := b.Summary
	out := fmt.Sprintf("%s would have gone from %s", count(s.Deleted, "version"), count(s.Packages, "package"))
	if s.Held > 0 {
		out += fmt.Sprintf(", %d held in the end", s.Held)
	}
	if s.Missed == 0 {
		return out + "; none of it was needed later, as far as is known"
	}
	return out + fmt.Sprintf("; %d needed later (%d restored, %d retagged, %d deployed)", s.Missed, s.Restored, s.Retagged, s.Deployed)
}

func (b Backtest) notes() []string {
	f := Forecast{preview.Forecast{Owners: slices.Clone(b.Owners), Notes: b.Notes, Problems: b.Problems}}
	for i := range f.Owners {
		f.Owners[i].Mode = retention.Enforce // that an owner is observed says nothing about the past
	}
	return f.notes()
}
