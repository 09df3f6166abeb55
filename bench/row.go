package main

import (
	"context"
	"fmt"
	"time"
)

// rule says how a figure is held against its bound.
type rule string

const (
	exactly rule = "exactly"  // calls: one more or fewer is wrong
	atMost  rule = "at most"  // times and memory
	atLeast rule = "at least" // rates
	noBound rule = "no bound" // told for its own sake
)

// status is how a row came out. It never decides over a build.
type status string

const (
	ok     status = "ok"
	over   status = "over"
	told   status = "-" // a figure without a bound
	failed status = "could not be measured"
)

// figure is one line of the table.
type figure struct {
	Row        string    `json:"row"`  // as -rows selects it
	What       string    `json:"what"` // exactly what was measured
	Rule       rule      `json:"rule"`
	Bound      float64   `json:"bound,omitempty"`
	Figure     float64   `json:"figure"`
	Unit       string    `json:"unit"`
	Ratio      float64   `json:"ratio,omitempty"` // figure/bound
	Status     status    `json:"status"`
	Note       string    `json:"note,omitempty"`
	Packages   int       `json:"packages,omitempty"` // of a sweep, for the plot
	Series     string    `json:"series,omitempty"`   // which curve of the plot it is a point of
	MeasuredAt time.Time `json:"measured_at"`
	// Load is the machine's load average over the last minute, this program's own
	// included: with more than there are cores, times are longer than they need be.
	Load float64 `json:"load,omitempty"`
}

// row measures one or several figures.
type row struct {
	name string
	slow bool // takes minutes, most of them in waiting for GitHub's pace
	long bool // takes minutes, with all cores
	run  func(ctx context.Context, b *bench) error
}

// judged holds a figure against its bound.
func (f figure) judged() figure {
	if f.Status != "" {
		return f
	}
	if f.Bound != 0 {
		f.Ratio = f.Figure / f.Bound
	}
	good := true
	switch f.Rule {
	case exactly:
		good = f.Figure == f.Bound
	case atMost:
		good = f.Figure <= f.Bound
	case atLeast:
		good = f.Figure >= f.Bound
	default:
		f.Status = told
		return f
	}
	f.Status = over
	if good {
		f.Status = ok
	}
	return f
}

// calls is a figure that must be met exactly.
func calls(row, what string, bound, got int) figure {
	return figure{Row: row, What: what, Rule: exactly, Bound: float64(bound), Figure: float64(got), Unit: "calls"}
}

// seconds is a time that must not be exceeded.
func seconds(row, what string, bound float64, got time.Duration) figure {
	return figure{Row: row, What: what, Rule: atMost, Bound: bound, Figure: got.Seconds(), Unit: "s"}
}

// info is a figure without a bound.
func info(row, what, unit string, got float64) figure {
	return figure{Row: row, What: what, Rule: noBound, Figure: got, Unit: unit}
}

// rows are all there are, in the order of the table.
func rows() []row {
	return []row{
		{name: "rest-cold", run: restCold},
		{name: "registry-cold", run: registryCold},
		{name: "second-sweep", run: secondSweep},
		{name: "dry-run", run: dryRun},
		{name: "deletes-60", run: deletes(60, 30)},
		{name: "deletes-600", slow: true, run: deletes(600, 215)},
		{name: "deletes-600-one-budget", slow: true, run: deletesOneBudget},
		{name: "policies", run: policyEvaluation},
		{name: "sweep", run: sweepGrowth},
		{name: "sweep-10000", slow: true, run: sweepLarge},
		{name: "start", run: start},
		{name: "store", run: store},
		{name: "functions", run: functions},
		{name: "previews", long: true, run: previews},
	}
}

func pages(n int) int { return max(1, (n+99)/100) }

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// median sorts a copy of what was measured.
func median(of []time.Duration) time.Duration {
	sorted := sortedCopy(of)
	return sorted[len(sorted)/2]
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
