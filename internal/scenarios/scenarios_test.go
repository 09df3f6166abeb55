package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// TestScenarios plays every file of testdata from the plan to the undo.
func TestScenarios(t *testing.T) {
	all := load(t)
	if len(all) < 45 {
		t.Errorf("%d scenarios are left of at least 45", len(all))
	}
	for _, file := range slices.Sorted(maps.Keys(all)) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			play(t, all[file])
		})
	}
}

// play is one scenario: plan, apply, look, plan again, undo, look.
func play(t *testing.T, s scenario) {
	w := newWorld(t, s, loadPolicies(t, s.Policies))
	w.faults(nil)
	w.publish(s.Publish)
	names := w.names()
	before := stateOf(w)
	pulled := w.pullAll()
	pushed := pushedVersions(s)
	w.watch.begin(pushed, s.Expect.Later)

	w.faults(s.Seed.Faults)
	w.sim.Server.ResetCalls()
	plan := w.plan()
	if s.Expect.Calls != nil {
		if diff := cmp.Diff(*s.Expect.Calls, w.sim.Server.CallCounts()); diff != "" {
			t.Errorf("calls of the plan (-want +got):\n%s", diff)
		}
	}
	checkPlan(t, s.Expect, names, plan)
	if t.Failed() {
		return
	}

	w.publish(s.Meanwhile)
	if len(s.Meanwhile) > 0 {
		names, before = w.names(), stateOf(w)
		w.watch.begin(pushed, s.Expect.Later)
	}
	if s.FaultsAtApply != nil {
		w.faults(s.FaultsAtApply)
	}
	runs := []string{plan.ID()}
	w.sim.Server.ResetCalls()
	if s.Stops {
		w.applyUntilItStops(plan, s.Person)
	}
	checkOutcomes(t, s.Expect, names, w.apply(plan, s.Person))
	if s.Expect.Deleted != nil {
		if n := deletions(w.sim.Server.Calls()); n != *s.Expect.Deleted {
			t.Errorf("%d deleting calls succeeded, want %d", n, *s.Expect.Deleted)
		}
	}
	runs = append(runs, w.settle(s, names)...)

	after := stateOf(w)
	checkSurvivors(t, s, pushed, before, after)
	if len(s.Expect.Restored) > 0 {
		// What lacked something before gives more now: that is the point.
		maps.DeleteFunc(pulled, func(_, tree string) bool { return strings.Contains(tree, ": Not Found\n") })
	}
	comparePulls(t, "after the run", after, pulled, w.pullAll())
	w.undoAll(runs)
	want := maps.Clone(before)
	for _, name := range s.Expect.Restored {
		want[name] = after[name]
	}
	for _, name := range s.Expect.NotBack {
		delete(want, name)
	}
	if diff := cmp.Diff(want, stateOf(w)); diff != "" {
		t.Errorf("after the undo (-before +now):\n%s", diff)
	}
	comparePulls(t, "after the undo", want, pulled, w.pullAll())
	if _, err := w.ledger.Verify(t.Context(), owner); err != nil {
		t.Error(err)
	}
}

// settle plans again until nothing is left to do, which must be at once but for
// what the scenario says, and never takes back what was done.
func (w *world) settle(s scenario, names map[retention.ID]string) (runs []string) {
	w.t.Helper()
	for i := range len(s.Expect.Again) + 1 {
		plan := w.plan()
		var acts []string
		for _, it := range plan.Items() {
			if it.Status == retention.StatusPlanned {
				acts = append(acts, nameOf(names, it))
			}
		}
		slices.Sort(acts)
		var want []string
		if i < len(s.Expect.Again) {
			want = slices.Sorted(slices.Values(s.Expect.Again[i]))
		}
		if diff := cmp.Diff(want, acts); diff != "" {
			w.t.Fatalf("plan %d has to do (-want +got):\n%s", i+2, diff)
		}
		if len(acts) == 0 {
			return runs
		}
		w.apply(plan, s.Person)
		runs = append(runs, plan.ID())
	}
	return runs
}

// undoAll undoes the runs, the last one first. Those that deleted nothing have
// nothing to undo.
func (w *world) undoAll(runs []string) {
	w.t.Helper()
	w.faults(nil)
	for _, run := range slices.Backward(runs) {
		actions, err := w.ledger.Actions(w.t.Context(), run)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(actions) > 0 {
			if res := w.undo(run); !res.Clean() {
				w.t.Errorf("the undo of %s ended as %v", run, res.Counts())
			}
		}
	}
}

