package enforce

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var propertyNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// rule is a policy that looks at the package: it speaks about a version when
// others are active or deleted.
type rule struct {
	policy  string
	action  retention.Action
	target  retention.ID
	mode    retention.Mode
	deleted []retention.ID
	active  []retention.ID
}

// ruleJudge answers with what its rules say of the package as it is given.
type ruleJudge []rule

func (ruleJudge) NeedsDeleted() bool { return true }

func (j ruleJudge) Decide(_ context.Context, req policy.Request) (retention.Judgement, error) {
	state := map[retention.ID]retention.State{}
	for _, v := range req.Inventory.Versions {
		state[v.ID] = v.State
	}
	out := retention.Judgement{EvaluatedAt: req.EvaluatedAt}
	for _, r := range j {
		if slices.ContainsFunc(r.deleted, func(id retention.ID) bool { return state[id] != retention.Deleted }) ||
			slices.ContainsFunc(r.active, func(id retention.ID) bool { return state[id] != retention.Active }) {
			continue
		}
		out.Decisions = append(out.Decisions, retention.Decision{
			Policy: r.policy, Action: r.action, Target: retention.TargetVersion, Version: r.target, Reason: "said so", Mode: r.mode,
		})
	}
	return out, nil
}

func drawPackage(t *rapid.T) retention.Inventory {
	n := rapid.IntRange(1, 8).Draw(t, "versions")
	name := func(i int) string { return fmt.Sprintf("sha256:%064x", i) }
	inv := retention.Inventory{
		Owner: retention.Owner{Login: "acme", Kind: retention.Organization}, Complete: true, ReadAt: propertyNow,
		Package: retention.Package{ID: 1, Name: "api", Type: retention.Container, State: retention.Active},
	}
	var nodes []retention.Node
	for i := range n {
		v := retention.Version{ID: retention.ID(i + 1), Name: name(i), State: retention.Active, CreatedAt: propertyNow.AddDate(0, 0, -2-rapid.IntRange(0, 9).Draw(t, "age"))}
		if rapid.Bool().Draw(t, "tagged") {
			v.Tags = []string{fmt.Sprintf("t%d", i)}
		}
		if rapid.IntRange(0, 3).Draw(t, "state") == 0 {
			v.State, v.DeletedAt = retention.Deleted, propertyNow.AddDate(0, 0, -1)
			v.DeletedBy = nil
		} else {
			node := retention.Node{Digest: v.Name}
			for range rapid.IntRange(0, 2).Draw(t, "children") {
				node.Children = append(node.Children, name(rapid.IntRange(0, n-1).Draw(t, "child")))
			}
			nodes = append(nodes, node)
		}
		inv.Versions = append(inv.Versions, v)
	}
	retention.SortVersions(inv.Versions)
	inv.Graph = retention.NewGraph(nodes)
	return inv
}

func drawRules(t *rapid.T, n int) ruleJudge {
	id := rapid.Custom(func(t *rapid.T) retention.ID { return retention.ID(rapid.IntRange(1, n).Draw(t, "id")) })
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rule {
		return rule{
			policy:  fmt.Sprintf("p%d", rapid.IntRange(0, 3).Draw(t, "policy")),
			action:  rapid.SampledFrom([]retention.Action{retention.Keep, retention.Delete, retention.Delete, retention.Restore, retention.Restore}).Draw(t, "action"),
			target:  id.Draw(t, "target"),
			mode:    rapid.SampledFrom([]retention.Mode{retention.Enforce, retention.Enforce, retention.Observe}).Draw(t, "mode"),
			deleted: rapid.SliceOfN(id, 0, 2).Draw(t, "when deleted"),
			active:  rapid.SliceOfN(id, 0, 1).Draw(t, "when active"),
		}
	}), 0, 10).Draw(t, "rules")
}

// TestDraftProperties holds for any graph and any policies, such as ones that
// delete what others restore as soon as it is gone: nothing that is planned would
// be undone by the next plan, no survivor lacks what it needs, keep never loses,
// and the order of the policies never matters.
func TestDraftProperties(t *testing.T) {
	e := &Enforcer{Ledger: ledger.New(ledgertest.NewMemory(), func() time.Time { return propertyNow }), Now: func() time.Time { return propertyNow }}
	limits := retention.DefaultLimits()
	limits.PercentOfPackage = 100
	rapid.Check(t, func(t *rapid.T) {
		inv := drawPackage(t)
		judge := drawRules(t, len(inv.Versions))
		req := judgeRequest{Target: Target{Limits: limits}, Judge: judge, at: propertyNow, run: "r"}
		d, err := e.draft(t.Context(), req, inv)
		if err != nil {
			t.Fatal(err)
		}
		after := guard.After(inv, d, "r", propertyNow)
		next, err := judge.Decide(t.Context(), policy.Request{Inventory: after, EvaluatedAt: propertyNow})
		if err != nil {
			t.Fatal(err)
		}
		if undone := guard.Undone(d, next); len(undone) > 0 {
			t.Fatalf("the next plan would undo %v", undone)
		}
		gone := map[retention.ID]bool{}
		for _, it := range d.Items() {
			if it.Status == retention.StatusPlanned && it.Action == retention.Delete {
				gone[it.VersionID] = true
			}
		}
		if broken := guard.Broken(inv, gone); len(broken) > 0 {
			t.Fatalf("survivors need %v", broken)
		}
		now, err := judge.Decide(t.Context(), policy.Request{Inventory: inv, EvaluatedAt: propertyNow})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range now.Decisions {
			if k.Action == retention.Keep && k.Mode == retention.Enforce && gone[k.Version] {
				t.Fatalf("a keep of version %s lost", k.Version)
			}
		}
		turned := slices.Clone(judge)
		slices.Reverse(turned)
		req.Judge = turned
		again, err := e.draft(t.Context(), req, inv)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d.Items(), again.Items()); diff != "" {
			t.Fatalf("the order of the policies matters (-as drawn +turned round):\n%s", diff)
		}
	})
}
