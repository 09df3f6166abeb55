package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
)

const plotFile = "bench/growth.svg"

// curve is what one series is expected to do, and how it is drawn.
type curve struct {
	series  string
	label   string
	formula func(packages float64) float64 // nil: measured points only
	class   string
}

// panel is one of the plot's two pictures, both axes logarithmic.
type panel struct {
	title    string
	low, top float64
	curves   []curve
	line     float64 // a bound to draw, 0 for none
	lineText string
}

// panels are calls and memory. The formulas are those of docs/performance.md.
func panels() []panel {
	cold := func(p float64) float64 { return math.Ceil(p/100) + p*math.Ceil(perPackage/100.0) }
	second := func(p float64) float64 { return math.Ceil(p / 100) }
	return []panel{
		{
			title: "calls of a sweep", low: 1, top: 1e6, line: 5000, lineText: "one hour's quota: 5,000",
			curves: []curve{
				{seriesColdCalls, "cold: ⌈P/100⌉ + P", cold, "a"},
				{seriesSecondCalls, "nothing changed: ⌈P/100⌉", second, "b"},
			},
		},
		{
			title: "peak memory of a sweep, MB", low: 10, top: 1000, line: 150, lineText: "bound at 10,000 packages: 150 MB",
			curves: []curve{
				{seriesColdPeak, "cold", nil, "a"},
				{seriesSecondPeak, "nothing changed", nil, "b"},
			},
		},
	}
}

// The picture's measures, in its own units.
const (
	plotWidth  = 820
	plotHeight = 360
	panelLeft  = 62
	panelTop   = 46
	panelWide  = 320
	panelHigh  = 250
	panelStep  = 410
	fewest     = 10
	most       = 100_000
)

// style has the colours of text and lines for light and dark pages.
const style = `<style>
text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:13px}.s{font-size:11px}
.g{stroke:#8c959f;stroke-opacity:.35}.ax{stroke:#57606a;fill:none}.ln{stroke:#9a6700;stroke-dasharray:2 3}
.a{stroke:#0969da;fill:#0969da}.b{stroke:#1a7f37;fill:#1a7f37}path.a,path.b{fill:none;stroke-width:1.6}path.f{stroke-dasharray:6 4}
text.a{fill:#0969da;stroke:none}text.b{fill:#1a7f37;stroke:none}text.l{fill:#7d4e00}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ax{stroke:#9198a1}.ln{stroke:#d29922}
.a{stroke:#58a6ff;fill:#58a6ff}.b{stroke:#3fb950;fill:#3fb950}text.a{fill:#79c0ff}text.b{fill:#56d364}text.l{fill:#e3b341}path.a,path.b{fill:none}}
</style>`

// replot draws the plot, and writes the table of the documentation, from the results.
func replot() error {
	res, err := readResults()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s yet: run the benchmarks first", resultsFile)
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(plotFile, []byte(draw(res.Figures)), 0o644); err != nil {
		return err
	}
	return document(res)
}

func draw(figures []figure) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`, plotWidth, plotHeight)
	b.WriteString(`<title id="title">What a sweep costs as an owner grows</title>` +
		`<desc id="desc">Calls and peak memory of a cold sweep and of one with nothing changed, by number of packages of 100 versions. Points are measured, dashed lines are the formula.</desc>`)
	b.WriteString(style)
	for i, p := range panels() {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`, panelLeft+i*panelStep, panelTop)
		p.draw(&b, figures)
		b.WriteString(`</g>`)
	}
	fmt.Fprintf(&b, `<text class="s" x="%d" y="%d">points: measured · dashed: formula · packages of %d versions each</text></svg>`, panelLeft, plotHeight-8, perPackage)
	b.WriteByte('\n')
	return b.String()
}

func (p panel) x(packages float64) float64 {
	return panelWide * math.Log(packages/fewest) / math.Log(most/fewest)
}

func (p panel) y(v float64) float64 {
	return panelHigh * (1 - math.Log(v/p.low)/math.Log(p.top/p.low))
}

func (p panel) draw(b *strings.Builder, figures []figure) {
	fmt.Fprintf(b, `<text class="t" x="0" y="-24">%s</text>`, p.title)
	for v := p.low; v <= p.top*1.01; v *= 10 {
		fmt.Fprintf(b, `<path class="g" d="M0 %.1fH%d"/><text class="s" x="-6" y="%.1f" text-anchor="end">%s</text>`, p.y(v), panelWide, p.y(v)+4, thousands(v))
	}
	for v := float64(fewest); v <= most; v *= 10 {
		fmt.Fprintf(b, `<path class="g" d="M%.1f 0V%d"/><text class="s" x="%.1f" y="%d" text-anchor="middle">%s</text>`, p.x(v), panelHigh, p.x(v), panelHigh+16, thousands(v))
	}
	fmt.Fprintf(b, `<path class="ax" d="M0 0V%dH%d"/><text class="s" x="%d" y="%d" text-anchor="middle">packages</text>`, panelHigh, panelWide, panelWide/2, panelHigh+34)
	if p.line > 0 {
		fmt.Fprintf(b, `<path class="ln" d="M0 %.1fH%d"/><text class="s l" x="4" y="%.1f">%s</text>`, p.y(p.line), panelWide, p.y(p.line)-5, p.lineText)
	}
	for i, c := range p.curves {
		c.draw(b, p, figures)
		fmt.Fprintf(b, `<text class="s %s" x="%d" y="-8">● %s</text>`, c.class, i*150, c.label)
	}
}

// draw draws a curve's measured points, joined where there is no formula.
func (c curve) draw(b *strings.Builder, p panel, figures []figure) {
	var path strings.Builder
	to := func(x, y float64) {
		word := "L"
		if path.Len() == 0 {
			word = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", word, x, y)
	}
	for _, f := range figures {
		if f.Series != c.series || f.Packages == 0 || f.Figure <= 0 {
			continue
		}
		x, y := p.x(float64(f.Packages)), p.y(f.Figure)
		fmt.Fprintf(b, `<circle class="%s" cx="%.1f" cy="%.1f" r="3.5"><title>%s packages: %s %s</title></circle>`, c.class, x, y, thousands(float64(f.Packages)), thousands(math.Round(f.Figure)), f.Unit)
		if c.formula == nil {
			to(x, y)
		}
	}
	dashed := ""
	if c.formula != nil {
		dashed = " f"
		for at := float64(fewest); at <= most*1.001; at *= math.Pow(10, 0.05) {
			to(p.x(at), p.y(c.formula(math.Round(at))))
		}
	}
	if path.Len() > 0 {
		fmt.Fprintf(b, `<path class="%s%s" d="%s"/>`, c.class, dashed, path.String())
	}
}

// thousands writes 10000 as 10,000.
func thousands(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
