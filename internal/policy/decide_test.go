package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// healthy deletes every version and keeps the package.
var healthy = withMetadata("healthy", "#   mode: enforce\n#   severity: high\n", `
decisions contains {"action": "delete", "version": v.id, "rule": "all", "reason": "because"} if some v in input.versions

decisions contains {"action": "keep", "package": true, "reason": "stays", "data": {"b": 2, "a": {1}}} if true
`)

func healthyDecisions(versions int) []retention.Decision {
	base := retention.Decision{Policy: "healthy", Severity: "high", Mode: retention.Enforce}
	keep := base
	keep.Action, keep.Target, keep.Reason, keep.Data = retention.Keep, retention.TargetPackage, "stays", json.RawMessage(`{"a":[1],"b":2}`)
	out := []retention.Decision{keep}
	for i := range versions {
		d := base
		d.Action, d.Target, d.Version = retention.Delete, retention.TargetVersion, retention.ID(i+1)
		d.Rule, d.Reason = "all", "because"
		out = append(out, d)
	}
	return out
}

func TestDecisionsCarryWhatThePolicySaysOfItself(t *testing.T) {
	e := engine(t, policy.Options{}, map[string]string{"healthy.rego": healthy})
	want := retention.Judgement{EvaluatedAt: evaluatedAt, Decisions: healthyDecisions(3)}
	if diff := cmp.Diff(want, decide(t, e, npmPackage(3))); diff != "" {
		t.Errorf("judgement (-want +got):\n%s", diff)
	}
}

