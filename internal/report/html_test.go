package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	htmlpage "github.com/shelflife-dev/shelflife/internal/report/html"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

var dataBlock = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

// dataOf is the data of a page, every row of a list on a line of its own.
func dataOf(t *testing.T, page string) string {
	t.Helper()
	m := dataBlock.FindAllStringSubmatch(page, -1)
	if len(m) != 1 {
		t.Fatalf("%d data blocks", len(m))
	}
	if !json.Valid([]byte(m[0][1])) {
		t.Fatalf("the data is not JSON: %s", m[0][1])
	}
	return strings.ReplaceAll(m[0][1], "],[", "],\n[") + "\n"
}

func TestTheDataOfPages(t *testing.T) {
	views := sampleViews()
	views["graph"] = sampleGraph()
	for _, name := range []string{"plan", "run", "runs", "policies", "graph", "rows", "plan-empty"} {
		golden(t, name+".html-data", dataOf(t, render(t, FormatHTML, views[name], Options{})))
	}
}

// elements parses a page as a browser does and returns its elements and text.
func elements(t *testing.T, page string) (names map[string]int, attributes []html.Attribute, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	names = map[string]int{}
	var b strings.Builder
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			names[n.Data]++
			attributes = append(attributes, n.Attr...)
		case html.TextNode:
			if n.Parent.Data != "script" && n.Parent.Data != "style" {
				b.WriteString(n.Data)
			}
		}
	}
	return names, attributes, b.String()
}

