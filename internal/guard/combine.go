package guard

import (
	"slices"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// target is what a decision is about: a version, or the package for id 0.
type target = retention.ID

// wholePackage is the target of decisions about the package itself.
const wholePackage target = 0

// voices are the rules that spoke about one target, by what they asked for.
// A policy's own mode counts here; the run's mode is applied to the result.
type voices struct {
	keeps, observedKeeps       []retention.Rule
	deletes, observedDeletes   []retention.Rule
	restores, observedRestores []retention.Rule
}

// combine sorts decisions by target. The order of the decisions cannot matter:
// the result is a set of rules by kind, each kind sorted.
func combine(decisions []retention.Decision) map[target]*voices {
	by := map[target]*voices{}
	for _, d := range decisions {
		t := d.Version
		if d.Target == retention.TargetPackage {
			t = wholePackage
		} else if t == 0 {
			continue // names nothing: the engine reports it, nothing is done
		}
		v := by[t]
		if v == nil {
			v = &voices{}
			by[t] = v
		}
		list := v.list(d.Action, d.Mode)
		*list = append(*list, retention.Rule{
			Policy: d.Policy, Rule: d.Rule, Action: d.Action,
			Reason: d.Reason, Severity: d.Severity, Mode: d.Mode,
		})
	}
	for _, v := range by {
		for _, l := range []*[]retention.Rule{
			&v.keeps, &v.observedKeeps, &v.deletes, &v.observedDeletes, &v.restores, &v.observedRestores,
		} {
			sortRules(*l)
		}
	}
	return by
}

func (v *voices) list(a retention.Action, m retention.Mode) *[]retention.Rule {
	enforced := m == retention.Enforce
	switch a {
	case retention.Delete:
		if enforced {
			return &v.deletes
		}
		return &v.observedDeletes
	case retention.Restore:
		if enforced {
			return &v.restores
		}
		return &v.observedRestores
	default:
		if enforced {
			return &v.keeps
		}
		return &v.observedKeeps
	}
}

func sortRules(rs []retention.Rule) {
	slices.SortFunc(rs, func(a, b retention.Rule) int {
		return slices.Compare(
			[]string{a.Policy, a.Rule, a.Action.String(), a.Reason},
			[]string{b.Policy, b.Rule, b.Action.String(), b.Reason})
	})
}
