package faults

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Report collects the results of campaigns, which may run side by side.
type Report struct {
	version string // of the code under test
	now     func() time.Time
	started time.Time

	mu      sync.Mutex
	results []Result
}

// NewReport begins a report on a version of the code; now is the clock.
func NewReport(version string, now func() time.Time) *Report {
	return &Report{version: version, now: now, started: now()}
}

// Add keeps a result.
func (r *Report) Add(res Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, res)
}

// Line is a result in one line, for who waits for the table.
func (res Result) Line() string {
	if res.Skipped != "" {
		return fmt.Sprintf("%s/%s skipped: %s", res.Campaign, res.Target, res.Skipped)
	}
	return fmt.Sprintf("%s/%s: %d cases, %d failures, %.1f s; %s", res.Campaign, res.Target, res.Cases, res.Failures, res.Seconds, res.notes())
}

// notes are what was counted, and that it was too little.
func (res Result) notes() string {
	if len(res.Short) == 0 {
		return res.Notes
	}
	return "TOO FEW: " + strings.Join(res.Short, "; ") + " (" + res.Notes + ")"
}

// Empty reports whether nothing was played.
func (r *Report) Empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.results) == 0
}

// sorted returns the results by campaign and target.
func (r *Report) sorted() []Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.results)
	slices.SortFunc(out, func(a, b Result) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), strings.Compare(a.Target, b.Target))
	})
	return out
}

// Table writes the results for a person, failures with the command that plays
// each of them again. The seconds are those of each campaign by itself: side by
// side, they add up to more than the whole took.
func (r *Report) Table(w io.Writer) error {
	results := r.sorted()
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CAMPAIGN\tTARGET\tCASES\tFAILURES\tSECONDS\tFIRST SEED\t")
	cases, failures, seconds := 0, 0, 0.0
	for _, res := range results {
		if res.Skipped != "" {
			fmt.Fprintf(tw, "%s\t%s\t-\t-\t-\t-\tskipped: %s\n", res.Campaign, res.Target, res.Skipped)
			continue
		}
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%.1f\t%d\t%s\n", res.Campaign, res.Target, res.Cases, res.Failures, res.Seconds, res.FirstSeed, res.notes())
		cases, failures, seconds = cases+res.Cases, failures+res.Failures, seconds+res.Seconds
	}
	fmt.Fprintf(tw, "all\t\t%d\t%d\t%.1f\t\t\n", cases, failures, seconds)
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nversion %s, begun on %s, took %s\n", cmp.Or(r.version, "unknown"), r.started.UTC().Format("2006-01-02 at 15:04 UTC"), r.now().Sub(r.started).Round(time.Second))
	for _, res := range results {
		for _, short := range res.Short {
			fmt.Fprintf(w, "\n%s/%s failed: %s\n", res.Campaign, res.Target, short)
		}
		for _, f := range res.Failed {
			fmt.Fprintf(w, "\n%s/%s failed with seed %s; play it again:\n  %s\n", res.Campaign, res.Target, strconv.FormatUint(f.Seed, 10), f.Replay)
		}
	}
	return nil
}

// Save writes the results as JSON.
func (r *Report) Save(path string) error {
	b, err := json.MarshalIndent(struct {
		Schema    string    `json:"schema"`
		Version   string    `json:"version,omitempty"`
		Started   time.Time `json:"started_at"`
		Seconds   float64   `json:"seconds"`
		Campaigns []Result  `json:"campaigns"`
	}{"shelflife.faults/v1", r.version, r.started.UTC().Truncate(time.Second), r.now().Sub(r.started).Seconds(), r.sorted()}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
