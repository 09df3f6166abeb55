package enforce_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// retag puts one more tag on a digest that is there.
func (w *world) retag(pkg, key, tag string) {
	w.t.Helper()
	w.publish(pkg, githubsim.Version{Key: key, Tags: []string{tag}})
}

// switched is a Judge that changes its mind between plan and apply.
type switched struct {
	rules
	applying bool
	also     func(retention.Inventory) []retention.Decision
}

func newSwitched(names ...string) *switched {
	s := &switched{}
	first := expire(names...)
	s.rules = rules{decide: func(inv retention.Inventory) []retention.Decision {
		out := first.decide(inv)
		if s.applying && s.also != nil {
			out = append(out, s.also(inv)...)
		}
		return out
	}}
	return s
}

func TestWhatChangedSinceThePlanIsLeftAlone(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(*world, *switched)
		want map[string]string // outcomes of what has a tag or a plain name
		gone []string
	}{
		{
			name: "a tag was pushed onto a doomed index",
			then: func(w *world, _ *switched) { w.retag("team/api", "v1", "wanted") },
			want: map[string]string{"team/api v1": "changed", "web w0": "done"},
			gone: []string{"web w0"},
		},
		{
			name: "a tag was pushed onto a child of a doomed index",
			then: func(w *world, _ *switched) { w.retag("team/api", "v1-amd", "wanted") },
			want: map[string]string{"team/api v1": "changed", "web w0": "done"},
			gone: []string{"web w0"},
		},
		{
			name: "a new index lists a child of a doomed one",
			then: func(w *world, _ *switched) {
				w.publish("team/api", index("v4", 0, []string{"v1-amd"}, "v4"))
			},
			want: map[string]string{"team/api v1": "changed", "web w0": "done"},
			gone: []string{"web w0"},
		},
		{
			name: "a version was deleted by hand",
			then: func(w *world, _ *switched) { w.handDelete("web", "w0") },
			want: map[string]string{"team/api v1": "done", "web w0": "gone"},
			gone: append(slices.Clone(v1Unit), "web w0"),
		},
		{
			name: "the package was deleted by hand",
			then: func(w *world, _ *switched) { w.hand(http.MethodDelete, "/orgs/acme/packages/container/web") },
			want: map[string]string{"team/api v1": "done", "web w0": "failed"},
			gone: append(slices.Clone(v1Unit), "web *"),
		},
		{
			name: "a policy keeps it now",
			then: func(_ *world, s *switched) {
				s.also = func(inv retention.Inventory) []retention.Decision {
					return decisions(inv, retention.Keep, retention.Active, "pin", []string{"v1"})
				}
			},
			want: map[string]string{"team/api v1": "changed", "web w0": "done"},
			gone: []string{"web w0"},
		},
		{
			name: "more is asked for than the alarm allows",
			then: func(w *world, s *switched) {
				w.limits.PercentOfPackage = 50
				s.also = expire("w1", "w2", "w3", "w4", "w5").decide
			},
			want: map[string]string{"team/api v1": "done", "web w0": "changed"},
			gone: v1Unit,
		},
		{
			name: "untagged versions count as young now",
			then: func(w *world, _ *switched) { w.limits.MinAge = 365 * 24 * time.Hour },
			want: map[string]string{"team/api v1": "changed", "web w0": "done"},
			gone: []string{"web w0"},
		},
		{
			name: "the policies ask for nothing any more",
			then: func(_ *world, s *switched) { s.decide = func(retention.Inventory) []retention.Decision { return nil } },
			want: map[string]string{"team/api v1": "changed", "web w0": "changed"},
			gone: []string{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := newSwitched("v1", "w0")
			plan := w.plan(judge)
			w.clock.Advance(time.Minute)
			tt.then(w, judge)
			judge.applying = true
			res := w.apply(plan, judge)
			got := outcomes(res.Items)
			delete(got, "team/api wanted") // a pushed tag may sort first
			diff(t, "outcomes", tt.want, got)
			diff(t, "what is gone", tt.gone, w.gone())
			w.audit(plan)
		})
	}
}

func TestPersonReleasesAlarmsButNoBudget(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits func(*retention.Limits)
		person bool
		want   int
	}{
		{"package alarm, scheduled", func(l *retention.Limits) { l.PercentOfPackage = 10 }, false, 0},
		{"package alarm, person", func(l *retention.Limits) { l.PercentOfPackage = 10 }, true, 4},
		{"owner alarm, scheduled", func(l *retention.Limits) { l.PercentOfOwner = 5 }, false, 0},
		{"owner alarm, person", func(l *retention.Limits) { l.PercentOfOwner = 5 }, true, 4},
		{"alarm and a run budget, person", func(l *retention.Limits) { l.PercentOfOwner, l.DeletesPerRun = 5, 3 }, true, 3},
		{"alarm and a day budget, person", func(l *retention.Limits) { l.PercentOfPackage, l.DeletesPerDay = 10, 2 }, true, 2},
		{"alarm and no budget at all, person", func(l *retention.Limits) { l.PercentOfPackage, l.DeletesPerDay = 10, 0 }, true, 0},
		{"alarms at zero, person", func(l *retention.Limits) { l.PercentOfPackage, l.PercentOfOwner = 0, 0 }, true, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			tt.limits(&w.limits)
			judge := expire("w0", "w1", "w2", "w3")
			plan := w.plan(judge)
			req := w.request(plan, judge)
			req.Person = tt.person
			res, err := w.enforcer().Apply(t.Context(), req)
			w.must(err)
			if got := res.Counts()[retention.OutcomeDone]; got != tt.want || len(w.deletions()) != tt.want {
				t.Errorf("%d done, %d deleted, want %d: %v", got, len(w.deletions()), tt.want, outcomes(res.Items))
			}
			if held := tt.person && tt.want < 4; res.Held() != held {
				t.Errorf("held: %t", res.Held())
			}
			if want := slices.Sorted(slices.Values([]string{"web w0", "web w1", "web w2", "web w3"}))[:tt.want]; !slices.Equal(want, w.gone()) {
				t.Errorf("gone: %v, want the oldest: %v", w.gone(), want)
			}
			w.audit(plan)
		})
	}
}

