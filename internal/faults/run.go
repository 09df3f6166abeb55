package faults

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Run plays a campaign's cases.
func Run(ctx context.Context, cp Campaign) Result {
	res := Result{Campaign: cp.Name, Target: cp.Target, Cases: cp.Cases, FirstSeed: cp.First}
	started := time.Now()
	seeds := make(chan uint64)
	var mu sync.Mutex
	var all sync.WaitGroup
	n := &counts{of: map[string]int{}}
	for range max(1, min(cp.Width, cp.Cases)) {
		all.Go(func() {
			for seed := range seeds {
				found := play(ctx, cp, seed, n)
				if len(found) == 0 {
					continue
				}
				mu.Lock()
				res.Failed = append(res.Failed, Failure{Seed: seed, Found: found, Replay: Replay(cp, seed)})
				mu.Unlock()
			}
		})
	}
	for i := range cp.Cases {
		seeds <- cp.First + uint64(i)
	}
	close(seeds)
	all.Wait()
	slices.SortFunc(res.Failed, func(a, b Failure) int { return int(a.Seed) - int(b.Seed) })
	res.Failures = len(res.Failed)
	res.Seconds = time.Since(started).Seconds()
	res.Notes = n.String()
	res.Short = n.short(cp)
	return res
}

// Replay is the command that plays one case of a campaign, and no campaign whose
// name is only like its.
func Replay(cp Campaign, seed uint64) string {
	command := fmt.Sprintf("go test -tags faults ./internal/faults -run '^TestCampaign$/^%s$/^%s$' -seed=%d", cp.Name, cp.Target, seed)
	if cp.Unseeded != "" {
		command += " # " + cp.Unseeded
	}
	return command
}

// counts are a campaign's own figures.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (n *counts) add(what string, more int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[what] += more
}

// short names what was counted in fewer cases than the campaign needs.
func (n *counts) short(cp Campaign) (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if cp.Cases < fewForNeed {
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(cp.Need)) {
		if n.of[k]*100 < cp.Need[k]*cp.Cases {
			out = append(out, fmt.Sprintf("%d %s in %d cases, at least %d in a hundred are needed", n.of[k], k, cp.Cases, cp.Need[k]))
		}
	}
	return out
}

// String lists the figures by name.
func (n *counts) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, k := range slices.Sorted(maps.Keys(n.of)) {
		out = append(out, fmt.Sprintf("%d %s", n.of[k], k))
	}
	return strings.Join(out, ", ")
}
