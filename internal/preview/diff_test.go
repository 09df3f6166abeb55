package preview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// asks is a judge that asks for fixed actions.
type asks struct {
	decisions []retention.Decision
	failures  []retention.Problem
	err       error
}

func (a asks) Decide(_ context.Context, req policy.Request) (retention.Judgement, error) {
	return retention.Judgement{EvaluatedAt: req.EvaluatedAt, Decisions: a.decisions, Failures: a.failures}, a.err
}
func (asks) NeedsDeleted() bool { return false }

func decision(policy string, a retention.Action, id retention.ID, m retention.Mode) retention.Decision {
	d := retention.Decision{Policy: policy, Action: a, Target: retention.TargetVersion, Version: id, Reason: "because", Mode: m}
	if id == 0 {
		d.Target = retention.TargetPackage
	}
	return d
}

func compare(t *testing.T, limits retention.Limits, a, b enforce.Judge, kept ...retention.Inventory) Diff {
	t.Helper()
	d, err := Compare(t.Context(), DiffRequest{A: Side{Judge: a}, B: Side{Judge: b}, Owners: []Owner{acme(kept, limits)}, EvaluatedAt: start, Progress: enforce.Silent{}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestChangesAreWhatReallyBecomesOfVersions(t *testing.T) {
	const del, keep, res = retention.Delete, retention.Keep, retention.Restore
	enforced, observed := retention.Enforce, retention.Observe
	list := func(d ...retention.Decision) asks { return asks{decisions: d} }
	tight := unlimited()
	tight.PercentOfPackage = 40
	for name, tc := range map[string]struct {
		a, b   asks
		limits *retention.Limits
		want   []string // kind, version, status before and after
		adds   bool
	}{
		"the same on both sides":        {a: list(decision("x", del, 1, enforced)), b: list(decision("x", del, 1, enforced))},
		"a new delete":                  {b: list(decision("x", del, 1, enforced)), want: []string{"added v0  planned"}, adds: true},
		"one delete less":               {a: list(decision("x", del, 1, enforced)), want: []string{"removed v0 planned "}},
		"kept on the other side":        {a: list(decision("x", del, 1, enforced)), b: list(decision("x", del, 1, enforced), decision("k", keep, 1, enforced)), want: []string{"removed v0 planned kept"}},
		"kept no longer":                {a: list(decision("x", del, 1, enforced), decision("k", keep, 0, enforced)), b: list(decision("x", del, 1, enforced)), want: []string{"added v0 kept planned"}, adds: true},
		"by another rule":               {a: list(decision("x", del, 1, enforced)), b: list(decision("y", del, 1, enforced)), want: []string{"changed v0 planned planned"}},
		"by one rule more":              {a: list(decision("x", del, 1, enforced)), b: list(decision("x", del, 1, enforced), decision("y", del, 1, enforced)), want: []string{"changed v0 planned planned"}},
		"observed instead":              {a: list(decision("x", del, 1, enforced)), b: list(decision("x", del, 1, observed)), want: []string{"removed v0 planned observed"}},
		"observed newly":                {b: list(decision("x", del, 1, observed)), want: []string{"observed v0  observed"}},
		"held by an alarm":              {b: list(decision("x", del, 1, enforced), decision("x", del, 2, enforced)), limits: &tight, want: []string{"held v1  held", "held v0  held"}, adds: true},
		"held by an alarm no longer":    {a: list(decision("x", del, 1, enforced), decision("x", del, 2, enforced)), limits: &tight, want: []string{"unheld v1 held ", "unheld v0 held "}},
		"an alarm that stops deletes":   {a: list(decision("x", del, 1, enforced)), b: list(decision("x", del, 1, enforced), decision("x", del, 2, enforced)), limits: &tight, want: []string{"held v1  held", "removed v0 planned held"}, adds: true},
		"a restore":                     {b: list(decision("x", res, 4, enforced)), want: []string{"restore_added v3  planned"}},
		"no restore":                    {a: list(decision("x", res, 4, enforced)), want: []string{"restore_removed v3 planned "}},
		"the package and its versions":  {a: list(decision("x", del, 1, enforced)), b: list(decision("x", del, 0, enforced)), want: []string{"added   planned"}, adds: true},
		"versions in place of the rest": {a: list(decision("x", del, 0, enforced)), b: list(decision("x", del, 1, enforced)), want: []string{"removed  planned "}},
		"a policy that fails": {
			a: list(decision("x", del, 1, enforced)), b: asks{decisions: []retention.Decision{decision("x", del, 1, enforced)}, failures: []retention.Problem{{Kind: retention.ProblemPolicy, Policy: "y", Detail: "it fails"}}},
			want: []string{"removed v0 planned incomplete"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inv := npm("p", 50, 60, 70, 80)
			inv.Versions[3].State, inv.Versions[3].DeletedAt = retention.Deleted, start.AddDate(0, 0, -1)
			for i := range inv.Versions {
				if inv.Versions[i].ID == 4 {
					inv.Versions[i].State = retention.Deleted
				}
			}
			limits := unlimited()
			if tc.limits != nil {
				limits = *tc.limits
			}
			d := compare(t, limits, tc.a, tc.b, inv)
			var got []string
			for _, c := range d.Changes {
				got = append(got, fmt.Sprintf("%s %s %s %s", c.Kind, c.Version, c.A.Status, c.B.Status))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if d.AddsDeletes() != tc.adds {
				t.Errorf("adds deletes: %t", d.AddsDeletes())
			}
		})
	}
}

func TestADiffSumsUp(t *testing.T) {
	const del, keep = retention.Delete, retention.Keep
	tight := unlimited()
	tight.PercentOfOwner = 10
	a := asks{decisions: []retention.Decision{decision("x", del, 1, retention.Enforce), decision("x", del, 2, retention.Enforce), decision("k", keep, 2, retention.Enforce)}}
	b := asks{decisions: []retention.Decision{decision("x", del, 2, retention.Enforce), decision("y", del, 2, retention.Enforce), decision("k", keep, 1, retention.Enforce), decision("x", del, 1, retention.Enforce)}}
	d := compare(t, tight, a, b, npm("p", 50, 60, 70, 80))
	want := Diff{
		Schema: DiffSchema, EvaluatedAt: start,
		Summary:  DiffSummary{Added: 1, Removed: 1},
		Owners:   []OwnerDiff{{Login: "acme", Packages: 1, Versions: 4, DeletesA: 1, DeletesB: 1, Alarm: "1 of 4 versions are more than 10 % (limits.percent_of_owner): a run would be held until a person applies a saved plan"}},
		Policies: []PolicyDiff{{Policy: "k", Keeps: 1, Frees: 1}, {Policy: "x", Added: 1, Removed: 1}, {Policy: "y", Added: 1}},
		Packages: []PackageDiff{{Owner: "acme", PackageType: retention.NPM, Package: "p", Versions: 4, DeletesA: 1, DeletesB: 1, Added: 1, Removed: 1}},
		Changes:  d.Changes, Problems: []SideProblem{},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestADiffEndsWhereAJudgeCantGoOn(t *testing.T) {
	broken := errors.New("the power went out")
	_, err := Compare(t.Context(), DiffRequest{A: Side{Judge: asks{}}, B: Side{Judge: asks{err: broken}}, Owners: []Owner{acme(store{npm("p", 1)}, unlimited())}, EvaluatedAt: start, Progress: enforce.Silent{}})
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestAnInventoryFileIsAStore(t *testing.T) {
	kept := store{npm("b", 1, 2), npm("a", 3), npm("c")}
	kept[2].Owner.Login = "Other"
	var text strings.Builder
	for _, inv := range kept {
		b, err := json.Marshal(inv)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(b, '\n', '\n'))
	}
	path := filepath.Join(t.TempDir(), "inventory.ndjson")
	if err := os.WriteFile(path, []byte(strings.TrimRight(text.String(), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	var names []string
	for k, err := range f.Known(t.Context(), "ACME") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, k.Ref.String())
	}
	if diff := cmp.Diff([]string{"acme/npm/a", "acme/npm/b"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if owners := f.Owners(); len(owners) != 2 || owners[1].Login != "Other" {
		t.Errorf("%v", owners)
	}
	for _, want := range kept {
		got, ok, err := f.Snapshot(t.Context(), want.Ref())
		if err != nil || !ok || got.Digest() != want.Digest() {
			t.Errorf("%s: %t, %v", want.Ref(), ok, err)
		}
	}
	if _, ok, err := f.Snapshot(t.Context(), retention.PackageRef{Owner: "acme", Type: retention.NPM, Name: "z"}); ok || err != nil {
		t.Errorf("a package that is not there: %t, %v", ok, err)
	}
}
