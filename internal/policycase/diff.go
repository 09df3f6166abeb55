package policycase

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// differ collects how a case came out otherwise than it says.
type differ struct {
	file     string
	world    *world
	problems []string
}

// add notes a problem with the line that it is about.
func (d *differ) add(line int, format string, args ...any) {
	d.problems = append(d.problems, fmt.Sprintf("%s:%d: %s", d.file, line, fmt.Sprintf(format, args...)))
}

// decisions holds what was decided against what is expected, both ways.
func (d *differ) decisions(c *caseSpec, got []retention.Decision) {
	var expected []expectSpec
	line := c.line
	if c.Expect != nil {
		expected = *c.Expect
	} else if len(c.Fails) > 0 {
		return // only the failure is of interest
	}
	covered := make([]bool, len(got))
	for _, e := range expected {
		fits, near := 0, ""
		for i, g := range got {
			why := d.differs(e, g)
			if why == "" {
				fits++
				covered[i] = true
			} else if d.sameTarget(e, g) {
				near = "; " + d.text(g) + ", where " + why
			}
		}
		if fits == 0 {
			d.add(e.line, "- expected, but not decided: %s%s", e.text(), near)
		}
	}
	for i, g := range got {
		if !covered[i] {
			d.add(line, "+ decided, but not expected: %s", d.text(g))
		}
	}
}

func (d *differ) target(g retention.Decision) string {
	if g.Target == retention.TargetPackage {
		return wholePackage
	}
	return d.world.keys[g.Version]
}

func (e expectSpec) target() string {
	if e.Package {
		return wholePackage
	}
	return e.Version
}

func (e expectSpec) text() string {
	out := e.Action + " " + e.target()
	if e.Policy != "" {
		out += " by " + e.Policy
	}
	if e.Rule != "" {
		out += "/" + e.Rule
	}
	if e.Reason != "" {
		out += fmt.Sprintf(" (%s)", e.Reason)
	}
	return out
}

func (d *differ) text(g retention.Decision) string {
	out := g.Action.String() + " " + d.target(g) + " by " + g.Policy
	if g.Rule != "" {
		out += "/" + g.Rule
	}
	return fmt.Sprintf("%s (%s)", out, g.Reason)
}

func (d *differ) sameTarget(e expectSpec, g retention.Decision) bool {
	return e.target() == d.target(g) && e.Action == g.Action.String()
}

// differs says in what a decision is not the expected one; "" if it is.
func (d *differ) differs(e expectSpec, g retention.Decision) string {
	switch {
	case !d.sameTarget(e, g):
		return "it is about something else"
	case e.Policy != "" && e.Policy != g.Policy:
		return "the policy is another"
	case e.Rule != "" && e.Rule != g.Rule:
		return "the rule is another"
	case e.Reason != "" && !strings.Contains(g.Reason, e.Reason):
		return "the reason is another"
	case e.Mode != "" && e.Mode != g.Mode.String():
		return "the mode is " + g.Mode.String()
	}
	return ""
}

// failures holds the policies' failures against the texts that are expected of them.
func (d *differ) failures(c *caseSpec, got []retention.Problem) {
	covered := make([]bool, len(got))
	for _, want := range c.Fails {
		fits := false
		for i, g := range got {
			if strings.Contains(g.Detail, want) {
				fits, covered[i] = true, true
			}
		}
		if !fits {
			d.add(c.line, "- expected, but no policy failed so: %s", want)
		}
	}
	for i, g := range got {
		if !covered[i] {
			d.add(c.line, "+ failed, though not expected to: %s", g.Detail)
		}
	}
}

// outcome holds the items of the plan against what is said of them.
func (d *differ) outcome(c *caseSpec, items []retention.Item) {
	got := map[string]retention.Item{}
	for _, it := range items {
		key := wholePackage
		if it.Target == retention.TargetVersion {
			key = d.world.keys[it.VersionID]
		}
		got[key] = it
	}
	for _, key := range slices.Sorted(maps.Keys(c.Outcome)) {
		want := c.Outcome[key]
		it, ok := got[key]
		switch {
		case key != wholePackage && d.world.ids[key] == 0:
			d.add(want.line, "the outcome names %q, which is no version of the case", key)
		case want.text == stays && ok && it.Status == retention.StatusPlanned:
			d.add(want.line, "- outcome of %s: expected stays, got %s", key, itemText(it))
		case want.text == stays:
		case !ok:
			d.add(want.line, "- outcome of %s: expected %s, got nothing: it stays", key, want.text)
		case want.text != itemText(it) && want.text != itemWords(it):
			d.add(want.line, "- outcome of %s: expected %s, got %s", key, want.text, itemText(it))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, named := c.Outcome[key]; !named {
			d.add(c.line, "+ outcome of %s is not named: %s", key, itemText(got[key]))
		}
	}
}

// stays is the outcome of what nothing happens to.
const stays = "stays"

func itemWords(it retention.Item) string { return it.Action.String() + " " + string(it.Status) }

func itemText(it retention.Item) string {
	if it.Guard == nil {
		return itemWords(it)
	}
	return itemWords(it) + " " + string(it.Guard.Code)
}

// outcome is what the guards make of a case's decisions. Budgets and alarms are
// wide open unless the case sets them: a case has a handful of versions, of which
// one is always a large share.
func outcome(ctx context.Context, e *policy.Engine, w *world, j retention.Judgement, c *caseSpec) ([]retention.Item, error) {
	mode, err := retention.ParseMode(cmp.Or(c.Mode, retention.Enforce.String()))
	if err != nil {
		return nil, err
	}
	limits := retention.DefaultLimits()
	limits.PercentOfPackage, limits.PercentOfOwner = 100, 100
	c.Limits.over(&limits)
	draft, err := enforce.Settle(ctx, e, guard.Subject{
		Inventory: w.req.Inventory, Judgement: j, Trigger: w.req.Trigger, Limits: limits,
	}, "run-2", w.req.EvaluatedAt)
	if err != nil {
		return nil, err
	}
	plan := guard.Assemble(guard.Header{ID: "case", CreatedAt: w.req.EvaluatedAt, EvaluatedAt: w.req.EvaluatedAt, Trigger: w.req.Trigger},
		[]guard.OwnerDraft{{Owner: w.req.Inventory.Owner, Mode: mode, Limits: limits, Drafts: []guard.Draft{draft}}})
	return plan.Items(), nil
}

func (l *limitsSpec) over(to *retention.Limits) {
	if l == nil {
		return
	}
	set(&to.DeletesPerRun, l.DeletesPerRun)
	set(&to.DeletesPerDay, l.DeletesPerDay)
	set(&to.PercentOfPackage, l.PercentOfPackage)
	set(&to.PercentOfOwner, l.PercentOfOwner)
	if l.MinAge != nil {
		to.MinAge = l.MinAge.d
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
