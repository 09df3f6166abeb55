package preview

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const older = `decisions contains {"action": "delete", "version": v.id, "reason": "old"} if {
	some v in input.versions
	v.state == "active"
	v.age_days > 30
}
`

const keepFirst = `decisions contains {"action": "keep", "version": v.id, "reason": "the newest"} if {
	some v in input.versions
	v.rank == 0
}
`

func forecast(t *testing.T, e *policy.Engine, days int, every bool, owners ...Owner) Forecast {
	t.Helper()
	f, err := Look(t.Context(), ForecastRequest{Engine: e, Owners: owners, From: start, Days: days, EveryRun: every, Progress: enforce.Silent{}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestForecastsFollowTheRuns(t *testing.T) {
	weekly := func(at time.Time) time.Time { return at.Truncate(7 * 24 * time.Hour).Add(7 * 24 * time.Hour) }
	limited := unlimited()
	limited.DeletesPerRun = 1
	daily := unlimited()
	daily.DeletesPerDay = 2
	tight := unlimited()
	tight.PercentOfOwner = 20
	for name, tc := range map[string]struct {
		limits    retention.Limits
		next      func(time.Time) time.Time
		spent     int
		days      int
		want      []string
		held      int
		remaining int
	}{
		"each day what is due then": {
			limits: unlimited(), days: 10,
			want: []string{"11-22 delete a v3", "11-23 delete a v2", "11-23 delete b v1", "11-29 delete a v1"}, remaining: 2,
		},
		"when the schedule says": {limits: unlimited(), days: 15, next: weekly, want: []string{"11-23 delete a v2", "11-23 delete a v3", "11-23 delete b v1", "11-30 delete a v1"}, remaining: 2},
		"what a run's budget holds goes with the next": {
			limits: limited, days: 3, remaining: 3,
			want: []string{"11-22 delete a v3", "11-23 delete a v2", "11-24 delete b v1 held since 11-23 by deletes_per_run"},
		},
		"what was spent that day counts": {
			limits: daily, days: 2, spent: 2, held: 1, remaining: 4,
			want: []string{"11-23 delete a v2", "11-23 delete a v3 held since 11-22 by deletes_per_day"},
		},
		"an alarm holds until it no longer applies": {limits: tight, days: 3, held: 2, want: []string{"11-22 delete a v3"}, remaining: 5},
	} {
		t.Run(name, func(t *testing.T) {
			// v0 of each is kept for being the newest.
			o := acme(store{npm("a", 1, 24, 29.5, 40), npm("b", 2, 29.2)}, tc.limits)
			o.Next, o.SpentToday = tc.next, tc.spent
			f := forecast(t, load(t, map[string]string{"older": older, "keep_first": keepFirst}, nil), tc.days, false, o)
			if diff := cmp.Diff(tc.want, goneOf(f.Items)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if f.Summary.Held != tc.held || f.Summary.Remaining != tc.remaining || f.Summary.Deleted != len(tc.want) {
				t.Errorf("%+v, want %d held and %d remaining", f.Summary, tc.held, tc.remaining)
			}
			last := f.Series[len(f.Series)-1]
			if last.Held != tc.held || last.Remaining != tc.remaining {
				t.Errorf("the last day is %+v", last)
			}
		})
	}
}

func TestADeletedPackageGoesOnce(t *testing.T) {
	const whole = `decisions contains {"action": "delete", "package": true, "reason": "idle"} if input.package.idle_days > 3
`
	f := forecast(t, load(t, map[string]string{"whole": whole}, nil), 10, false, acme(store{npm("a", 40, 50), npm("b", 1)}, unlimited()))
	if diff := cmp.Diff([]string{"11-26 delete a ", "11-26 delete b "}, goneOf(f.Items)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if f.Summary.Deleted != 3 || f.Summary.Remaining != 0 {
		t.Errorf("%+v", f.Summary)
	}
}

func TestAFailingPolicyDeletesNothingAndIsReported(t *testing.T) {
	const fails = `decisions contains {"action": "delete", "version": v.id, "reason": "x"} if {
	some v in input.versions
	to_number(v.name) > 0
}
`
	f := forecast(t, load(t, map[string]string{"older": older, "fails": fails}, nil), 3, false, acme(store{npm("a", 40)}, unlimited()))
	if len(f.Items) > 0 || len(f.Problems) != 1 || f.Problems[0].Policy != "fails" {
		t.Errorf("%v, %v", f.Items, f.Problems)
	}
}

// TestTheShortcutChangesNothing compares forecasts that judge what may have
// changed with those that judge everything at every run.
func TestTheShortcutChangesNothing(t *testing.T) {
	params := policy.Values{
		"expire_untagged": {"older_than_days": 20}, "keep_newest": {"tagged": 2, "releases": 1}, "keep_releases": {"newest": 0},
		"expire_by_age": {"globs": []any{"v*"}, "older_than_days": 25, "newest": 1}, "retire_package": {"idle_days": 10},
	}
	e := load(t, nil, params)
	total := 0
	for seed := range 3 {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		var kept store
		for i := range 6 {
			kept = append(kept, images(r, fmt.Sprintf("p%d", i)))
		}
		limits := []retention.Limits{unlimited(), {DeletesPerRun: 4, DeletesPerDay: 6, PercentOfPackage: 60, PercentOfOwner: 50, MinAge: 5 * 24 * time.Hour}}[seed%2]
		quick, whole := forecast(t, e, 20, false, acme(kept, limits)), forecast(t, e, 20, true, acme(kept, limits))
		// A reason may say an earlier age where a budget held the version meanwhile.
		if diff := cmp.Diff(whole, quick, cmpopts.IgnoreUnexported(ForecastRun{}), cmpopts.IgnoreFields(retention.Rule{}, "Reason")); diff != "" {
			t.Fatalf("seed %d (-every run +shortcut)\n%s", seed, diff)
		}
		total += len(quick.Items)
	}
	if total < 20 {
		t.Errorf("only %d versions went: the packages show nothing", total)
	}
}

// TestAfterARunPackagesAreAsTheGuardSees holds the forecast's own picture of a
// package after a run to the one that the second evaluation of a plan uses.
func TestAfterARunPackagesAreAsTheGuardSees(t *testing.T) {
	e := load(t, nil, policy.Values{"expire_untagged": {"older_than_days": 5}})
	acted := 0
	for seed := range 10 {
		kept := images(rand.New(rand.NewPCG(uint64(seed), 9)), "p")
		d, err := enforce.Draft(t.Context(), enforce.DraftRequest{
			Inventory: kept, Judge: e, Trigger: trigger(), Limits: unlimited(), EvaluatedAt: start, Run: runID(start),
		})
		if err != nil {
			t.Fatal(err)
		}
		s := &shelf{ref: kept.Ref(), since: map[place]waiting{}}
		w := &world{}
		for _, it := range d.Items() {
			if it.Status == retention.StatusPlanned {
				acted++
				w.do(s, it, start, &ForecastRun{ByPolicy: map[string]int{}})
			}
		}
		if diff := cmp.Diff(guard.After(kept, d, runID(start), start).Digest(), s.now(kept, start).Digest()); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
	if acted < 10 {
		t.Errorf("only %d items were done", acted)
	}
}

func TestSchedulesThatNeverEndAreRefused(t *testing.T) {
	o := acme(store{npm("a", 1)}, unlimited())
	o.Next = func(at time.Time) time.Time { return at.Add(time.Minute) }
	_, err := Look(t.Context(), ForecastRequest{Engine: load(t, map[string]string{"older": older}, nil), Owners: []Owner{o}, From: start, Days: 30, Progress: enforce.Silent{}})
	if err == nil {
		t.Fatal("43,200 runs were played")
	}
}
