package guard

import (
	"cmp"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// shelf is one package's active versions as the closure sees them.
type shelf struct {
	inv    retention.Inventory
	active []retention.Version // newest first
	byID   map[retention.ID]retention.Version
	byName map[string]retention.Version // container digest → active version
	firm   ids                          // never taken along: kept, young or refused
}

func newShelf(inv retention.Inventory) *shelf {
	s := &shelf{inv: inv, byID: map[retention.ID]retention.Version{}, byName: map[string]retention.Version{}, firm: ids{}}
	for _, v := range inv.Versions {
		if v.IsActive() {
			s.active = append(s.active, v)
			s.byID[v.ID] = v
			s.byName[v.Name] = v
		}
	}
	return s
}

// ids is a set of versions.
type ids map[retention.ID]bool

// reach returns the active versions that the given ones need, themselves included.
func (s *shelf) reach(from ids) ids {
	names := make([]string, 0, len(from))
	out := make(ids, len(from))
	for id := range from {
		if v, ok := s.byID[id]; ok {
			out[id] = true
			names = append(names, v.Name)
		}
	}
	if s.inv.Package.Type != retention.Container {
		return out
	}
	for d := range s.inv.Graph.Reach(names...) {
		if v, ok := s.byName[d]; ok {
			out[v.ID] = true
		}
	}
	return out
}

// cascade returns what goes with the deletion of doomed: untagged versions that
// only doomed ones reach. saved is what the survivors reach, which may hold
// members of doomed: those must not be deleted.
func (s *shelf) cascade(doomed ids) (along, saved ids) {
	reached := s.reach(doomed)
	anchors := ids{}
	for _, v := range s.active {
		if doomed[v.ID] {
			continue
		}
		// Whatever has a tag of its own, is protected, or is not reached from
		// anything doomed stays, and holds what it needs.
		if v.Tagged() || s.firm[v.ID] || !reached[v.ID] {
			anchors[v.ID] = true
		}
	}
	saved = s.reach(anchors)
	along = ids{}
	for id := range reached {
		if !doomed[id] && !saved[id] {
			along[id] = true
		}
	}
	return along, saved
}

// holder names a surviving version that needs v directly, for the report.
func (s *shelf) holder(v retention.Version, saved ids) (retention.Version, bool) {
	n, _ := s.inv.Graph.Node(v.Name)
	for _, d := range slices.Concat(s.inv.Graph.Parents(v.Name), n.Subjects()) {
		if h, ok := s.byName[d]; ok && h.ID != v.ID && saved[h.ID] {
			return h, true
		}
	}
	return retention.Version{}, false
}

// units splits the versions that go into groups that need one another, each in
// the order in which it must be deleted: what holds comes before what is held,
// so that an interruption never leaves an index without a child. The units come
// oldest first.
func (s *shelf) units(going ids) [][]retention.Version {
	group := s.groups(going)
	members := map[retention.ID][]retention.Version{}
	for _, v := range slices.Backward(s.active) { // oldest first
		if going[v.ID] {
			g := group[v.ID]
			members[g] = append(members[g], v)
		}
	}
	var out [][]retention.Version
	for _, vs := range members {
		out = append(out, s.topological(vs))
	}
	slices.SortFunc(out, func(a, b []retention.Version) int { return compareAge(oldest(a), oldest(b)) })
	return out
}

// groups joins versions connected by Needs among those that go.
func (s *shelf) groups(going ids) map[retention.ID]retention.ID {
	boss := map[retention.ID]retention.ID{}
	var find func(id retention.ID) retention.ID
	find = func(id retention.ID) retention.ID {
		if p, ok := boss[id]; ok && p != id {
			r := find(p)
			boss[id] = r
			return r
		}
		return id
	}
	for _, v := range s.active {
		if !going[v.ID] {
			continue
		}
		for _, n := range s.needs(v) {
			if going[n.ID] {
				boss[find(n.ID)] = find(v.ID)
			}
		}
	}
	out := map[retention.ID]retention.ID{}
	for id := range going {
		out[id] = find(id)
	}
	return out
}

// needs returns the active versions that v points at, directly.
func (s *shelf) needs(v retention.Version) []retention.Version {
	if s.inv.Package.Type != retention.Container {
		return nil
	}
	var out []retention.Version
	for _, d := range s.inv.Graph.Needs(v.Name) {
		if n, ok := s.byName[d]; ok {
			out = append(out, n)
		}
	}
	return out
}

// topological orders members so that each comes after all that need it, oldest
// first among equals. Whatever needs another reaches at least what that one
// reaches, so ordering by how much each reaches is enough, but for those that
// need one another: an index whose subject, or whose referrer tag, names one of
// its own children. Among these an index goes before its children, which no
// cycle can contradict: a digest can't contain itself.
func (s *shelf) topological(members []retention.Version) []retention.Version {
	reaches := make(map[retention.ID]int, len(members))
	contains := make(map[retention.ID]int, len(members))
	for _, v := range members {
		reaches[v.ID] = len(s.reach(ids{v.ID: true}))
		contains[v.ID] = s.contents(v)
	}
	out := slices.Clone(members)
	slices.SortFunc(out, func(a, b retention.Version) int {
		return cmp.Or(
			cmp.Compare(reaches[b.ID], reaches[a.ID]),
			cmp.Compare(contains[b.ID], contains[a.ID]),
			compareAge(a, b),
		)
	})
	return out
}

// contents counts the manifests that v holds by manifests[] alone, at any depth.
func (s *shelf) contents(v retention.Version) int {
	seen := map[string]bool{}
	stack := []string{v.Name}
	for len(stack) > 0 {
		d := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[d] {
			continue
		}
		seen[d] = true
		if n, ok := s.inv.Graph.Node(d); ok {
			stack = append(stack, n.Children...)
		}
	}
	return len(seen)
}

func oldest(vs []retention.Version) retention.Version { return slices.MinFunc(vs, compareAge) }

func compareAge(a, b retention.Version) int {
	if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}
