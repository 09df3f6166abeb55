package html

import "time"

// Chart is a picture of numbers over time. The page has them as a table too.
type Chart struct {
	About  string // one sentence on what it shows
	Times  []time.Time
	Series []Series
}

// Series is one line, or one row of bars: a number for each of the chart's times.
type Series struct {
	Name   string
	Values []int
	Bars   bool
}

// ChartSection shows a chart.
func ChartSection(id, heading, lead string, c Chart) Section {
	return Section{ID: id, Kind: KindChart, Heading: heading, Lead: lead, Data: func(e *Encoder) {
		e.Object(
			Values("about", func() any { return c.About }),
			Values("xName", func() any { return "Day" }),
			Field{"x", func(e *Encoder) { e.List(len(c.Times), func(i int) { e.Int(c.Times[i].Unix()) }) }},
			Field{"series", func(e *Encoder) {
				e.List(len(c.Series), func(i int) {
					s := c.Series[i]
					e.Object(
						Values("name", func() any { return s.Name }),
						Values("bars", func() any { return s.Bars }),
						Field{"values", func(e *Encoder) { e.List(len(s.Values), func(j int) { e.Int(int64(s.Values[j])) }) }},
					)
				})
			}},
		)
	}}
}
