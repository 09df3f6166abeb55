package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiguresAreHeldAgainstTheirBounds(t *testing.T) {
	for name, tc := range map[string]struct {
		give figure
		want status
	}{
		"the exact number of calls":  {calls("r", "", 3, 3), ok},
		"one call too many":          {calls("r", "", 3, 4), over},
		"one call too few":           {calls("r", "", 3, 2), over},
		"no calls where none may be": {calls("r", "", 0, 0), ok},
		"a time at its bound":        {seconds("r", "", 1, 1e9), ok},
		"a time beyond it":           {seconds("r", "", 1, 1e9+1), over},
		"a rate below its bound":     {figure{Rule: atLeast, Bound: 2, Figure: 1}, over},
		"a figure without a bound":   {info("r", "", "s", 7), told},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.give.judged(); got.Status != tc.want {
				t.Errorf("%+v is %q, want %q", tc.give, got.Status, tc.want)
			}
		})
	}
}

func TestRowsAreSelectedByName(t *testing.T) {
	picked := func(only string, quick bool) (names []string) {
		t.Helper()
		rs, err := selectRows(only, quick)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			names = append(names, r.name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"deletes-60", "deletes-600", "deletes-600-one-budget", "start"}, picked("deletes, deletes-60, start", false)); diff != "" {
		t.Errorf("by beginning (-want +got)\n%s", diff)
	}
	if quick, all := picked("", true), picked("", false); len(quick) != len(all)-4 {
		t.Errorf("quick leaves %v of %v", quick, all)
	}
	if _, err := selectRows("nonesuch", false); err == nil || !strings.Contains(err.Error(), "rest-cold") {
		t.Errorf("%v, want the names that there are", err)
	}
}

func TestPlotIsWellFormedAndHoldsEveryPoint(t *testing.T) {
	svg := draw([]figure{
		{Series: seriesColdCalls, Packages: 10, Figure: 11, Unit: "calls"},
		{Series: seriesSecondPeak, Packages: 10_000, Figure: 70.2, Unit: "MB"},
		{Row: "dry-run", Figure: 1},
	})
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(svg, "<circle"); n != 2 {
		t.Errorf("%d points, want 2", n)
	}
	for _, text := range []string{"10 packages: 11 calls", "10,000 packages: 70 MB", "prefers-color-scheme:dark"} {
		if !strings.Contains(svg, text) {
			t.Errorf("the plot lacks %q", text)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("a coordinate is no number")
	}
}
