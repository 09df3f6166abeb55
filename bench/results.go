package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// results is the copy for machines: what was measured last of every row.
type results struct {
	Schema  string   `json:"schema"`
	Machine machine  `json:"machine"`
	Figures []figure `json:"figures"`
}

// machine is what the figures depend on. It names neither host nor paths.
type machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
	CPU   string `json:"cpu"`
	Go    string `json:"go"`
	Date  string `json:"date"`
}

func thisMachine() machine {
	return machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), CPU: cpuModel(),
		Go: runtime.Version(), Date: time.Now().UTC().Format(time.DateOnly),
	}
}

// cpuModel is what Linux says; elsewhere it is not known.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// loadAverage is that of the last minute on Linux; elsewhere it is not known, 0.
func loadAverage() float64 {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load
}

func readResults() (results, error) {
	var res results
	raw, err := os.ReadFile(resultsFile)
	if err != nil {
		return res, err
	}
	return res, json.Unmarshal(raw, &res)
}

// merge puts the new figures in place of the old ones of the same rows.
func merge(got []figure, selected []row) (results, error) {
	res, err := readResults()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return res, fmt.Errorf("%s: %w: remove it", resultsFile, err)
	}
	now := thisMachine()
	if before := res.Machine; before.CPU != now.CPU || before.Cores != now.Cores || before.Go != now.Go {
		res.Figures = nil // of another machine: not to be mixed
	}
	res.Schema, res.Machine = "shelflife.bench/v1", now
	res.Figures = slices.DeleteFunc(res.Figures, func(f figure) bool {
		return slices.ContainsFunc(selected, func(r row) bool { return r.name == f.Row })
	})
	res.Figures = append(res.Figures, got...)
	order := map[string]int{}
	for i, r := range rows() {
		order[r.name] = i
	}
	slices.SortStableFunc(res.Figures, func(x, y figure) int { return order[x.Row] - order[y.Row] })
	return res, nil
}

func (res results) write() error {
	raw, err := json.MarshalIndent(res, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(resultsFile, append(raw, '\n'), 0o644)
}

// number writes a figure with about three digits that mean something.
func (f figure) number() string {
	if f.Status == failed {
		return "-"
	}
	return short(f.Figure) + " " + f.Unit
}

func (f figure) limit() string {
	if f.Rule == noBound {
		return "-"
	}
	sign := map[rule]string{exactly: "= ", atMost: "≤ ", atLeast: "≥ "}
	return sign[f.Rule] + short(f.Bound) + " " + f.Unit
}

func short(x float64) string {
	switch abs := math.Abs(x); {
	case x == math.Trunc(x) || abs >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case abs >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case abs >= 0.1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
}

func table(w io.Writer, m machine, got []figure) {
	fmt.Fprintf(w, "%s/%s, %d cores, %s, %s, %s\n\n", m.OS, m.Arch, m.Cores, m.CPU, m.Go, m.Date)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\twhat\tbound\tfigure\tratio\tload\t")
	for _, f := range got {
		ratio := "-"
		if f.Bound != 0 {
			ratio = strconv.FormatFloat(f.Ratio, 'f', 2, 64)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.1f\t%s\n", f.Row, f.What, f.limit(), f.number(), ratio, f.Load, f.Status)
	}
	_ = t.Flush() // the terminal is gone: there is nobody to tell
	for _, f := range got {
		if f.Note != "" {
			fmt.Fprintf(w, "\n%s, %s: %s\n", f.Row, f.What, f.Note)
		}
	}
}