func TestReadingThatIsAlwaysTooOldEndsInARefusal(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0", "1.0.0")
	plan := w.plan(judge)
	targets := w.acme()
	slow := slowReader{Reader: targets[0].Reader, clock: w.clock}
	targets[0].Reader = &slow
	res := w.apply(plan, judge, targets...)
	diff(t, "outcomes", map[string]string{"web w0": "failed", "lib 1.0.0": "done"}, outcomes(res.Items))
	if slow.readings != 4 {
		t.Errorf("%d readings, want three of web and one of lib", slow.readings)
	}
	w.audit(plan)
}

func TestCachedReadingIsReadAgainBeforeAnythingIsPlannedFromIt(t *testing.T) {
	w := newWorld(t, acmeSeed())
	w.plan(expire())
	w.clock.Advance(time.Hour)
	before := w.sim.CallCounts().REST
	w.plan(expire())
	listed := w.sim.CallCounts().REST - before
	plan := w.plan(expire("w0"))
	if planned := w.sim.CallCounts().REST - before - listed; listed != 2 || planned <= listed {
		t.Errorf("%d calls to plan nothing, %d to plan a deletion", listed, planned)
	}
	diff(t, "statuses", map[string]string{"web w0": "planned"}, statuses(plan.Items()))
}

func TestASnapshotIsJudgedAgainOnlyWhereGitHubSaysOtherwise(t *testing.T) {
	const anew, once = 4, 2 // the snapshot and what the plan leaves of it, then the same of the reading
	for _, tt := range []struct {
		name   string
		change func(*retention.Inventory)
		judged int
		want   map[string]string
	}{
		{"the reading is the same", func(*retention.Inventory) {}, once, map[string]string{"web w0": "planned"}},
		{"the doomed version is tagged now", func(inv *retention.Inventory) { tagged(inv, "w0", "keep-me") }, anew, map[string]string{"web keep-me": "planned"}},
		{"the doomed version lost its tag", func(inv *retention.Inventory) { tagged(inv, "w0") }, anew - 1, map[string]string{}},
		{"a manifest can't be read any more", func(inv *retention.Inventory) {
			inv.Complete = false
			inv.Problems = []retention.Problem{{Owner: "acme", Package: "acme/container/web", Kind: retention.ProblemIncomplete, Detail: "a page is missing"}}
		}, anew - 1, map[string]string{"web w0": "incomplete: completeness"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.plan(expire())
			w.clock.Advance(time.Hour)
			judged := 0
			judge := expire("w0")
			decide := judge.decide
			judge.decide = func(inv retention.Inventory) []retention.Decision {
				if inv.Package.Name == "web" {
					judged++
				}
				return decide(inv)
			}
			targets := w.acme()
			targets[0].Reader = changedReader{targets[0].Reader, tt.change}
			diff(t, "statuses", tt.want, statuses(w.plan(judge, targets...).Items()))
			if judged != tt.judged {
				t.Errorf("web was judged %d times, want %d", judged, tt.judged)
			}
		})
	}
}

// tagged gives the version that has a tag others instead.
func tagged(inv *retention.Inventory, tag string, now ...string) {
	inv.Versions = slices.Clone(inv.Versions)
	for i, v := range inv.Versions {
		if slices.Contains(v.Tags, tag) {
			inv.Versions[i].Tags = append(slices.Clone(now), v.Tags...)
			if len(now) == 0 {
				inv.Versions[i].Tags = nil
			}
		}
	}
}

func TestTagPushedAtTheLastMomentSavesTheWholeUnit(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("v1", "w0")
	plan := w.plan(judge)
	w.clock.Advance(time.Minute)
	targets := w.acme()
	targets[0].Looker = &hookedLooker{Looker: targets[0].Looker, before: true, hook: func() { w.retag("team/api", "v1", "wanted") }}
	res := w.apply(plan, judge, targets...)
	diff(t, "outcomes", map[string]string{"team/api v1": "changed", "web w0": "done"}, outcomes(res.Items))
	diff(t, "what is gone", []string{"web w0"}, w.gone())
	w.audit(plan)
}

func TestNewIndexThatIsDoomedTooStillHoldsItsChild(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("v1", "v4", "plain")
	plan := w.plan(judge)
	w.publish("team/api", index("v4", 30, []string{"v1-amd"}, "v4")) // the policies want it gone as well, the plan does not have it
	res := w.apply(plan, judge)
	diff(t, "outcomes", map[string]string{"team/api v1": "changed", "team/api plain": "done"}, outcomes(res.Items))
	diff(t, "what is gone", []string{"team/api plain"}, w.gone())
	w.audit(plan)
	next := w.plan(judge)
	w.apply(next, judge)
	w.audit(plan, next)
	if w.version("team/api", "v4").State != retention.Deleted || w.version("team/api", "v1-amd").State != retention.Deleted {
		t.Errorf("the next run left it: %v", statuses(next.Items()))
	}
}
