package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Subject is one package with everything that the guards need to judge it.
type Subject struct {
	Inventory retention.Inventory
	Judgement retention.Judgement
	Trigger   retention.Trigger
	Limits    retention.Limits
	// Refused holds the versions (0: the package) that GitHub refused to delete
	// within the last 30 days, with its words. They are not tried again.
	Refused map[retention.ID]string
	// Undone holds the targets (0: the package) that the next plan would undo,
	// with the rules that would do so.
	Undone map[retention.ID][]retention.Rule
}

// Draft is the guarded part of a plan for one package, as it would be carried
// out when enforcing; Assemble applies the owner's mode and budgets. Only this
// package makes one. The zero Draft holds nothing.
type Draft struct {
	ref      retention.PackageRef
	digest   string
	active   int
	items    []retention.Item
	problems []retention.Problem
}

// Judged reports whether the draft is of just this state of the package, read
// whole: same digest, same input to the policies and the guard at the same instant.
func (d Draft) Judged(inv retention.Inventory) bool { return inv.Complete && d.digest == inv.Digest() }

// Items returns the draft's items in the order in which they would be done.
func (d Draft) Items() []retention.Item { return d.items }

// Active is how many active versions the package has.
func (d Draft) Active() int { return d.active }

// Problems returns what kept versions of the package from deletion.
func (d Draft) Problems() []retention.Problem { return d.problems }

// Bare returns the draft without its items: a package where nothing is done still
// counts among the owner's versions.
func (d Draft) Bare() Draft {
	d.items = nil
	return d
}

// Copy returns a draft whose items are its own: Assemble notes in the items of a
// draft what the budgets hold.
func (d Draft) Copy() Draft {
	d.items = slices.Clone(d.items)
	return d
}

// Check judges one package: it combines the decisions (keep beats delete, the
// order of policies never matters) and applies every guard that concerns a
// package on its own. Budgets over the owner come in Assemble.
func Check(s Subject) Draft {
	if len(s.Judgement.Decisions) == 0 {
		return Draft{ref: s.Inventory.Ref(), digest: s.Inventory.Digest(), active: s.Inventory.Active(), problems: problemsOf(s)}
	}
	c := &check{
		Subject: s,
		voices:  combine(s.Judgement.Decisions),
		shelf:   newShelf(s.Inventory),
		notes:   map[target]verdict{},
	}
	d := Draft{
		ref:      s.Inventory.Ref(),
		digest:   s.Inventory.Digest(),
		active:   len(c.shelf.active),
		problems: problemsOf(s),
	}
	pkg := c.packageDelete()
	holdLargeShare(pkg, d.active, s.Limits.PercentOfPackage)
	if len(pkg) == 0 || pkg[0].Status != retention.StatusPlanned {
		// The package stays for now, so its versions are judged one by one.
		d.items = c.versionItems()
		holdLargeShare(d.items, d.active, s.Limits.PercentOfPackage)
	}
	d.items = append(d.items, pkg...)
	d.items = append(d.items, c.restoreItems()...)
	return d
}

func problemsOf(s Subject) []retention.Problem {
	return slices.Concat(s.Inventory.Problems, s.Judgement.Failures)
}

// verdict is where a delete stands that is not simply planned.
type verdict struct {
	status    retention.Status
	note      *retention.GuardNote
	overruled []retention.Rule
}

// check is the state of judging one package.
type check struct {
	Subject
	voices map[target]*voices
	shelf  *shelf
	notes  map[target]verdict // deletes that will not be done
}

// veto returns why no delete at all may be done in this package, if so.
func (c *check) veto() *retention.GuardNote {
	switch {
	case len(c.Judgement.Failures) > 0:
		return note(retention.GuardPolicyFailed,
			"policy %s did not answer as the contract asks, so nothing of this package is deleted; mend it and plan again", c.Judgement.Failures[0].Policy)
	case !c.Inventory.Complete:
		why := "it could not be read whole"
		if len(c.Inventory.Problems) > 0 {
			why = c.Inventory.Problems[0].Detail
		}
		return note(retention.GuardCompleteness, "nothing of this package is deleted: %s", why)
	}
	return nil
}

