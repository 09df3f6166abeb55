package faults

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/shelflife-dev/shelflife/internal/inventory"
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

// snapshots keeps readings in memory.
type snapshots struct {
	mu   sync.Mutex
	kept map[retention.PackageRef]retention.Inventory
}

func newSnapshots() *snapshots {
	return &snapshots{kept: map[retention.PackageRef]retention.Inventory{}}
}

var _ inventory.Snapshots = (*snapshots)(nil)

func (s *snapshots) SaveSnapshot(_ context.Context, inv retention.Inventory) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[inv.Ref()] = inv
	return nil
}

func (s *snapshots) Snapshot(_ context.Context, ref retention.PackageRef) (retention.Inventory, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv, ok := s.kept[ref]
	return inv, ok, nil
}

func (s *snapshots) Known(_ context.Context, login string) iter.Seq2[retention.KnownPackage, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []retention.KnownPackage
	for ref, inv := range s.kept {
		if retention.SameLogin(ref.Owner, login) {
			all = append(all, inv.Known())
		}
	}
	return func(yield func(retention.KnownPackage, error) bool) {
		for _, known := range all {
			if !yield(known, nil) {
				return
			}
		}
	}
}