// Every one of these answers of one policy is that policy's failure, drops its
// other decisions, and leaves those of the healthy one.
func TestAFailingPolicyIsDroppedAlone(t *testing.T) {
	keep := func(rest string) string {
		return `decisions contains {"action": "keep", "version": "1", "reason": "good"}
decisions contains ` + rest
	}
	for name, tc := range map[string]struct{ rules, detail string }{
		"unknown version":        {keep(`{"action": "delete", "version": "99", "reason": "x"}`), `version "99" is none of the package's`},
		"empty version":          {keep(`{"action": "delete", "version": "", "reason": "x"}`), `version "" is none`},
		"numeric version":        {keep(`{"action": "delete", "version": 1, "reason": "x"}`), "version is number and has to be string"},
		"unknown action":         {keep(`{"action": "archive", "version": "1", "reason": "x"}`), `unknown action "archive"`},
		"no action":              {keep(`{"version": "1", "reason": "x"}`), "there is no action"},
		"action of another type": {keep(`{"action": true, "version": "1", "reason": "x"}`), "action is boolean"},
		"no reason":              {keep(`{"action": "delete", "version": "1"}`), "there is no reason"},
		"empty reason":           {keep(`{"action": "delete", "version": "1", "reason": " "}`), "there is no reason"},
		"reason of another type": {keep(`{"action": "delete", "version": "1", "reason": ["x"]}`), "reason is array"},
		"rule of another type":   {keep(`{"action": "delete", "version": "1", "reason": "x", "rule": 1}`), "rule is number"},
		"data of another type":   {keep(`{"action": "delete", "version": "1", "reason": "x", "data": "x"}`), "data is string"},
		"both targets":           {keep(`{"action": "delete", "version": "1", "package": true, "reason": "x"}`), "it has to name either a version or the package"},
		"no target":              {keep(`{"action": "delete", "reason": "x"}`), "it has to name either a version or the package"},
		"package false":          {keep(`{"action": "delete", "package": false, "reason": "x"}`), "package is not true"},
		"field of its own":       {keep(`{"action": "delete", "version": "1", "reason": "x", "force": true}`), `there is a field "force"`},
		"text for a decision":    {keep(`"delete"`), `decision "delete": it is string and has to be an object`},
		"an array":               {`decisions := [{"action": "keep", "version": "1", "reason": "x"}]`, "its decisions are array and have to be a set"},
		"an object":              {`decisions["x"] := 1`, "its decisions are object and have to be a set"},
		"undefined":              {`decisions := {d | some d in []} if input.package.name == "other"`, "its decisions are undefined"},
		"conflict":               {"_x := 1\n_x := count(input.versions)\n" + keep(`{"action": "keep", "version": "1", "reason": sprintf("%v", [_x])}`), "produced conflicting values"},
		"error in a builtin":     {keep(`{"action": "keep", "version": "1", "reason": "x"} if to_number(input.package.name) > 1`), "invalid syntax"},
		"too many": {
			`decisions contains {"action": "keep", "version": "1", "reason": sprintf("%v", [n])} if some n in numbers.range(1, 100)`,
			"it made 100 decisions and may make 24 on this package",
		},
		"a flood": {
			`decisions contains {"action": "keep", "version": "1", "reason": sprintf("%v", [[a, b, c, d]])} if {
	some a in numbers.range(1, 1000)
	some b in numbers.range(1, 1000)
	some c in numbers.range(1, 1000)
	some d in numbers.range(1, 1000)
}`,
			"it took longer than 300ms",
		},
	} {
		t.Run(name, func(t *testing.T) {
			limit := time.Minute
			if name == "a flood" {
				limit = 300 * time.Millisecond
			}
			e := engine(t, policy.Options{TimeLimit: limit}, map[string]string{
				"healthy.rego": healthy, "sick.rego": withMetadata("sick", "", tc.rules),
			})
			got := decide(t, e, npmPackage(2))
			if diff := cmp.Diff(healthyDecisions(2), got.Decisions); diff != "" {
				t.Errorf("decisions of the healthy policy (-want +got):\n%s", diff)
			}
			if len(got.Failures) != 1 {
				t.Fatalf("failures %+v", got.Failures)
			}
			f := got.Failures[0]
			if !strings.Contains(f.Detail, tc.detail) {
				t.Errorf("detail %q lacks %q", f.Detail, tc.detail)
			}
			f.Detail = ""
			want := retention.Problem{Owner: "acme", Package: "acme/npm/left-pad", Kind: retention.ProblemPolicy, Policy: "sick"}
			if diff := cmp.Diff(want, f); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPolicyWithNothingToSayIsNoFailure(t *testing.T) {
	e := engine(t, policy.Options{}, map[string]string{
		"quiet.rego": withMetadata("quiet", "", `decisions contains {"action": "delete", "version": v.id, "reason": "x"} if {
	some v in input.versions
	v.state == "deleted"
}`),
	})
	if diff := cmp.Diff(retention.Judgement{EvaluatedAt: evaluatedAt}, decide(t, e, npmPackage(2))); diff != "" {
		t.Errorf("judgement (-want +got):\n%s", diff)
	}
}

func TestTheCallersCancellationIsAnErrorAndNoFailure(t *testing.T) {
	e := engine(t, policy.Options{}, map[string]string{"healthy.rego": healthy})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	j, err := e.Decide(ctx, requestFor(npmPackage(2)))
	if !errors.Is(err, context.Canceled) || len(j.Failures)+len(j.Decisions) > 0 {
		t.Fatalf("judgement %+v, error %v", j, err)
	}
	if !strings.Contains(err.Error(), "acme/npm/left-pad") {
		t.Errorf("error %q does not say which package", err)
	}
	if got := decide(t, e, npmPackage(2)); len(got.Decisions) != 3 {
		t.Errorf("after a cancelled call: %+v", got)
	}
}

func TestACallersDeadlineDuringEvaluationIsAnError(t *testing.T) {
	e := engine(t, policy.Options{TimeLimit: time.Minute}, map[string]string{"slow.rego": withMetadata("slow", "", `
decisions contains {"action": "keep", "package": true, "reason": "x"} if {
	n := [1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); a * b == 0]
	count(n) > 0
}`)})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	j, err := e.Decide(ctx, requestFor(npmPackage(1)))
	if !errors.Is(err, context.DeadlineExceeded) || len(j.Failures) > 0 {
		t.Errorf("judgement %+v, error %v", j, err)
	}
}

func TestDecideIsSafeForConcurrentUse(t *testing.T) {
	e := engine(t, policy.Options{Params: policy.Params{Owners: map[string]policy.OwnerParams{"other": {All: policy.Values{"limited": {"days": 1}}}}}},
		map[string]string{
			"healthy.rego": healthy,
			"limited.rego": withMetadata("limited", "#   params: {days: 2}\n", `
import data.lib.params

decisions contains {"action": "keep", "package": true, "reason": sprintf("%v", [params.of("limited").days])}
`),
		})
	var wg sync.WaitGroup
	for i := range 8 {
		inv, want := npmPackage(3), "2"
		if i%2 == 1 {
			inv.Owner.Login, want = "Other", "1"
		}
		wg.Go(func() {
			for range 5 {
				j, err := e.Decide(context.Background(), requestFor(inv))
				if err != nil || len(j.Decisions) != 5 || len(j.Failures) != 0 || j.Decisions[4].Reason != want {
					t.Errorf("owner %s: judgement %+v, error %v", inv.Owner.Login, j, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOnlyTheChosenPoliciesAreEvaluatedButOthersCanBeReferredTo(t *testing.T) {
	e := engine(t, policy.Options{Only: []string{"second"}}, map[string]string{
		"healthy.rego": healthy,
		"second.rego": withMetadata("second", "", `
import data.retention.healthy

decisions contains {"action": "keep", "version": "1", "reason": sprintf("%v decisions", [count(healthy.decisions)])}
`),
	})
	got := decide(t, e, npmPackage(2))
	want := []retention.Decision{{Policy: "second", Action: retention.Keep, Target: retention.TargetVersion, Version: 1, Reason: "3 decisions", Severity: "info"}}
	if diff := cmp.Diff(want, got.Decisions); diff != "" || len(got.Failures) > 0 {
		t.Errorf("decisions (-want +got):\n%s%v", diff, got.Failures)
	}
	if names := policyNames(e); !cmp.Equal([]string{"second"}, names) {
		t.Errorf("policies %v", names)
	}
}

func TestDataDocumentsAreThere(t *testing.T) {
	e := engine(t, policy.Options{Data: map[string]any{"deployed": map[string]any{"digests": []string{"1"}}}}, map[string]string{
		"live.rego": withMetadata("live", "", `decisions contains {"action": "keep", "version": id, "reason": "deployed"} if some id in data.deployed.digests`),
	})
	if got := decide(t, e, npmPackage(2)); len(got.Decisions) != 1 || got.Decisions[0].Version != 1 {
		t.Errorf("judgement %+v", got)
	}
}

func policyNames(e *policy.Engine) []string {
	var names []string
	for _, p := range e.Policies() {
		names = append(names, p.Name)
	}
	return names
}
