package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// The part of the documentation that is made from the results.
const (
	docFile  = "docs/performance.md"
	docBegin = "<!-- bench: begin -->\n"
	docEnd   = "<!-- bench: end -->\n"
)

// document writes the results into the documentation, where that is there.
func document(res results) error {
	raw, err := os.ReadFile(docFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	head, rest, begins := strings.Cut(string(raw), docBegin)
	_, tail, ends := strings.Cut(rest, docEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the figures: %s … %s", docFile, strings.TrimSpace(docBegin), strings.TrimSpace(docEnd))
	}
	return os.WriteFile(docFile, []byte(head+docBegin+markdown(res)+docEnd+tail), 0o644)
}

// markdown is the table of all figures.
func markdown(res results) string {
	var b strings.Builder
	m := res.Machine
	fmt.Fprintf(&b, "\nMeasured on %s, %s/%s with %d cores (%s), %s. *Load* is the machine's load average at that moment.\n\n",
		m.Date, m.OS, m.Arch, m.Cores, m.CPU, m.Go)
	b.WriteString("| row | what | bound | figure | ratio | load | |\n|---|---|--:|--:|--:|--:|---|\n")
	last := ""
	for _, f := range res.Figures {
		name := "`" + f.Row + "`"
		if f.Row == last {
			name = ""
		}
		last = f.Row
		ratio := ""
		if f.Bound != 0 {
			ratio = fmt.Sprintf("%.2f", f.Ratio)
		}
		state := string(f.Status)
		switch f.Status {
		case told:
			state = ""
		case over:
			state = "**over**"
		}
		load := ""
		if f.Load > 0 {
			load = fmt.Sprintf("%.1f", f.Load)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", name, f.What, strings.TrimPrefix(f.limit(), "-"), f.number(), ratio, load, state)
	}
	b.WriteByte('\n')
	return b.String()
}
