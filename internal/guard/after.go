package guard

import (
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// After returns the package as it would be once the draft is carried out, so
// that the policies can be asked what the next plan would do.
func After(inv retention.Inventory, d Draft, run string, at time.Time) retention.Inventory {
	deleted, restored := map[retention.ID]string{}, ids{}
	packageRun := ""
	for _, it := range d.items {
		if it.Status != retention.StatusPlanned {
			continue
		}
		switch {
		case it.Target == retention.TargetPackage && it.Action == retention.Delete:
			packageRun = policyOf(it)
		case it.Target == retention.TargetPackage:
			inv.Package.State = retention.Active
		case it.Action == retention.Delete:
			deleted[it.VersionID] = policyOf(it)
		default:
			restored[it.VersionID] = true
		}
	}
	if packageRun != "" {
		inv.Package.State = retention.Deleted
	}
	gone := map[string]bool{}
	inv.Versions = slices.Clone(inv.Versions)
	for i := range inv.Versions {
		v := &inv.Versions[i]
		policy, dies := deleted[v.ID]
		if packageRun != "" && v.IsActive() {
			policy, dies = packageRun, true
		}
		switch {
		case dies:
			v.State, v.DeletedAt = retention.Deleted, at
			v.DeletedBy = &retention.DeletedBy{Run: run, Policy: policy}
			gone[v.Name] = true
		case restored[v.ID]:
			v.State, v.DeletedAt, v.DeletedBy = retention.Active, time.Time{}, nil
		}
	}
	inv.Graph = inv.Graph.Without(gone)
	return inv
}

func policyOf(it retention.Item) string {
	if len(it.Rules) == 0 {
		return ""
	}
	return it.Rules[0].Policy
}

// Undone compares a draft with what the policies say about the package as it
// would be after it: a planned delete that they would restore, a planned
// restore that they would delete. Guards don't count here: that a guard would
// hold the next plan back for now doesn't make two policies agree.
func Undone(d Draft, after retention.Judgement) map[retention.ID][]retention.Rule {
	next := combine(after.Decisions)
	out := map[retention.ID][]retention.Rule{}
	for _, it := range d.items {
		v := next[it.VersionID]
		if it.Status != retention.StatusPlanned || v == nil {
			continue
		}
		switch it.Action {
		case retention.Delete:
			if len(v.restores) > 0 {
				out[it.VersionID] = v.restores
			}
		case retention.Restore:
			kept := len(v.keeps) > 0
			if w := next[wholePackage]; w != nil && len(w.keeps) > 0 {
				kept = true
			}
			if len(v.deletes) > 0 && !kept {
				out[it.VersionID] = v.deletes
			}
		}
	}
	return out
}

// Broken returns those of the versions in gone that a version which stays
// needs, directly or not, in the package as it is now. It is the last question
// before anything is deleted; the answer must be none.
func Broken(inv retention.Inventory, gone map[retention.ID]bool) []retention.ID {
	s := newShelf(inv)
	stay := ids{}
	for _, v := range s.active {
		if !gone[v.ID] {
			stay[v.ID] = true
		}
	}
	needed := s.reach(stay)
	var out []retention.ID
	for _, v := range s.active {
		if gone[v.ID] && needed[v.ID] {
			out = append(out, v.ID)
		}
	}
	return out
}
