package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// attempts is how often the timed rows are measured; the median counts.
const attempts = 5

func sortedCopy(of []time.Duration) []time.Duration { return slices.Sorted(slices.Values(of)) }

// dryRun is one package of 1,000 versions at 50 ms a call: the whole command, and
// the reading by itself.
func dryRun(ctx context.Context, b *bench) error {
	s := newSeed(images("team/api", 300, 0, 100))
	s.Latency = "50ms"
	return b.with(ctx, s, func(w *world) error {
		var cold, warm []time.Duration
		var first, again tally
		for range attempts {
			t, p, err := w.timed(ctx, "container", shipped, true)
			if err != nil {
				return err
			}
			first, cold = t, append(cold, p.wall)
			if t, p, err = w.timed(ctx, "container", shipped, false); err != nil {
				return err
			}
			again, warm = t, append(warm, p.wall)
		}
		count := func(what string, bound int, t tally) figure {
			f := calls("dry-run", what, bound, t.packages+t.registry())
			f.Rule = atMost
			f.Note = fmt.Sprintf("%d REST, %d manifests, %d token, %d challenge; beside them %s for the owner",
				t.packages, t.manifests, t.token, t.challenge, plural(t.owner, "call"))
			return f
		}
		b.add(count("calls, cold", 415, first), count("calls, warm", 12, again),
			seconds("dry-run", "whole command, cold: process start, owner look-up, policies, reading, plan", 1, median(cold)),
			seconds("dry-run", "whole command, warm", 0.3, median(warm)))
		return readingAlone(ctx, b, w)
	})
}

// readingAlone times List and Read of the inventory in this process, without
// the binary's start, the owner look-up, the policies and the plan.
func readingAlone(ctx context.Context, b *bench, w *world) error {
	var cold, full, kept []time.Duration
	for range attempts {
		r, err := newReading(w.url)
		if err != nil {
			return err
		}
		for _, into := range []struct {
			times *[]time.Duration
			fresh bool
		}{{&cold, false}, {&full, true}, {&kept, false}} {
			started := time.Now()
			inv, err := r.read(ctx, into.fresh)
			if err != nil {
				return err
			}
			if !inv.Complete || len(inv.Versions) != 1000 {
				return errors.Join(fmt.Errorf("read %d versions, complete: %t", len(inv.Versions), inv.Complete))
			}
			*into.times = append(*into.times, time.Since(started))
		}
	}
	b.add(seconds("dry-run", "the reading alone (list and read), cold", 1, median(cold)),
		seconds("dry-run", "the reading alone, warm, all pages read again", 0.3, median(full)),
		seconds("dry-run", "the reading alone, warm, from the snapshot", 0.3, median(kept)))
	_, err := w.tally(ctx)
	return err
}
