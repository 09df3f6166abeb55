package faults

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// Add keeps a result, and notes of which version and when.
func (r *Report) Add(res Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	res.Version, res.Played = r.version, r.now().UTC().Truncate(time.Second)
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
	slices.SortFunc(out, byName)
	return out
}

func byName(a, b Result) int {
	return cmp.Or(strings.Compare(a.Campaign, b.Campaign), strings.Compare(a.Target, b.Target))
}

// Table writes the results for a person, and how long they took.
func (r *Report) Table(w io.Writer) error {
	if err := Table(w, r.sorted()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\ntook %s\n", r.now().Sub(r.started).Round(time.Second))
	return err
}

// Table writes results for a person, failures with the command that plays each of
// them again. The seconds are those of each campaign by itself: side by side, they
// add up to more than the whole took.
func Table(w io.Writer, results []Result) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CAMPAIGN\tTARGET\tCASES\tFAILURES\tSECONDS\tFIRST SEED\tVERSION\t")
	cases, failures, seconds := 0, 0, 0.0
	for _, res := range results {
		if res.Skipped != "" {
			fmt.Fprintf(tw, "%s\t%s\t-\t-\t-\t-\t-\tskipped: %s\n", res.Campaign, res.Target, res.Skipped)
			continue
		}
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%.1f\t%d\t%s\t%s\n",
			res.Campaign, res.Target, res.Cases, res.Failures, res.Seconds, res.FirstSeed, cmp.Or(res.Version, "unknown"), res.notes())
		cases, failures, seconds = cases+res.Cases, failures+res.Failures, seconds+res.Seconds
	}
	fmt.Fprintf(tw, "all\t\t%d\t%d\t%.1f\t\t\t\n", cases, failures, seconds)
	if err := tw.Flush(); err != nil {
		return err
	}
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

// document is a report as a file has it.
type document struct {
	Schema    string   `json:"schema"`
	Campaigns []Result `json:"campaigns"`
}

const schema = "shelflife.faults/v1"

// Save puts the results into a file, in the place of what it holds of the same
// campaigns. What it holds of others stays, where keep says so: a run of hours may be
// played in parts.
func (r *Report) Save(path string, keep func(Result) bool) error {
	before, err := Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	results := r.sorted()
	for _, old := range before {
		if keep(old) && !slices.ContainsFunc(results, func(res Result) bool { return byName(old, res) == 0 }) {
			results = append(results, old)
		}
	}
	slices.SortFunc(results, byName)
	b, err := json.MarshalIndent(document{schema, results}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// Read returns the results that a file holds.
func Read(path string) ([]Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil || d.Schema != schema {
		return nil, fmt.Errorf("%s is no report of campaigns: %w", path, cmp.Or(err, errors.New("it has another schema")))
	}
	return d.Campaigns, nil
}