func TestHostileTextIsNeverMarkup(t *testing.T) {
	hostile := []string{
		`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `</style><img src=x onerror=alert(1)>`, `<!--<script>`, `-->`, `]]>`,
		`" onmouseover="alert(1)`, `' onfocus='alert(1)' autofocus='`, `{{.}}`, "`${alert(1)}`", "\u2028alert(1)", `&lt;script&gt;`, `javascript:alert(1)`,
	}
	harmless := hostileViews("harmless")
	harmless["graph"] = hostileGraph("harmless")
	for _, s := range hostile {
		views := hostileViews(s)
		views["graph"] = hostileGraph(s)
		for name, v := range views {
			page := render(t, FormatHTML, v, Options{Home: "/dashboard/"})
			got, attributes, _ := elements(t, page)
			want, _, _ := elements(t, render(t, FormatHTML, harmless[name], Options{Home: "/dashboard/"}))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s with %q has other elements (-harmless +hostile):\n%s", name, s, diff)
			}
			for _, a := range attributes {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" && strings.HasPrefix(a.Val, "javascript")) {
					t.Errorf("%s with %q: attribute %s=%q", name, s, a.Key, a.Val)
				}
			}
			if data := dataOf(t, page); strings.ContainsAny(data, "<>\u2028") {
				t.Errorf("%s with %q: the data holds what could end its element:\n%s", name, s, data)
			}
		}
	}
}

func hostileGraph(s string) Graph {
	return Graph{Package: s, Problems: []string{s}, Nodes: []GraphNode{
		{Digest: s, VersionID: "1", Kind: s, Platform: s, Tags: []string{s}, Verdict: s, Why: s, Edges: []GraphEdge{{To: s + "2", Type: EdgeChild}}},
		{Digest: s + "2", VersionID: "2", Kind: s, Verdict: "delete planned", Why: s},
	}}
}

// manyItems are n items in packages of a hundred.
func manyItems(n int) []retention.Item {
	items := make([]retention.Item, n)
	for i := range items {
		it := item(retention.ID(1000+i), fmt.Sprintf("sha256:%064x", i), retention.StatusPlanned,
			rule("expire_untagged", fmt.Sprintf("untagged for %d days", 30+i%300), retention.Delete, retention.Enforce))
		it.Package = fmt.Sprintf("team-%d/service-%d", i/10000, i/100)
		items[i] = it
	}
	return items
}

// counting samples, as it is written to, how much memory is held.
type counting struct {
	written, sampledAt int
	peak               uint64
}

func (c *counting) Write(b []byte) (int, error) {
	if c.written += len(b); c.written-c.sampledAt > 1<<20 {
		c.sampledAt = c.written
		c.peak = max(c.peak, held())
	}
	return len(b), nil
}

func held() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestABigPageIsNeverHeldInMemory(t *testing.T) {
	v := Plan{ID: "big", EvaluatedAt: at("2026-11-22T00:00:00Z"), Items: manyItems(100_000)}
	before := held()
	w := &counting{}
	if err := Write(w, FormatHTML, v, Options{}); err != nil {
		t.Fatal(err)
	}
	if w.written < 10<<20 {
		t.Errorf("the page has %d bytes only", w.written)
	}
	if grown := int64(w.peak) - int64(before); grown > int64(w.written)/2 {
		t.Errorf("writing %d bytes took %d bytes of memory", w.written, grown)
	}
	runtime.KeepAlive(v)
}

func TestTheOrderOfRowsIsThatOfTheTable(t *testing.T) {
	root, absent := retention.ID(1), retention.ID(99)
	of := func(pkg string, id retention.ID, cascade *retention.ID) retention.Item {
		it := item(id, id.String(), retention.StatusPlanned)
		it.Package, it.Rules = pkg, []retention.Rule{{Policy: "p", CascadeOf: cascade}}
		return it
	}
	items := []retention.Item{of("a", 2, &root), of("b", 7, nil), of("a", 3, &absent), of("a", 1, nil), of("a", 4, &root), of("b", 1, nil), of("a", 5, nil)}
	var want, got []string
	for _, pkg := range []string{"a", "b"} {
		of := slices.DeleteFunc(slices.Clone(items), func(it retention.Item) bool { return it.Package != pkg })
		eachUnit(of, func(it retention.Item, _ bool) bool {
			want = append(want, it.Package+it.Version)
			return true
		})
	}
	for _, i := range unitOrder(items) {
		got = append(got, items[i].Package+items[i].Version)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSeveralViewsAreOnePage(t *testing.T) {
	page := render(t, FormatHTML, Views{sampleGraph(), Grid{Title: "acme/x@1", Columns: []string{"WHAT"}, Rows: [][]string{{"fact"}}}}, Options{})
	if n := strings.Count(page, "<!DOCTYPE html>"); n != 1 {
		t.Errorf("%d pages", n)
	}
	both := render(t, FormatJSON, Views{Grid{Document: 1}, Grid{Document: 2}}, Options{})
	if both != "1\n2\n" {
		t.Errorf("as JSON: %q", both)
	}
	if err := Write(io.Discard, FormatHTML, Views{}, Options{}); err != nil {
		t.Error(err)
	}
}

func TestAPageLooksTheSameEachTime(t *testing.T) {
	a, b := render(t, FormatHTML, samplePlan(), Options{}), render(t, FormatHTML, samplePlan(), Options{})
	if a != b {
		t.Error("two renderings differ")
	}
}

func TestPagesOfEveryViewParse(t *testing.T) {
	for name, v := range sampleViews() {
		page := render(t, FormatHTML, v, Options{})
		names, _, text := elements(t, page)
		if names["h1"] != 1 || names["main"] != 1 || names["script"] != 2 || names["style"] != 1 || !strings.Contains(text, "Shelflife") {
			t.Errorf("%s: %v", name, names)
		}
		if strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: the template refused a value", name)
		}
	}
}

func TestWritingAPageTakesNoClock(t *testing.T) {
	p := samplePlan()
	p.EvaluatedAt = time.Time{}
	var b bytes.Buffer
	if err := Write(&b, FormatHTML, p, Options{}); err != nil || !strings.Contains(b.String(), `"now":0`) {
		t.Errorf("%v", err)
	}
}

func TestRunsOverDaysHaveAChart(t *testing.T) {
	runOn := func(day string, done, failed int) retention.Run {
		return retention.Run{ID: day, Owner: "acme", StartedAt: at(day + "T03:00:00Z"), FinishedAt: at(day + "T03:05:00Z"),
			Outcomes: map[retention.Outcome]int{retention.OutcomeDone: done, retention.OutcomeFailed: failed}}
	}
	open := retention.Run{ID: "open", StartedAt: at("2026-11-30T03:00:00Z")}
	c, ok := runsChart(Runs{open, runOn("2026-11-22", 5, 1), runOn("2026-11-22", 2, 0), runOn("2026-11-20", 9, 0)})
	want := htmlpage.Chart{
		About:  "What the listed runs did on each day.",
		Times:  []time.Time{at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z"), at("2026-11-22T00:00:00Z")},
		Series: []htmlpage.Series{{Name: "Done", Bars: true, Values: []int{9, 0, 7}}, {Name: "Not done", Values: []int{0, 0, 1}}},
	}
	if diff := cmp.Diff(want, c); diff != "" || !ok {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, rs := range map[string]Runs{"none": {}, "of one day": {runOn("2026-11-22", 1, 0)}, "unfinished": {open}} {
		if _, ok := runsChart(rs); ok {
			t.Errorf("%s: a chart", name)
		}
	}
	far := Runs{runOn("2026-11-22", 1, 0), runOn("2001-01-01", 1, 0)}
	if c, _ := runsChart(far); len(c.Times) != maxChartDays+1 {
		t.Errorf("%d days", len(c.Times))
	}
	golden(t, "runs-chart.html-data", dataOf(t, render(t, FormatHTML, Runs{runOn("2026-11-22", 5, 1), runOn("2026-11-21", 2, 0)}, Options{})))
}

func TestPlurals(t *testing.T) {
	for want, got := range map[string]string{"1 day": count(1, "day"), "60 days": count(60, "day"), "2 policies": count(2, "policy"), "0 runs": count(0, "run")} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
