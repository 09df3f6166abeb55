package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/preview"
	htmlpage "github.com/shelflife-dev/shelflife/internal/report/html"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestAForecastHasCharts(t *testing.T) {
	f := Forecast{preview.Forecast{
		From: at("2026-11-22T00:00:00Z"), Until: at("2026-11-24T00:00:00Z"), Days: 2,
		Summary: preview.ForecastSummary{Deleted: 9, Packages: 1, Remaining: 91},
		Series: []preview.Day{
			{Date: "2026-11-22", Runs: 1, Deleted: 6, Held: 3, Remaining: 94, ByPolicy: map[string]int{"expire_untagged": 4, "expire_pull_requests": 2}},
			{Date: "2026-11-23", Runs: 1, Deleted: 3, Remaining: 91, ByPolicy: map[string]int{"expire_untagged": 3}},
		},
	}}
	going, left, ok := f.charts()
	wantGoing := htmlpage.Chart{About: going.About, Times: going.Times, Series: []htmlpage.Series{
		{Name: "Deleted", Bars: true, Values: []int{6, 3}}, {Name: "expire_untagged", Values: []int{4, 3}},
		{Name: "expire_pull_requests", Values: []int{2, 0}}, {Name: "Held", Values: []int{3, 0}},
	}}
	if diff := cmp.Diff(wantGoing, going); diff != "" || !ok {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]htmlpage.Series{{Name: "Remaining", Values: []int{94, 91}}}, left.Series); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	golden(t, "forecast.html-data", dataOf(t, render(t, FormatHTML, f, Options{})))
	f.Series = f.Series[:1]
	if _, _, ok := f.charts(); ok {
		t.Error("a single day has a chart")
	}
}

func TestADiffIsOneTableHoweverManyPackages(t *testing.T) {
	d := Diff{preview.Diff{EvaluatedAt: at("2026-11-22T00:00:00Z"), Summary: preview.DiffSummary{Added: 300}}}
	for i := range 300 {
		c := preview.Change{Kind: preview.Added, Owner: "acme", PackageType: retention.NPM, Package: fmt.Sprintf("p%03d<script>", i), Target: retention.TargetVersion, VersionID: 1, Version: "1.0.0"}
		d.Changes = append(d.Changes, c)
		d.Packages = append(d.Packages, preview.PackageDiff{Owner: "acme", PackageType: retention.NPM, Package: c.Package, Added: 1})
	}
	page := render(t, FormatHTML, d, Options{})
	if n := strings.Count(page, "<section "); n != 1 {
		t.Errorf("%d sections", n)
	}
	if data := dataOf(t, page); strings.Count(data, "p299\\u003cscript") != 1 {
		t.Error("the last change is not in the data once")
	}
}
