package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"text/tabwriter"
)

// Report collects the results of campaigns in the order in which they ended.
type Report struct {
	mu      sync.Mutex
	results []Result
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
	return fmt.Sprintf("%s/%s: %d cases, %d failures, %.1f s; %s", res.Campaign, res.Target, res.Cases, res.Failures, res.Seconds, res.Notes)
}

// Empty reports whether nothing was played.
func (r *Report) Empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.results) == 0
}

// Table writes the results for a person, failures with the command that plays
// each of them again.
func (r *Report) Table(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CAMPAIGN\tTARGET\tCASES\tFAILURES\tSECONDS\tFIRST SEED\t")
	cases, failures, seconds := 0, 0, 0.0
	for _, res := range r.results {
		if res.Skipped != "" {
			fmt.Fprintf(tw, "%s\t%s\t-\t-\t-\t-\tskipped: %s\n", res.Campaign, res.Target, res.Skipped)
			continue
		}
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%.1f\t%d\t%s\n", res.Campaign, res.Target, res.Cases, res.Failures, res.Seconds, res.FirstSeed, res.Notes)
		cases, failures, seconds = cases+res.Cases, failures+res.Failures, seconds+res.Seconds
	}
	fmt.Fprintf(tw, "all\t\t%d\t%d\t%.1f\t\t\n", cases, failures, seconds)
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, res := range r.results {
		for _, f := range res.Failed {
			fmt.Fprintf(w, "\n%s/%s failed with seed %s; play it again:\n  %s\n", res.Campaign, res.Target, strconv.FormatUint(f.Seed, 10), f.Replay)
		}
	}
	return nil
}

// Save writes the results as JSON.
func (r *Report) Save(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := json.MarshalIndent(map[string]any{"schema": "shelflife.faults/v1", "campaigns": r.results}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
