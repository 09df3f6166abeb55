package report

import "slices"

// gap is the number of spaces between columns.
const gap = 2

// layout is how wide each column is; below 0 means left out.
type layout struct {
	widths  []int
	dropped []string
}

// fit lays tables out within a width (0: no limit). Tables with the same
// columns get the same widths, so that one can be read below the other.
func fit(tables []table, within int) []layout {
	out := make([]layout, len(tables))
	for i := range tables {
		if out[i].widths != nil {
			continue
		}
		var alike []int
		for j := i; j < len(tables); j++ {
			if slices.Equal(tables[j].columns, tables[i].columns) {
				alike = append(alike, j)
			}
		}
		group := make([]table, len(alike))
		for k, j := range alike {
			group[k] = tables[j]
		}
		l := fitGroup(group, within)
		for _, j := range alike {
			out[j] = l
		}
	}
	return out
}

func fitGroup(group []table, within int) layout {
	columns := group[0].columns
	natural, least := make([]int, len(columns)), make([]int, len(columns))
	indent := 0
	for i, c := range columns {
		natural[i] = width(c.name)
	}
	for _, tab := range group {
		if tab.heading != "" {
			indent = 2
		}
		for row := range tab.each() {
			for i, c := range row {
				lead, rest := whole(c)
				natural[i] = max(natural[i], width(lead)+width(rest))
				if columns[i].least > 0 && lead != "" {
					least[i] = max(least[i], width(lead)+1) // the lead and an ellipsis
				}
			}
		}
	}
	for i, c := range columns {
		if c.least == 0 {
			least[i] = natural[i]
		}
		least[i] = min(natural[i], max(least[i], c.least, width(c.name)))
	}
	if within <= 0 {
		return layout{widths: natural}
	}
	l := dropColumns(columns, natural, least, within-indent)
	shrink(columns, &l, least, within-indent)
	return l
}

// dropColumns leaves columns out, the most dispensable first, until the others
// fit when cut as far as they may be.
func dropColumns(columns []column, natural, least []int, within int) layout {
	l := layout{widths: slices.Clone(natural)}
	for total(l.widths, least) > within {
		next := -1
		for i, c := range columns {
			if c.drop > 0 && l.widths[i] >= 0 && (next < 0 || c.drop > columns[next].drop) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		l.widths[next] = -1
	}
	for i, w := range l.widths {
		if w < 0 {
			l.dropped = append(l.dropped, columns[i].name)
		}
	}
	return l
}

// droppedOf names the columns that are left out somewhere, each once.
func droppedOf(layouts []layout) []string {
	var out []string
	for _, l := range layouts {
		for _, name := range l.dropped {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// total is the width of the columns that are shown, each as wide as in sizes.
func total(shown, sizes []int) int {
	sum := -gap
	for i, w := range shown {
		if w >= 0 {
			sum += sizes[i] + gap
		}
	}
	return sum
}

// shrink takes what is too much from the widest column that may be cut, a step
// at a time, so that no column loses everything while another has plenty.
func shrink(columns []column, l *layout, least []int, within int) {
	for total(l.widths, l.widths) > within {
		widest := -1
		for i := range columns {
			if l.widths[i] > least[i] && (widest < 0 || l.widths[i]-least[i] > l.widths[widest]-least[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return // it does not fit: better too wide than not there
		}
		l.widths[widest]--
	}
}
