package guard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// image builds a container package with a graph.
func image(nodes []retention.Node, vs ...retention.Version) retention.Inventory {
	inv := pkg(retention.Container, vs...)
	inv.Graph = retention.NewGraph(nodes)
	return inv
}

func node(d string, children ...string) retention.Node {
	return retention.Node{Digest: d, Children: children}
}

func refers(d, subject string) retention.Node { return retention.Node{Digest: d, Subject: subject} }

func TestCheckReferenceClosure(t *testing.T) {
	tests := map[string]struct {
		inv       retention.Inventory
		decisions []retention.Decision
		want      []string
	}{
		"a child of a surviving index stays": {
			image([]retention.Node{node("i", "a"), node("a"), node("x")}, v("i", "latest"), v("a"), v("x", "x")),
			[]retention.Decision{del(2)},
			[]string{"2 delete kept reference_closure"}},
		"a deleted index takes its untagged children along, children last": {
			image([]retention.Node{node("i", "a", "b"), node("a"), node("b"), node("x")}, v("i", "pr-1"), v("a"), v("b"), v("x", "x")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned", "3 delete planned with 1", "2 delete planned with 1"}},
		"a child with a tag of its own stays": {
			image([]retention.Node{node("i", "a", "b"), node("a"), node("b"), node("x")}, v("i", "pr-1"), v("a", "mine"), v("b"), v("x", "x")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned", "3 delete planned with 1"}},
		"a child shared with a surviving index stays": {
			image([]retention.Node{node("i", "a", "b"), node("j", "a"), node("a"), node("b")}, v("i", "pr-1"), v("j", "v1"), v("a"), v("b")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned", "4 delete planned with 1"}},
		"a kept child stays though its index goes": {
			image([]retention.Node{node("i", "a"), node("a"), node("x")}, v("i", "pr-1"), v("a"), v("x", "x")),
			[]retention.Decision{del(1), del(2, keep)},
			[]string{"1 delete planned"}},
		"two doomed indexes that share a child are one unit": {
			image([]retention.Node{node("i", "a"), node("j", "a"), node("a"), node("x")}, v("i", "pr-1"), v("j", "pr-2"), v("a"), v("x", "x")),
			[]retention.Decision{del(1), del(2)},
			[]string{"2 delete planned", "1 delete planned", "3 delete planned with 2"}},
		"nested indexes count": {
			image([]retention.Node{node("o", "i"), node("i", "a"), node("a"), node("x")}, v("o", "v1"), v("i"), v("a"), v("x", "x")),
			[]retention.Decision{del(3)},
			[]string{"3 delete kept reference_closure"}},
		"a nested index goes whole": {
			image([]retention.Node{node("o", "i"), node("i", "a"), node("a"), node("x")}, v("o", "v1"), v("i"), v("a"), v("x", "x")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned", "2 delete planned with 1", "3 delete planned with 1"}},
		"a signature stays with its subject": {
			image([]retention.Node{node("i"), refers("s", "i"), node("x")}, v("i", "v1"), v("s"), v("x", "x")),
			[]retention.Decision{del(2)},
			[]string{"2 delete kept reference_closure"}},
		"a signature goes with its subject": {
			image([]retention.Node{node("i"), refers("s", "i"), node("x")}, v("i", "v1"), v("s", referrerTagOf(1)), v("x", "x")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned", "2 delete planned with 1"}},
		"an SBOM of two images stays with the one that stays": {
			image([]retention.Node{node("i"), node("j"), {Digest: "s", Subject: "i", MoreSubjects: []string{"j"}}}, v("i", "v1"), v("j", "v2"), v("s")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned"}},
		"and goes with both": {
			image([]retention.Node{node("i"), node("j"), {Digest: "s", Subject: "i", MoreSubjects: []string{"j"}}, node("x")}, v("i", "v1"), v("j", "v2"), v("s"), v("x", "x")),
			[]retention.Decision{del(1), del(2)},
			[]string{"2 delete planned", "1 delete planned", "3 delete planned with 2"}},
		"the referrers of a child go too": {
			image([]retention.Node{node("i", "a"), node("a"), refers("s", "a"), node("x")}, v("i", "v1"), v("a"), v("s"), v("x", "x")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned", "2 delete planned with 1", "3 delete planned with 1"}},
		"a cycle that nothing doomed reaches stays": {
			image([]retention.Node{node("a", "b"), node("b", "a"), node("x"), node("y")}, v("a"), v("b"), v("x", "x"), v("y", "y")),
			[]retention.Decision{del(3)},
			[]string{"3 delete planned"}},
		"one doomed half of a cycle stays with the other": {
			image([]retention.Node{node("a", "b"), node("b", "a"), node("x")}, v("a"), v("b", "t"), v("x", "x")),
			[]retention.Decision{del(1)},
			[]string{"1 delete kept reference_closure"}},
		"an index whose subject is its own child goes before that child": {
			image([]retention.Node{{Digest: "i", Children: []string{"a"}, Subject: "a"}, node("a"), node("x")}, v("i", "pr-1"), v("a"), v("x", "x")),
			[]retention.Decision{del(1)},
			[]string{"1 delete planned", "2 delete planned with 1"}},
		"so does each of two nested indexes": {
			image([]retention.Node{node("o", "i"), {Digest: "i", Children: []string{"a"}}, {Digest: "a", Subject: ""}, refers("s", "a"), {Digest: "o", Children: []string{"i"}, Subject: "a"}, node("x")},
				v("a"), v("i"), v("o", "pr-1"), v("s"), v("x", "x")),
			[]retention.Decision{del(3)},
			[]string{"3 delete planned", "2 delete planned with 3", "1 delete planned with 3", "4 delete planned with 3"}},
		"the version GitHub would refuse holds its children": {
			image([]retention.Node{node("i", "a"), node("a")}, v("i", "v1"), v("a")),
			[]retention.Decision{del(1), del(2)},
			[]string{"2 delete kept reference_closure", "1 delete blocked last_tagged_version"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(Check(subject(tt.inv, tt.decisions...)).Items())); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

func referrerTagOf(n int) string { return fmt.Sprintf("sha256-%064x.sig", n) }

// randomImage draws a package with a random graph: children, subjects, tags,
// shared and nested indexes, now and then a cycle.
func randomImage(t *rapid.T) retention.Inventory {
	n := rapid.IntRange(1, 12).Draw(t, "versions")
	name := func(i int) string { return fmt.Sprintf("sha256:%064x", i) }
	var vs []retention.Version
	var nodes []retention.Node
	for i := range n {
		ver := v(name(i))
		if rapid.IntRange(0, 2).Draw(t, "tagged") == 0 {
			ver = v(name(i), fmt.Sprintf("t%d", i))
		}
		ver.CreatedAt = now.AddDate(0, 0, -rapid.IntRange(0, 40).Draw(t, "age"))
		nd := node(name(i))
		for range rapid.IntRange(0, 2).Draw(t, "children") {
			nd.Children = append(nd.Children, name(rapid.IntRange(0, n).Draw(t, "child")))
		}
		if rapid.IntRange(0, 4).Draw(t, "refers") == 0 {
			nd.Subject = name(rapid.IntRange(0, n).Draw(t, "subject"))
			if rapid.IntRange(0, 2).Draw(t, "twice") == 0 {
				nd.MoreSubjects = []string{name(rapid.IntRange(0, n).Draw(t, "another subject"))}
			}
		}
		vs, nodes = append(vs, ver), append(nodes, nd)
	}
	return image(nodes, vs...)
}

func randomDecisions(t *rapid.T, n int) []retention.Decision {
	var ds []retention.Decision
	for range rapid.IntRange(0, 2*n).Draw(t, "decisions") {
		d := del(retention.ID(rapid.IntRange(1, n).Draw(t, "version")))
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0, 1:
			keep(&d)
		case 2:
			observed(&d)
		case 3:
			whole(&d)
			if rapid.Bool().Draw(t, "keep package") {
				keep(&d)
			}
		}
		d.Policy += fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "policy"))
		ds = append(ds, d)
	}
	return ds
}

// TestCheckProperties holds for any graph and any decisions: what stays is
// whole at every step, keep never loses, GitHub's last-version rules hold, and
// the order of the decisions never matters.
func TestCheckProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inv := randomImage(t)
		s := subject(inv, randomDecisions(t, len(inv.Versions))...)
		items := Check(s).Items()

		gone := map[retention.ID]bool{}
		wholePackage := false
		for _, it := range items {
			if it.Status != retention.StatusPlanned {
				continue
			}
			if it.Target == retention.TargetPackage {
				wholePackage = true
				continue
			}
			if gone[it.VersionID] {
				t.Fatalf("version %s is deleted twice", it.VersionID)
			}
			gone[it.VersionID] = true
			checkStep(t, inv, gone, it)
		}
		if b := Broken(inv, gone); len(b) > 0 {
			t.Fatalf("survivors need %v", b)
		}
		for _, d := range s.Judgement.Decisions {
			if d.Action != retention.Keep || d.Mode != retention.Enforce {
				continue
			}
			if wholePackage || gone[d.Version] || (d.Target == retention.TargetPackage && len(gone) > 0) {
				t.Fatalf("a keep lost: %+v against %v", d, lines(items))
			}
		}
		if len(gone) > 0 && len(gone) == inv.Active() {
			t.Fatalf("every version goes")
		}
		seed := rapid.Uint64().Draw(t, "shuffle")
		r := rand.New(rand.NewPCG(seed, seed))
		s.Judgement.Decisions = slices.Clone(s.Judgement.Decisions)
		r.Shuffle(len(s.Judgement.Decisions), func(i, j int) {
			ds := s.Judgement.Decisions
			ds[i], ds[j] = ds[j], ds[i]
		})
		if diff := cmp.Diff(items, Check(s).Items()); diff != "" {
			t.Fatalf("the order of decisions matters (-first +shuffled):\n%s", diff)
		}
	})
}

// checkStep fails when deleting it, with what went before, leaves a version
// that stays for good or for now without a child it had. Cycles are exempt:
// there is no order in which they could go.
func checkStep(t *rapid.T, inv retention.Inventory, gone map[retention.ID]bool, it retention.Item) {
	for _, w := range inv.Versions {
		if gone[w.ID] {
			continue
		}
		if inv.Graph.Reach(w.Name)[it.Version] && !inv.Graph.Reach(it.Version)[w.Name] {
			t.Fatalf("after deleting %s version %s, still there, lacks it", it.VersionID, w.ID)
		}
	}
}

func TestBrokenNamesWhatSurvivorsNeed(t *testing.T) {
	inv := image([]retention.Node{node("i", "a"), node("a"), node("x")}, v("i", "v1"), v("a"), v("x"))
	if got := Broken(inv, map[retention.ID]bool{2: true, 3: true}); !cmp.Equal(got, []retention.ID{2}) {
		t.Errorf("Broken = %v, want the child of the surviving index only", got)
	}
	if got := Broken(inv, map[retention.ID]bool{1: true, 2: true}); got != nil {
		t.Errorf("Broken = %v, want none when the index goes too", got)
	}
}
