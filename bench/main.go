// Program bench measures what the design promises of speed, calls and memory,
// and prints one line per figure: the bound, the figure, their ratio, and
// whether it is kept. A copy for machines, and a plot of what a sweep costs, go
// to the folder bench, and the table into docs/performance.md.
//
// The shelflife that it measures is the real binary, run as a process of its own
// against the simulator, which is another process: neither shares memory or
// a heap with what is measured, only the processor. Policy evaluation runs
// in this process, and stores and graphs as Go benchmarks.
//
// It never fails because a figure is over its bound, and never calls the network
// beyond this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"
)

const resultsFile = "bench/results.json"

// bench is one run of the program.
type bench struct {
	rig *rig
	mu  sync.Mutex
	got []figure
}

func (b *bench) add(figures ...figure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, load := time.Now().UTC().Truncate(time.Second), loadAverage()
	for _, f := range figures {
		f = f.judged()
		f.MeasuredAt, f.Load = now, load
		b.got = append(b.got, f)
		fmt.Fprintf(os.Stderr, "  %-24s %s: %s\n", f.Row, f.What, f.number())
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("rows", "", "rows to measure, by name or beginning, separated by commas (default all)")
	quick := flags.Bool("quick", false, "leave out the rows that take minutes")
	plot := flags.Bool("plot", false, "measure nothing; write plot and table anew from "+resultsFile)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *plot {
		return replot()
	}
	selected, err := selectRows(*only, *quick)
	if err != nil {
		return err
	}
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	b := &bench{rig: r}
	b.measure(ctx, selected)
	if err := r.close(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	res, err := merge(b.got, selected)
	if err != nil {
		return err
	}
	table(os.Stdout, res.Machine, b.got)
	if err := res.write(); err != nil {
		return err
	}
	return replot()
}

// measure runs the quick rows one after the other, so that they don't disturb
// each other, and then the slow ones side by side: these wait.
func (b *bench) measure(ctx context.Context, selected []row) {
	var waiting sync.WaitGroup
	for _, r := range selected {
		if !r.slow {
			b.one(ctx, r)
		}
	}
	for _, r := range selected {
		if r.slow {
			waiting.Go(func() { b.one(ctx, r) })
		}
	}
	waiting.Wait()
	order := map[string]int{}
	for i, r := range rows() {
		order[r.name] = i
	}
	slices.SortStableFunc(b.got, func(x, y figure) int { return order[x.Row] - order[y.Row] })
}

// one measures a row. A failure is a line of the table like any other.
func (b *bench) one(ctx context.Context, r row) {
	if ctx.Err() != nil {
		return
	}
	if err := r.run(ctx, b); err != nil {
		b.add(figure{Row: r.name, What: "all", Rule: noBound, Status: failed, Note: err.Error()})
	}
}

func selectRows(only string, quick bool) ([]row, error) {
	all := rows()
	if only != "" {
		picked := map[string]bool{}
		for name := range strings.SplitSeq(only, ",") {
			found := false
			for _, r := range all {
				if strings.HasPrefix(r.name, strings.TrimSpace(name)) {
					picked[r.name], found = true, true
				}
			}
			if !found {
				return nil, fmt.Errorf("there is no row %q; there are %s", name, names(all))
			}
		}
		all = slices.DeleteFunc(all, func(r row) bool { return !picked[r.name] })
	}
	if quick {
		all = slices.DeleteFunc(all, func(r row) bool { return r.slow || r.long })
	}
	return all, nil
}

func names(all []row) string {
	var out []string
	for _, r := range all {
		out = append(out, r.name)
	}
	return strings.Join(out, ", ")
}
