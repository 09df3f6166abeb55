package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// GitHub allows 900 points a minute "to a single endpoint" and does not say
// whether reading and deleting a version are one endpoint (internal/ghapp/points.go).
// The simulator has one budget for everything, so the two readings of that
// sentence are two budgets: deletes with theirs alone, and the reads before them
// beside it (900 + 180); or everything in one (900).
const (
	twoBudgets = 900 + 180
	oneBudget  = 900
)

// deletes carries out a saved plan of n deletes at 50 ms a call.
func deletes(n int, bound float64) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		name := fmt.Sprintf("deletes-%d", n)
		p, t, err := b.deletions(ctx, n, twoBudgets)
		if err != nil {
			return err
		}
		f := seconds(name, fmt.Sprintf("apply of a plan of %d deletes, whole command", n), bound, p.wall)
		f.Note = fmt.Sprintf("%.2f deletes a second; %s below /packages; the simulator enforces %d points a minute, "+
			"900 for deletes and 180 for the reading before each", float64(n)/p.wall.Seconds(), plural(t.packages, "call"), twoBudgets)
		b.add(f, calls(name, "secondary limits hit", 0, t.limited), calls(name, "versions deleted", n, t.deletes))
		return nil
	}
}

// deletesOneBudget is the same where GitHub counts everything together: 150 a
// minute are then the most, with the reading before each.
func deletesOneBudget(ctx context.Context, b *bench) error {
	const n = 600
	p, t, err := b.deletions(ctx, n, oneBudget)
	if err != nil {
		return err
	}
	f := info("deletes-600-one-budget", "the same where reads and deletes share 900 points a minute", "s", p.wall.Seconds())
	f.Note = "600 × 6 points at 900 a minute are 240 s without what GitHub's pauses take; the pace adapts after the first refusal"
	b.add(f, info("deletes-600-one-budget", "requests refused for a limit", "calls", float64(t.limited)),
		calls("deletes-600-one-budget", "versions deleted", n, t.deletes))
	return nil
}

func (b *bench) deletions(ctx context.Context, n, pointsPerMinute int) (p process, t tally, err error) {
	s := newSeed(prereleases(n))
	s.Latency = "50ms"
	s.RateLimits = &rateLimits{Limit: ample, PointsPerMinute: pointsPerMinute, Enforce: true}
	err = b.with(ctx, s, func(w *world) error {
		if err := w.config("npm", noRestore); err != nil {
			return err
		}
		plan := filepath.Join(w.dir, "plan.json")
		if _, err := w.shelflife(ctx, "plan", "-q", "--out", plan); err != nil {
			return err
		}
		if _, err := w.tally(ctx); err != nil {
			return err
		}
		if p, err = w.shelflife(ctx, "apply", "-q", "--format", "json", plan); err != nil {
			return err
		}
		t, err = w.tally(ctx)
		return err
	})
	return p, t, err
}
