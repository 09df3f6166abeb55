package preview

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Kind says what becomes of one target when A is replaced by B.
type Kind string

// The kinds of change.
const (
	Added          Kind = "added"           // B deletes it, A does not
	Removed        Kind = "removed"         // A deletes it, B does not
	Changed        Kind = "changed"         // both delete it, by other rules
	Held           Kind = "held"            // B asks to delete it, and a guard holds that for now; A does not ask
	Unheld         Kind = "unheld"          // A asks to delete it, and a guard holds that for now; B does not ask
	RestoreAdded   Kind = "restore_added"   // B restores it, A does not
	RestoreRemoved Kind = "restore_removed" // A restores it, B does not
	Observed       Kind = "observed"        // an observing policy begins or ends to report it
)

// Change is what becomes of one version, or of a whole package.
type Change struct {
	Kind        Kind                  `json:"kind"`
	Owner       string                `json:"owner"`
	PackageType retention.PackageType `json:"package_type"`
	Package     string                `json:"package"`
	Target      retention.Target      `json:"target"`
	VersionID   retention.ID          `json:"version_id"`
	Version     string                `json:"version"`
	Tags        []string              `json:"tags"`
	CreatedAt   time.Time             `json:"created_at"`
	A           Verdict               `json:"a"`
	B           Verdict               `json:"b"`
}

// Ref names the change's package.
func (c Change) Ref() retention.PackageRef {
	return retention.PackageRef{Owner: c.Owner, Type: c.PackageType, Name: c.Package}
}

// Verdict is what one side says of a target. Without a status nobody asks for
// anything, and it stays.
type Verdict struct {
	Action    retention.Action     `json:"action"`
	Status    retention.Status     `json:"status"`
	Rules     []retention.Rule     `json:"rules"`     // who asks
	Overruled []retention.Rule     `json:"overruled"` // who objects: keeps that hold, unless the status is planned
	Guard     *retention.GuardNote `json:"guard"`
}

func verdictOf(it *retention.Item) Verdict {
	v := Verdict{Rules: []retention.Rule{}, Overruled: []retention.Rule{}}
	if it != nil {
		v.Action, v.Status, v.Guard = it.Action, it.Status, it.Guard
		v.Rules, v.Overruled = append(v.Rules, it.Rules...), append(v.Overruled, it.Overruled...)
	}
	return v
}

// acts reports whether the side would really do it.
func (v Verdict) acts(a retention.Action) bool {
	return v.Status == retention.StatusPlanned && v.Action == a
}

// held reports whether a delete only waits: for an alarm that a person releases,
// or until it is old enough.
func (v Verdict) held() bool {
	return v.Status == retention.StatusHeld && v.Action == retention.Delete
}

func (v Verdict) observed() bool { return v.Status == retention.StatusObserved }

// keeps are the rules that hold it, where a keep does.
func (v Verdict) keeps() []retention.Rule {
	if v.Status != retention.StatusKept {
		return nil
	}
	return v.Overruled
}

// sameRules compares who asks, not in which words: a reason may name an age.
func (v Verdict) sameRules(w Verdict) bool {
	names := func(rules []retention.Rule) []string {
		out := make([]string, len(rules))
		for i, r := range rules {
			out[i] = r.Policy + "\x00" + r.Rule
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(names(v.Rules), names(w.Rules))
}

// kindOf says what changes from a to b, if anything does.
func kindOf(a, b Verdict) (Kind, bool) {
	del, res := retention.Delete, retention.Restore
	switch {
	case b.acts(del) && !a.acts(del):
		return Added, true
	case a.acts(del) && !b.acts(del):
		return Removed, true
	case a.acts(del):
		return Changed, !a.sameRules(b)
	case b.held() && !a.held():
		return Held, true
	case a.held() && !b.held():
		return Unheld, true
	case b.acts(res) && !a.acts(res):
		return RestoreAdded, true
	case a.acts(res) && !b.acts(res):
		return RestoreRemoved, true
	case a.observed() != b.observed(), a.observed() && (a.Action != b.Action || !a.sameRules(b)):
		return Observed, true
	}
	return "", false
}

// place is what a change is about; the two sides' items are matched by it. A
// package is one target whatever is done to it.
type place struct {
	target  retention.Target
	version retention.ID
}

// changesOf compares the items of both sides for one package.
func changesOf(a, b []retention.Item) []Change {
	at := func(items []retention.Item) map[place]*retention.Item {
		out := make(map[place]*retention.Item, len(items))
		for i := range items {
			out[place{items[i].Target, items[i].VersionID}] = &items[i]
		}
		return out
	}
	inA, inB := at(a), at(b)
	whole := place{target: retention.TargetPackage}
	wholeA, wholeB := verdictOf(inA[whole]).acts(retention.Delete), verdictOf(inB[whole]).acts(retention.Delete)
	var out []Change
	add := func(it retention.Item, x, y *retention.Item) {
		va, vb := verdictOf(x), verdictOf(y)
		kind, ok := kindOf(va, vb)
		// What goes with its package on the other side changes by the package only.
		along := it.Target == retention.TargetVersion && (kind == Added && wholeA || kind == Removed && wholeB)
		if !ok || along {
			return
		}
		out = append(out, Change{
			Kind: kind, Owner: it.Owner, PackageType: it.PackageType, Package: it.Package, Target: it.Target,
			VersionID: it.VersionID, Version: it.Version, Tags: append([]string{}, it.Tags...), CreatedAt: it.CreatedAt, A: va, B: vb,
		})
	}
	for p, it := range inA {
		add(*it, it, inB[p])
	}
	for p, it := range inB {
		if inA[p] == nil {
			add(*it, nil, it)
		}
	}
	return out
}

func compareChanges(a, b Change) int {
	return cmp.Or(
		strings.Compare(a.Ref().String(), b.Ref().String()), a.CreatedAt.Compare(b.CreatedAt),
		cmp.Compare(a.VersionID, b.VersionID), strings.Compare(string(a.Target), string(b.Target)),
	)
}