// versionVeto returns the guard that stands before the deletion of v, whatever
// the rest of the package does.
func (c *check) versionVeto(v retention.Version) *verdict {
	if keeps := c.keepsOf(v.ID); len(keeps) > 0 {
		return &verdict{status: retention.StatusKept, overruled: keeps}
	}
	if rules := c.Undone[v.ID]; len(rules) > 0 {
		return &verdict{status: retention.StatusConflict, overruled: rules,
			note: note(retention.GuardNotUndone, "%s would restore it in the next run; make the two policies agree", rules[0].Policy)}
	}
	if detail, ok := c.Refused[v.ID]; ok {
		return &verdict{status: retention.StatusBlocked, note: note(retention.GuardDownloads, "%s", detail)}
	}
	if age, young := c.young(v); young {
		return &verdict{status: retention.StatusHeld, note: note(retention.GuardYoung,
			"untagged and %s old: a push may be in flight; it is looked at again once it is %s old (limits.min_age)", age, c.Limits.MinAge)}
	}
	return nil
}

// keepsOf returns the enforced keeps that cover a version: its own and the package's.
func (c *check) keepsOf(id target) []retention.Rule {
	var keeps []retention.Rule
	if v := c.voices[id]; v != nil {
		keeps = append(keeps, v.keeps...)
	}
	if v := c.voices[wholePackage]; v != nil && id != wholePackage {
		keeps = append(keeps, v.keeps...)
	}
	return keeps
}

// young reports whether v is an untagged container version that a push may
// still be about to name. A version without a creation time counts as young.
// The version that a webhook announced is exempt: reacting to it is the point.
func (c *check) young(v retention.Version) (string, bool) {
	if c.Inventory.Package.Type != retention.Container || v.Tagged() {
		return "", false
	}
	if c.Trigger.Kind == retention.TriggerWebhook && c.Trigger.VersionID == v.ID {
		return "", false
	}
	if v.CreatedAt.IsZero() {
		return "of unknown age, at least", c.Limits.MinAge > 0
	}
	age := c.Judgement.EvaluatedAt.Sub(v.CreatedAt)
	return age.Round(time.Minute).String(), age < c.Limits.MinAge
}

// restoreItems are the restores that policies ask for: they apply to deleted
// targets that are still inside GitHub's window. The oldest comes first, since
// children are pushed before their index: what GitHub lists of a deleted index
// does not say which they are.
func (c *check) restoreItems() []retention.Item {
	var out []retention.Item
	add := func(it retention.Item, v *voices, deletedAt time.Time) {
		it.Action = retention.Restore
		switch {
		case len(v.restores) == 0:
			it.Status, it.Rules = retention.StatusObserved, v.observedRestores
		case len(c.Undone[it.VersionID]) > 0:
			it.Status, it.Rules = retention.StatusConflict, v.restores
			it.Overruled = c.Undone[it.VersionID]
			it.Guard = note(retention.GuardNotUndone, "%s would delete it in the next run; make the two policies agree", it.Overruled[0].Policy)
		case !deletedAt.IsZero() && !c.Judgement.EvaluatedAt.Before(deletedAt.Add(retention.RestoreWindow)):
			it.Status, it.Rules = retention.StatusBlocked, v.restores
			it.Guard = note(retention.GuardRestoreWindow, "deleted on %s: GitHub restores for 30 days only", deletedAt.Format(time.DateOnly))
		default:
			it.Status, it.Rules = retention.StatusPlanned, v.restores
		}
		out = append(out, it)
	}
	if c.Inventory.Package.State == retention.Deleted {
		if v := c.voices[wholePackage]; v != nil && len(v.restores)+len(v.observedRestores) > 0 {
			add(c.packageItem(), v, time.Time{})
		}
		return out // versions come back with their package
	}
	for _, ver := range slices.Backward(c.Inventory.Versions) {
		v := c.voices[ver.ID]
		if ver.IsActive() || v == nil || len(v.restores)+len(v.observedRestores) == 0 {
			continue
		}
		add(c.item(ver), v, ver.DeletedAt)
	}
	return out
}

func (c *check) item(v retention.Version) retention.Item {
	return retention.Item{
		Owner: c.Inventory.Owner.Login, PackageType: c.Inventory.Package.Type, Package: c.Inventory.Package.Name,
		VersionID: v.ID, Version: v.Name, Tags: append([]string{}, v.Tags...), Referrers: v.Referrers,
		Target: retention.TargetVersion, CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
		Rules: []retention.Rule{}, Overruled: []retention.Rule{}, Cost: 1,
	}
}

func (c *check) packageItem() retention.Item {
	p := c.Inventory.Package
	return retention.Item{
		Owner: c.Inventory.Owner.Login, PackageType: p.Type, Package: p.Name,
		Tags: []string{}, Target: retention.TargetPackage, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		Rules: []retention.Rule{}, Overruled: []retention.Rule{}, Cost: max(1, len(c.shelf.active)),
	}
}

func note(code retention.GuardCode, format string, args ...any) *retention.GuardNote {
	return &retention.GuardNote{Code: code, Detail: fmt.Sprintf(format, args...)}
}
