package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// evaluatedAt is the instant that the ages of the evaluated packages are counted from.
var evaluatedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// policyEvaluation times all shipped policies over containers of several sizes,
// and over several packages with one and with all cores. Garbage is collected as
// seldom as cmd/shelflife has it.
func policyEvaluation(ctx context.Context, b *bench) error {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(64 << 20))
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
	b.add(info("policies", "flatness: 10,000 versions over 1,000, per version", "times", perVersion[10_000]/at1000))
	return overPackages(b, decide)
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

// imagePackage is a container of n versions: of every ten, nine belong to
// two-platform images and one is untagged.
func imagePackage(n int) retention.Inventory {
	inv := retention.Inventory{
		Owner: retention.Owner{Login: owner, Kind: retention.Organization, ID: 7},
		Package: retention.Package{
			ID: 1, Name: "team/api", Type: retention.Container, Visibility: "private", VersionCount: n,
			CreatedAt: evaluatedAt.AddDate(-2, 0, 0), UpdatedAt: evaluatedAt.Add(-time.Hour), State: retention.Active,
		},
		Complete: true, DeletedListed: true,
	}
	var nodes []retention.Node
	add := func(node retention.Node, age time.Duration, tags ...string) string {
		id := retention.ID(len(inv.Versions) + 1000)
		node.Digest = fmt.Sprintf("sha256:%064x", uint64(id))
		at := evaluatedAt.Add(-age)
		inv.Versions = append(inv.Versions, retention.Version{ID: id, Name: node.Digest, CreatedAt: at, UpdatedAt: at, State: retention.Active, Tags: tags})
		nodes = append(nodes, node)
		return node.Digest
	}
	image := func(platform string) retention.Node {
		return retention.Node{Kind: retention.KindImage, MediaType: "application/vnd.oci.image.manifest.v1+json", Platform: platform, SizeBytes: 50 << 20}
	}
	for i := 0; len(inv.Versions) < n; i++ {
		age := time.Duration(i) * 7 * time.Hour
		if i%4 == 3 {
			add(image("linux/amd64"), age)
			continue
		}
		children := []string{add(image("linux/amd64"), age), add(image("linux/arm64"), age)}
		tag := fmt.Sprintf("v1.%d.%d", i/20, i%20)
		switch i % 8 {
		case 1:
			tag = fmt.Sprintf("pr-%d", i)
		case 5:
			tag += "-rc.1"
		}
		add(retention.Node{Kind: retention.KindIndex, MediaType: "application/vnd.oci.image.index.v1+json", SizeBytes: 1500, Children: children}, age, tag)
	}
	retention.SortVersions(inv.Versions)
	inv.Graph = retention.NewGraph(nodes)
	return inv
}
