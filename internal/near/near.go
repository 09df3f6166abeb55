// Package near finds the name that somebody probably meant. It never decides:
// its answers end up in error messages only.
package near

import (
	"cmp"
	"slices"
	"strings"
)

// longest is the length beyond which a word is no misspelt name.
const longest = 64

// Names returns those of the known names that name is probably a slip of the
// pen for, nearest first, at most three. Case does not count.
func Names(name string, known []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	if len(name) > longest {
		return nil
	}
	limit := 1 + len(name)/4
	var found []candidate
	for _, k := range known {
		if len(k) > longest || k == name {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d <= limit && 2*d <= max(len(name), len(k)) {
			found = append(found, candidate{k, d})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, f := range found[:min(3, len(found))] {
		out = append(out, f.name)
	}
	return slices.Compact(out)
}

// First returns the nearest of the known names, or "".
func First(name string, known []string) string {
	if found := Names(name, known); len(found) > 0 {
		return found[0]
	}
	return ""
}

// DidYouMean asks for near names, as Names returns them; "" without any.
func DidYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + n + `"`
	}
	return "did you mean " + strings.Join(quoted, " or ") + "?"
}

// distance counts the letters to insert, delete, change or swap with their
// neighbour that turn a into b (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
