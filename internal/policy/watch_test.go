package policy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// asked are decisions without the words of their reasons, which name ages.
func asked(j retention.Judgement) []string {
	out := []string{}
	for _, d := range j.Decisions {
		out = append(out, fmt.Sprintf("%s/%s %s %s %s", d.Policy, d.Rule, d.Action, d.Target, d.Version))
	}
	for _, f := range j.Failures {
		out = append(out, "failed: "+f.Policy)
	}
	return out
}

// follow asks at every instant what Decide says, and holds the watch to what it
// promised. It returns how often the watch had to be asked again.
func follow(t *testing.T, engine *policy.Engine, inv retention.Inventory, instants []time.Time) int {
	t.Helper()
	w := engine.NewWatch()
	var last []string
	times := 0
	for i, at := range instants {
		req := policy.Request{Inventory: inv, EvaluatedAt: at, Trigger: retention.Trigger{Kind: retention.TriggerSchedule}}
		plain, err := engine.Decide(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 || !w.Holds(at) {
			times++
			w.Reset()
			watched, err := w.Decide(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain, watched); diff != "" {
				t.Fatalf("%s: the watch answers otherwise (-plain +watched)\n%s", at, diff)
			}
			last = asked(watched)
			continue
		}
		if diff := cmp.Diff(last, asked(plain)); diff != "" {
			t.Fatalf("%s: the watch promised the same answers (-promised +real)\n%s", at, diff)
		}
	}
	return times
}

// everyDay are the instants of a month of runs.
func everyDay() []time.Time {
	var out []time.Time
	for i := range 30 {
		out = append(out, evaluatedAt.Add(time.Duration(i)*24*time.Hour))
	}
	return out
}

// randomPackage has versions of all ages, some of them deleted, at times that
// often fall on a run's instant; of some the age may be unknown.
func randomPackage(r *rand.Rand, unknown bool) retention.Inventory {
	inv := containerPackage(30)
	if r.IntN(2) == 0 {
		inv.Package.Type, inv.Package.Name, inv.Graph = retention.NPM, "widgets", retention.Graph{}
	}
	inv.Package.UpdatedAt = evaluatedAt.Add(-time.Duration(r.IntN(500*24)) * time.Hour)
	for i := range inv.Versions {
		v := &inv.Versions[i]
		age := time.Duration(r.IntN(60*24)) * time.Hour
		if r.IntN(3) == 0 {
			age = time.Duration(r.IntN(400))*24*time.Hour + time.Duration(r.IntN(1e9))
		}
		v.CreatedAt = evaluatedAt.Add(-age)
		v.UpdatedAt = v.CreatedAt.Add(time.Duration(r.IntN(48)) * time.Hour)
		if inv.Package.Type == retention.NPM {
			v.Name, v.Tags = fmt.Sprintf("1.%d.%d%s", i/5, i%5, []string{"", "-rc.1", "-beta.2"}[r.IntN(3)]), nil
		}
		if r.IntN(6) == 0 {
			v.State, v.DeletedAt = retention.Deleted, evaluatedAt.Add(-time.Duration(r.IntN(29*24))*time.Hour)
		}
		if unknown && r.IntN(20) == 0 {
			v.CreatedAt = time.Time{}
		}
	}
	retention.SortVersions(inv.Versions)
	return inv
}

func TestAWatchKeepsItsPromiseOverTheShippedPolicies(t *testing.T) {
	limits := policy.Values{
		"expire_by_age":   {"globs": []any{"v1.*", "1.*"}, "older_than_days": 20, "newest": 1},
		"retire_package":  {"idle_days": 200},
		"keep_newest":     {"tagged": 2, "releases": 2},
		"keep_tags":       {"globs": []any{}},
		"keep_releases":   {"newest": 1},
		"expire_untagged": {"older_than_days": 10},
		"expire_broken":   {"older_than_days": 1},
	}
	for name, params := range map[string]policy.Values{"defaults": nil, "busy": limits} {
		t.Run(name, func(t *testing.T) {
			engine, err := policy.Load(t.Context(), policies.FS, policy.Options{Builtin: true, Params: policy.Params{All: params}, TimeLimit: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			times, packages := 0, 5
			for seed := range packages {
				r := rand.New(rand.NewPCG(uint64(seed), 7))
				times += follow(t, engine, randomPackage(r, true), everyDay())
			}
			if times >= packages*30 {
				t.Errorf("asked %d times over %d packages and 30 runs: nothing was saved", times, packages)
			}
			t.Logf("asked %d times in place of %d", times, packages*30)
		})
	}
}

func TestAWatchIsNeverWrongAboutAPolicy(t *testing.T) {
	const head = `some i, v in input.versions
		v.state == "active"`
	const follows, asksAgain = true, false
	for name, tc := range map[string]struct {
		rule string
		// whether what it makes of ages can be followed, so that it is not asked at
		// every instant
		follows bool
	}{
		"an upper and a lower bound":    {`v.age_days > 10; v.age_days < 20`, follows},
		"a keep of what is young":       {`not v.age_days >= 30`, follows},
		"half a bound":                  {`v.age_days / 2 > 8`, asksAgain},
		"whole days":                    {`floor(v.age_days) % 7 == 0`, asksAgain},
		"an exact age":                  {`v.age_days == 25`, follows},
		"an exact age through a name":   {`a := v.age_days; b := 25; a == b`, follows},
		"unified":                       {`v.age_days = x; x >= 12; x <= 13`, asksAgain},
		"shifted":                       {`v.age_days - 5 > 12`, follows},
		"two ages":                      {`v.age_days - v.idle_days > 1`, follows},
		"days to go":                    {`30 - v.age_days < 10`, follows},
		"a sum of ages":                 {`v.age_days + v.idle_days > 40`, asksAgain},
		"a function":                    {`old(v)`, follows},
		"sorted":                        {`sorted := sort([[w.age_days, w.id] | some w in input.versions]); sorted[0][1] == v.id`, follows},
		"sorted among numbers":          {`sort([v.age_days, 21])[0] == 21`, asksAgain},
		"the oldest":                    {`max([w.age_days | some w in input.versions]) > 41; v.rank > 2`, follows},
		"counted":                       {`count([1 | some w in input.versions; w.age_days > 15]) > 20`, follows},
		"one of a set":                  {`v.age_days in {20, 21, 22}`, asksAgain},
		"the day of the week":           {`time.weekday(time.parse_rfc3339_ns(input.evaluated_at)) == "Sunday"`, asksAgain},
		"in words":                      {`contains(sprintf("%v", [floor(v.age_days)]), "3")`, asksAgain},
		"in words by way of the reason": {`text := sprintf("%v", [floor(v.age_days)]); text == "31"`, asksAgain},
		"as JSON":                       {`contains(json.marshal(v), "age_days\":2")`, asksAgain},
		"a bucket":                      {`bucket := floor(v.age_days / 7); bucket == 3`, asksAgain},
		"compared as a whole":           {`[v.age_days, 1] > [18, 0]`, asksAgain},
		"every":                         {`every w in input.versions { w.idle_days > 5 }; v.rank > 3`, follows},
		"the package":                   {`input.package.idle_days > 7; v.rank > 1`, follows},
		"a pattern":                     {`[_, 20] = [v.id, floor(v.age_days)]`, asksAgain},
		"by a key":                      {`f := "age_days"; v[f] > 17`, follows},
		"left in the window":            {`some w in input.versions; w.restorable_days < 12; v.rank == 0`, follows},
		"in a template":                 {`t := $"{v.age_days}"; startswith(t, "2")`, asksAgain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{"timed/timed.rego": withMetadata("timed", "#   mode: enforce\n", `
decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	`+head+`
	`+tc.rule+`
	reason := sprintf("it is %v days old", [v.age_days])
}

old(v) if v.age_days > 14

old(v) if {
	v.idle_days > 9
	not v.tagged
}
`)})
			engine, err := policy.Load(context.Background(), policies.FS, policy.Options{Path: dir, TimeLimit: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			times, packages := 0, 2
			for seed := range packages {
				r := rand.New(rand.NewPCG(uint64(seed), 11))
				times += follow(t, engine, randomPackage(r, false), everyDay())
			}
			if followed := times < packages*30; followed != tc.follows {
				t.Errorf("asked %d times over %d packages and 30 runs", times, packages)
			}
		})
	}
}
