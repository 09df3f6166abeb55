package main

import (
	"context"
	"os"
	"time"
)

// starts is how often the binary is started; the median counts.
const starts = 21

// start times the binary from fork to exit.
func start(ctx context.Context, b *bench) error {
	dir, err := b.rig.scratch()
	if err != nil {
		return err
	}
	timed := func(args ...string) (time.Duration, error) {
		var took []time.Duration
		for range starts {
			p, err := b.rig.run(ctx, dir, []string{"HOME=" + dir}, args...)
			if err != nil {
				return 0, err
			}
			took = append(took, p.wall)
		}
		return median(took), nil
	}
	bare, err := timed("--version")
	if err != nil {
		return err
	}
	check, err := timed("policy", "check")
	if err != nil {
		return err
	}
	version := info("start", "shelflife --version, from fork to exit", "ms", milliseconds(bare))
	f := figure{Row: "start", What: "shelflife policy check: all shipped policies read, compiled and checked", Rule: atMost, Bound: 150, Figure: milliseconds(check), Unit: "ms"}
	f.Note = "by the command line; the enforcer function, which does the same at its start, has a row of its own"
	b.add(version, f, info("start", "size of the binary for this machine, not zipped", "MB", megabytes(fileSize(b.rig.bin))))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// fileSize is 0 for a file that is not there.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
