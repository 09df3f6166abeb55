package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// perPackage is how many versions each package of a sweep has.
const perPackage = 100

// The curves of the plot.
const (
	seriesColdCalls   = "calls, cold"
	seriesSecondCalls = "calls, second"
	seriesColdPeak    = "peak memory, cold"
	seriesSecondPeak  = "peak memory, second"
)

// sweepGrowth sweeps owners that are read within a minute's points.
func sweepGrowth(ctx context.Context, b *bench) error {
	for _, packages := range []int{10, 100, 800} {
		if err := b.sweep(ctx, "sweep", packages, noBound); err != nil {
			return err
		}
	}
	return nil
}

// sweepLarge is a million versions. Of its time, GitHub's 900 points a minute
// make up nearly all.
func sweepLarge(ctx context.Context, b *bench) error {
	return b.sweep(ctx, "sweep-10000", 10_000, atMost)
}

func (b *bench) sweep(ctx context.Context, name string, packages int, memory rule) error {
	return b.with(ctx, newSeed(releases(packages, perPackage)...), func(w *world) error {
		for _, s := range []struct {
			sweep, calls, peak string
			first              bool
		}{{"cold", seriesColdCalls, seriesColdPeak, true}, {"second", seriesSecondCalls, seriesSecondPeak, false}} {
			t, p, err := w.timed(ctx, "npm", noRestore, s.first)
			if err != nil {
				return err
			}
			what := fmt.Sprintf("%d packages × %d versions, %s: ", packages, perPackage, s.sweep)
			peak := figure{Row: name, What: what + "peak resident memory", Rule: memory, Figure: megabytes(p.peak), Unit: "MB", Packages: packages, Series: s.peak}
			if memory != noBound {
				peak.Bound = 150
			}
			n := info(name, what+"calls below /packages", "calls", float64(t.packages))
			n.Packages, n.Series = packages, s.calls
			b.add(peak, n, info(name, what+"wall time", "s", p.wall.Seconds()), info(name, what+"processor time", "s", p.cpu.Seconds()))
		}
		return b.stateSize(name, packages, w)
	})
}

// stateSize tells how large the state file has become.
func (b *bench) stateSize(name string, packages int, w *world) error {
	files, err := filepath.Glob(filepath.Join(w.dir, "state", "*"))
	if err != nil {
		return err
	}
	var size int64
	for _, f := range files {
		if !strings.HasSuffix(f, "-shm") {
			size += fileSize(f)
		}
	}
	b.add(info(name, fmt.Sprintf("%d packages × %d versions: state file", packages, perPackage), "MB", megabytes(size)))
	return nil
}
