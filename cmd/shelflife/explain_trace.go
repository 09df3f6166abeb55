package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// trace follows the evaluation of one version, on the reading that was explained.
func (s *session) trace(ctx context.Context, engine *policy.Engine, ref reference, x enforce.Explanation) (*policy.Trace, error) {
	v, err := pick(x.Inventory, ref)
	if err != nil {
		return nil, err
	}
	t, err := engine.Trace(ctx, policy.Request{
		Inventory: x.Inventory, EvaluatedAt: x.Judgement.EvaluatedAt, Trigger: retention.Trigger{Kind: retention.TriggerCLI},
	}, v.ID)
	if err != nil {
		return nil, fmt.Errorf("trace %s@%s: %w", ref.PackageRef, ref.version, err)
	}
	return &t, nil
}

// addTrace puts the steps below the facts.
func addTrace(g *report.Grid, t *policy.Trace) {
	if t == nil {
		return
	}
	for _, step := range t.Steps {
		detail := fmt.Sprintf("%s:%d: %s", step.File, step.Line, step.Text)
		if len(step.Values) > 0 {
			detail += "  (" + strings.Join(step.Values, ", ") + ")"
		}
		g.Rows = append(g.Rows, []string{"trace", step.Policy + " " + step.Op, detail})
	}
	if t.Left > 0 {
		g.Notes = append(g.Notes, fmt.Sprintf("%d steps of the trace are left out", t.Left))
	}
	if doc, ok := g.Document.(map[string]any); ok {
		doc["trace"] = t
	}
}
