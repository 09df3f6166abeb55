package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/shelflife-dev/shelflife/internal/gcpace"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// evaluatedAt is the instant that the ages of the evaluated packages are counted from.
var evaluatedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// policyEvaluation times all shipped policies over containers of several sizes,
// and over several packages with one and with all cores. Garbage is collected as
// seldom as cmd/shelflife has it, from here to the end of the program.
func policyEvaluation(ctx context.Context, b *bench) error {
	gcpace.Keep(64 << 20)
	engine, err := policy.Load(ctx, policies.FS, policy.Options{Builtin: true, TimeLimit: time.Minute})
	if err != nil {
		return err
	}
	decide := func(inv retention.Inventory) error {
		j, err := engine.Decide(ctx, policy.Request{Inventory: inv, EvaluatedAt: evaluatedAt, Trigger: retention.Trigger{Kind: retention.TriggerSchedule}})
		if err == nil && len(j.Failures) > 0 {
			err = fmt.Errorf("a policy failed: %v", j.Failures)
		}
		return err
	}
	var at1000 float64
	perVersion := map[int]float64{}
	for _, n := range []int{10, 100, 1000, 10_000} {
		inv := imagePackage(n)
		each, cpu, err := repeated(func() error { return decide(inv) })
		if err != nil {
			return err
		}
		versions := float64(len(inv.Versions))
		us := each.Seconds() * 1e6 / versions
		perVersion[n] = us
		f := figure{Row: "policies", What: fmt.Sprintf("all shipped policies, %d versions", n), Rule: atMost, Bound: 25, Figure: us, Unit: "µs/version"}
		if n == 10 {
			f.Note = fmt.Sprintf("%.0f µs a package: what every package costs is shared by ten versions only", us*versions)
		}
		b.add(f, info("policies", fmt.Sprintf("of that, processor time of all threads, %d versions", n), "µs/version", cpu.Seconds()*1e6/versions))
		if n == 1000 {
			at1000 = us
		}
	}
	if err := releasePolicies(b, decide); err != nil {
		return err
	}
	b.add(info("policies", "flatness: 10,000 versions over 1,000, per version", "times", perVersion[10_000]/at1000))
	return overPackages(b, decide)
}

// releasePolicies times the policies over a package whose versions are named by
// their releases, every second one a prerelease.
func releasePolicies(b *bench, decide func(retention.Inventory) error) error {
	inv := npmPackage(1000)
	each, cpu, err := repeated(func() error { return decide(inv) })
	if err != nil {
		return err
	}
	us := each.Seconds() * 1e6 / float64(len(inv.Versions))
	b.add(figure{Row: "policies", What: "all shipped policies, 1000 npm versions, half of them prereleases", Rule: atMost, Bound: 25, Figure: us, Unit: "µs/version"},
		info("policies", "of that, processor time of all threads, 1000 npm versions", "µs/version", cpu.Seconds()*1e6/float64(len(inv.Versions))))
	return nil
}

// overPackages evaluates packages with one worker and with as many as cores.
func overPackages(b *bench, decide func(retention.Inventory) error) error {
	inv := imagePackage(1000)
	workers := runtime.NumCPU()
	const packages = 60
	all := func(workers int) (time.Duration, error) {
		work := make(chan struct{}, packages)
		for range packages {
			work <- struct{}{}
		}
		close(work)
		errs := make([]error, workers)
		var wg sync.WaitGroup
		started := time.Now()
		for i := range workers {
			wg.Go(func() {
				for range work {
					if err := decide(inv); err != nil {
						errs[i] = err
					}
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return 0, err
			}
		}
		return time.Since(started), nil
	}
	var one, many []time.Duration
	for range 3 { // in turns, so that whatever else the machine does meets both
		a, err := all(1)
		if err != nil {
			return err
		}
		c, err := all(workers)
		if err != nil {
			return err
		}
		one, many = append(one, a), append(many, c)
	}
	f := info("policies", fmt.Sprintf("%d packages of 1,000 versions: %d workers over 1", packages, workers), "times faster", median(one).Seconds()/median(many).Seconds())
	f.Note = "one worker already has the garbage collector on the other cores"
	b.add(f)
	return nil
}

// repeated runs f for about a second, at least five times, and returns the
// median time of one, and the mean processor time, which the machine's other
// work does not lengthen.
func repeated(f func() error) (wall, cpu time.Duration, err error) {
	var took []time.Duration
	before, err := processorTime()
	if err != nil {
		return 0, 0, err
	}
	for started := time.Now(); len(took) < 5 || time.Since(started) < time.Second; {
		t := time.Now()
		if err := f(); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(t))
	}
	after, err := processorTime()
	return median(took), (after - before) / time.Duration(len(took)), err
}

// processorTime is what this process has used so far.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
