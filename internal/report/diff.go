package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// CommentBytes bounds what Markdown shows of a preview: GitHub takes comments of
// 65,536 characters.
const CommentBytes = 60_000

// Diff shows what changes between two policy sets.
type Diff struct{ preview.Diff }

func (d Diff) value() any { return d.Diff }

func (d Diff) document() document {
	out := document{
		title: "Policy diff", most: CommentBytes, notes: diffNotes(d.Diff), summary: diffSummary(d.Summary),
		empty: "Nothing changes: both policy sets would do the same.",
	}
	out.fact("from", policiesText(d.A))
	out.fact("to", policiesText(d.B))
	out.fact("evaluated at", stamp(d.EvaluatedAt))
	for _, o := range d.Owners {
		out.fact("owner "+o.Login, fmt.Sprintf("%s with %s; deletes %d before, %d after", count(o.Packages, "package"), count(o.Versions, "version"), o.DeletesA, o.DeletesB))
	}
	if len(d.Changes) == 0 {
		return out
	}
	if len(d.Policies) > 0 {
		out.tables = append(out.tables, policyDiffs(d.Policies))
	}
	return d.packageTables(out)
}

// packageTables adds one table for each package, its changes in their order.
func (d Diff) packageTables(out document) document {
	at := map[retention.PackageRef]int{}
	for _, p := range d.Packages {
		at[p.Ref()] = len(out.tables)
		fold := fmt.Sprintf("+%d −%d", p.Added, p.Removed)
		if p.Changed > 0 {
			fold += fmt.Sprintf(" ~%d", p.Changed)
		}
		out.tables = append(out.tables, table{
			heading: p.Ref().String(), fold: fmt.Sprintf("%s, of %s", fold, count(p.Versions, "version")),
			columns: []column{
				{name: "CHANGE"}, {name: "VERSION", code: true, least: 19}, {name: "TAGS", code: true, least: 6, drop: 1},
				{name: "AGE", right: true, drop: 2}, {name: "BEFORE", least: 12}, {name: "AFTER", least: 12},
			},
		})
	}
	for _, c := range d.Changes {
		i, ok := at[c.Ref()]
		if !ok {
			continue
		}
		out.tables[i].rows = append(out.tables[i].rows, []cell{
			kindCell(c), text(changedVersion(c)), text(briefly(strings.Join(c.Tags, ", "))), text(age(c.CreatedAt, d.EvaluatedAt)),
			text(verdictText(c.A)), text(verdictText(c.B)),
		})
	}
	return out
}

func policyDiffs(list []preview.PolicyDiff) table {
	t := table{columns: []column{
		{name: "POLICY", code: true}, {name: "ADDED", right: true}, {name: "REMOVED", right: true}, {name: "NOW KEPT", right: true}, {name: "NO LONGER KEPT", right: true},
	}}
	for _, p := range list {
		t.rows = append(t.rows, texts(p.Policy, fmt.Sprint(p.Added), fmt.Sprint(p.Removed), fmt.Sprint(p.Keeps), fmt.Sprint(p.Frees)))
	}
	return t
}

func policiesText(p preview.Policies) string {
	return strings.TrimSpace(p.Name + " " + shortDigest(p.Digest))
}

func diffSummary(s preview.DiffSummary) string {
	out := fmt.Sprintf("%s added, %d removed, %d by another rule", count(s.Added, "delete"), s.Removed, s.Changed)
	if s.Held > 0 {
		out += fmt.Sprintf(", %d held for now", s.Held)
	}
	if s.Restores > 0 {
		out += fmt.Sprintf(", %s changed", count(s.Restores, "restore"))
	}
	if s.Observed > 0 {
		out += fmt.Sprintf(", %d observed only", s.Observed)
	}
	return out
}

// maxNotes is how many notes are said in full.
const maxNotes = 20

func diffNotes(d preview.Diff) []string {
	var out []string
	for _, o := range d.Owners {
		if o.Alarm != "" {
			out = append(out, o.Login+": "+o.Alarm)
		}
	}
	out = append(out, d.Notes...)
	for _, p := range d.Problems {
		out = append(out, map[string]string{"a": "before: ", "b": "after: ", "both": ""}[p.Side]+problemNotes([]retention.Problem{p.Problem})[0])
	}
	for i := range out {
		out[i] = briefly(out[i])
	}
	if n := len(out) - maxNotes; n > 0 {
		out = append(out[:maxNotes], fmt.Sprintf("and %d notes more (--format json has them)", n))
	}
	return out
}

func kindCell(c preview.Change) cell {
	switch c.Kind {
	case preview.Added:
		return cell{text: "+ delete", tone: bad}
	case preview.Removed:
		return cell{text: "− delete", tone: good}
	case preview.Changed:
		return cell{text: "~ delete"}
	case preview.Held:
		return cell{text: "+ held", tone: doubtful}
	case preview.Unheld:
		return cell{text: "− held", tone: faint}
	case preview.RestoreAdded:
		return cell{text: "+ restore", tone: good}
	case preview.RestoreRemoved:
		return cell{text: "− restore", tone: doubtful}
	}
	return cell{text: "observed", tone: faint}
}

func changedVersion(c preview.Change) string {
	if c.Target == retention.TargetPackage {
		return "(whole package)"
	}
	return shortDigest(c.Version)
}

// verdictText says in one line what a side does with a target and why.
func verdictText(v preview.Verdict) string {
	asks := ruleTexts(v.Rules)
	switch {
	case v.Status == "":
		return "stays: no rule asks for anything"
	case v.Status == retention.StatusPlanned:
		return briefly(v.Action.String() + "s: " + asks)
	case v.Status == retention.StatusObserved:
		return briefly("stays, observed: " + asks)
	case v.Status == retention.StatusKept && v.Guard == nil && len(v.Overruled) > 0:
		return briefly("stays: " + ruleTexts(v.Overruled))
	case v.Guard != nil:
		return briefly(fmt.Sprintf("stays, %s: %s: %s", v.Status, v.Guard.Code, v.Guard.Detail))
	}
	return briefly("stays, " + string(v.Status) + ": " + asks)
}

func ruleTexts(rules []retention.Rule) string {
	var out []string
	for _, r := range rules {
		name := r.Policy
		if r.Rule != "" {
			name += "/" + r.Rule
		}
		if r.CascadeOf != nil {
			name = "goes with " + r.CascadeOf.String() + ", " + name
		}
		out = append(out, name+": "+r.Reason)
	}
	return cmp.Or(strings.Join(out, "; "), "no rule")
}

// briefly cuts a text to what a cell has room for; the JSON has all of it.
func briefly(s string) string {
	const most = 240
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