// checkPlan compares every item of the plan with what is expected of it.
func checkPlan(t *testing.T, e expectation, names map[retention.ID]string, plan guard.Plan) {
	t.Helper()
	got, want, cascade := map[string]string{}, maps.Clone(e.Plan), map[string]string{}
	if want == nil {
		want = map[string]string{}
	}
	for _, it := range plan.Items() {
		name, status := nameOf(names, it), string(it.Status)
		if it.Guard != nil {
			status += " " + string(it.Guard.Code)
		}
		if _, named := want[name]; named || it.Status != retention.StatusPlanned {
			got[name] = status
		}
		for _, r := range it.Rules {
			if r.CascadeOf != nil && it.Status != retention.StatusKept {
				cascade[name] = names[*r.CascadeOf]
			}
		}
		if reason, ok := e.KeptBy[name]; ok && !strings.Contains(fmt.Sprint(it.Overruled, it.Guard), reason) {
			t.Errorf("%s is kept by %v %v, not because of %q", name, it.Overruled, it.Guard, reason)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	for name, root := range e.Cascade {
		if cascade[name] != strings.TrimSpace(root) {
			t.Errorf("%s goes with %q, want %q", name, cascade[name], root)
		}
		delete(cascade, name)
	}
	if len(cascade) > 0 {
		t.Errorf("these go along and are not expected to: %v", cascade)
	}
	checkProblems(t, e.Problems, plan.Problems())
}

func checkProblems(t *testing.T, want []string, got []retention.Problem) {
	t.Helper()
	text := fmt.Sprint(got)
	for _, part := range want {
		if !strings.Contains(text, part) {
			t.Errorf("no problem says %q: %v", part, got)
		}
	}
	if len(want) == 0 && len(got) > 0 {
		t.Errorf("unexpected problems: %v", got)
	}
}

// checkOutcomes compares what did not end as done with what is expected.
func checkOutcomes(t *testing.T, e expectation, names map[retention.ID]string, res enforce.Result) {
	t.Helper()
	got := map[string]string{}
	for _, it := range res.Items {
		if it.Outcome != retention.OutcomeDone {
			outcome := string(it.Outcome)
			if outcome == "" {
				outcome = string(it.Status)
			}
			got[nameOf(names, it)] = outcome
		}
	}
	want := e.Outcomes
	if want == nil {
		want = map[string]string{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes other than done (-want +got):\n%s", diff)
	}
}

// checkSurvivors compares what is left, and that referrers and subjects share their fate.
func checkSurvivors(t *testing.T, s scenario, pushed map[string]githubsim.Version, before, after map[string]string) {
	t.Helper()
	want := []string{}
	for pkg, keys := range s.Expect.Survivors {
		for _, key := range keys {
			want = append(want, pkg+"@"+key)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, append([]string{}, slices.Sorted(maps.Keys(after))...)); diff != "" {
		t.Errorf("survivors (-want +got):\n%s", diff)
	}
	for name, v := range pushed {
		for _, key := range subjects(v) {
			subject := sibling(name, key)
			if !has(before, name) || !has(before, subject) {
				continue
			}
			if has(after, subject) && !has(after, name) {
				t.Errorf("referrer %s is gone although its subject %s stays", name, subject)
			}
			if has(after, name) && !has(after, subject) && !slices.Contains(s.Expect.Orphans, name) {
				t.Errorf("referrer %s stays although its subject %s is gone", name, subject)
			}
		}
	}
}

// comparePulls makes sure that every tag that is there and could be pulled
// before gives the same bytes now, and that every tag is tried.
func comparePulls(t *testing.T, when string, state map[string]string, before, now pulls) {
	t.Helper()
	for ref, was := range before {
		is, there := now[ref]
		if there && is != was {
			t.Errorf("%s, %s gives something else (-before +now):\n%s", when, ref, cmp.Diff(was, is))
		}
	}
	tags := 0
	for _, names := range state {
		if names != "" {
			tags += len(strings.Split(names, " "))
		}
	}
	if tags != len(now) {
		t.Errorf("%s, %d tags are there and %d were pulled", when, tags, len(now))
	}
}

// stateOf is what is there: package@key → tags. Tags of other packages than
// containers do not exist.
func stateOf(w *world) map[string]string {
	out := map[string]string{}
	for _, o := range w.sim.Server.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if p.State == retention.Active && v.State == retention.Active {
					out[p.Name+"@"+v.Key] = strings.Join(v.Tags, " ")
				}
			}
		}
	}
	return out
}

// names are all versions by id.
func (w *world) names() map[retention.ID]string {
	out := map[retention.ID]string{}
	for _, o := range w.sim.Server.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				out[retention.ID(v.ID)] = p.Name + "@" + v.Key
			}
		}
	}
	return out
}

// nameOf is package@key for a version, and the name for a package.
func nameOf(names map[retention.ID]string, it retention.Item) string {
	if it.Target == retention.TargetPackage {
		return it.Package
	}
	return names[it.VersionID]
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// deletions counts the deleting calls that succeeded.
func deletions(calls []githubsim.Call) int {
	n := 0
	for _, c := range calls {
		if c.Method == "DELETE" && c.Status == 204 {
			n++
		}
	}
	return n
}
