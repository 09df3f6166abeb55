package faults

import (
	"context"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// marks judges as doomPolicy and expire_untagged do, for cases in this process
// where the policies are not the point. What an interrupted unit left without its
// subject goes as well, without the wait of a month.
type marks struct{}

func (marks) NeedsDeleted() bool { return false }

func (marks) Decide(ctx context.Context, req policy.Request) (retention.Judgement, error) {
	inv := req.Inventory
	out := retention.Judgement{EvaluatedAt: req.EvaluatedAt}
	for _, v := range inv.Versions {
		doomed := strings.Contains(v.Name, "-rc.") || slices.ContainsFunc(v.Tags, func(t string) bool { return strings.HasPrefix(t, "pr-") })
		left := inv.Package.Type == retention.Container && !v.Tagged() && inv.IsRoot(v)
		if v.IsActive() && (doomed || left) {
			out.Decisions = append(out.Decisions, retention.Decision{
				Policy: "marks", Rule: "marks", Action: retention.Delete, Target: retention.TargetVersion, Version: v.ID,
				Reason: "marked", Severity: "low", Mode: retention.Enforce,
			})
		}
	}
	return out, ctx.Err()
}
