package report

import (
	"time"

	"github.com/shelflife-dev/shelflife/internal/report/html"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// maxChartDays bounds the days that a chart of runs goes back.
const maxChartDays = 366

func (rs Runs) page(prefix string) html.Page {
	p := documentPage(rs.document(), prefix)
	p.Title = titleOf(rs)
	if c, ok := runsChart(rs); ok {
		p.Sections = append([]html.Section{html.ChartSection(prefix+"chart", "Day by day", "", c)}, p.Sections...)
	}
	return p
}

// runsChart shows what the finished runs did, day by day, the quiet days included.
// There is none when it all happened on one day.
func runsChart(rs Runs) (html.Chart, bool) {
	var first, last time.Time
	done, other := map[time.Time]int{}, map[time.Time]int{}
	for _, r := range rs {
		if r.FinishedAt.IsZero() || r.StartedAt.IsZero() {
			continue
		}
		d := r.StartedAt.UTC().Truncate(24 * time.Hour)
		if first.IsZero() || d.Before(first) {
			first = d
		}
		if d.After(last) {
			last = d
		}
		for o, n := range r.Outcomes {
			if o == retention.OutcomeDone {
				done[d] += n
			} else {
				other[d] += n
			}
		}
	}
	if !last.After(first) {
		return html.Chart{}, false
	}
	if oldest := last.AddDate(0, 0, -maxChartDays); first.Before(oldest) {
		first = oldest
	}
	c := html.Chart{About: "What the listed runs did on each day.", Series: []html.Series{{Name: "Done", Bars: true}, {Name: "Not done"}}}
	for d := first; !d.After(last); d = d.AddDate(0, 0, 1) {
		c.Times = append(c.Times, d)
		c.Series[0].Values = append(c.Series[0].Values, done[d])
		c.Series[1].Values = append(c.Series[1].Values, other[d])
	}
	return c, true
}
