package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

const policyHead = `# METADATA
# title: Hostile
# description: %s
# scope: package
# custom:
#   mode: enforce
package retention.hostile

`

// hostile are policies that go wrong in the package web and nowhere else.
func hostile() map[string]string {
	in := "\tinput.package.name == \"web\"\n\tsome v in input.versions\n"
	decision := `decisions contains {"action": "delete", "version": %s, "reason": %s} if {` + "\n%s}\n"
	return map[string]string{
		"loops":    fmt.Sprintf(decision, "v.id", `"marked"`, in+"\tcount([1 | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000); a == b + 200000]) == 0\n"),
		"explodes": fmt.Sprintf(decision, "v.id", `"marked"`, in+"\tcount({[a, b, c] | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); some c in numbers.range(1, 3000)}) > 0\n"),
		"errors":   fmt.Sprintf(decision, "v.id", `"marked"`, in+"\ttime.parse_rfc3339_ns(\"no time\") > 0\n"),
		"divides":  fmt.Sprintf(decision, "v.id", `"marked"`, in+"\t1 / (v.age_days - v.age_days) > 0\n"),
		"lies-about-ids": fmt.Sprintf(decision, `"999999"`, `"marked"`, in) +
			fmt.Sprintf(decision, `"1042"`, `"marked"`, in),
		"other-package": fmt.Sprintf(decision, `"100000"`, `"marked"`, in),
		"no-reason":     fmt.Sprintf(`decisions contains {"action": "delete", "version": v.id} if {`+"\n%s}\n", in),
		"wrong-action":  fmt.Sprintf(`decisions contains {"action": "obliterate", "version": v.id, "reason": "marked"} if {`+"\n%s}\n", in),
		"wrong-type":    fmt.Sprintf(`decisions contains "delete everything" if {`+"\n%s}\n", in),
		"number-as-id":  fmt.Sprintf(decision, "to_number(v.id)", `"marked"`, in),
		"whole-package": fmt.Sprintf(`decisions contains {"action": "delete", "target": "owner", "reason": "marked"} if {`+"\n%s}\n", in),
	}
}

// mostForPolicies is what a hostile policy may take: its limit of two seconds, in
// the plan, in the look at what the plan would leave, and in the applying, and room
// for a busy machine.
const mostForPolicies = 30 * time.Second

// badPolicies has one policy go wrong beside a good one: nothing is deleted in the
// package where it did, and the rest goes on.
func badPolicies(*testing.T, *workshop) func(*Case) {
	kinds := hostile()
	names := slices.Sorted(maps.Keys(kinds))
	return func(c *Case) {
		name := names[int(c.Seed)%len(names)]
		l := draw(c.Rand.Uint64N(64))
		w := newWorld(c, l, roomy()).on(ledgertest.NewMemory())
		w.write("policies/doom.rego", doomPolicy)
		w.write("policies/hostile.rego", fmt.Sprintf(policyHead, name)+kinds[name])
		engine, err := policy.Load(w.Context(), policies.FS, policy.Options{Builtin: true, Path: w.path("policies"), Only: append(onlyPolicies(), "hostile")})
		if err != nil {
			c.Count("refused when loaded")
			return
		}
		store, _, _ := w.evidence.look()
		line := w.newLine(store)
		line.judge = engine
		started := time.Now()
		plan, err := line.plan()
		w.Must(err)
		var res enforce.Result
		res, err = line.apply(w.Context(), plan)
		w.Must(err)
		w.Must(res.StoppedBy)
		if took := time.Since(started); took > mostForPolicies {
			w.Errorf("%s: it took %s", name, took)
		}
		w.check(name, false)
		spared := slices.DeleteFunc(slices.Clone(l.doomed), func(n string) bool { return packageOf(n) == "web" })
		w.Found(name, checkFinal(w.evidence.start, w.sim.State(), spared))
		if !slices.ContainsFunc(plan.Problems(), func(p retention.Problem) bool {
			return strings.HasSuffix(p.Package, "/web") && (p.Policy == "hostile" || strings.Contains(p.Detail, "hostile"))
		}) {
			w.Errorf("%s: the plan does not say what the policy did: %v", name, plan.Problems())
		}
		c.Count(name)
	}
}
