package html

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func page(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func samplePages() map[string]Page {
	one := func(e *Encoder) { e.Value(1) }
	return map[string]Page{
		"plain":      {Title: "Plan", Subject: "1"},
		"with rows":  {Title: "Plan", Sections: []Section{{ID: "a", Kind: KindItems, Heading: "Items", Data: one}, {ID: "b", Kind: KindTable, Data: one}}},
		"with chart": {Title: "Forecast", Sections: []Section{{ID: "c", Kind: KindChart, Data: one}}},
	}
}

// TestThePolicyNamesExactlyWhatThePageHolds computes the digests as a browser
// does: of the bytes between the tags.
func TestThePolicyNamesExactlyWhatThePageHolds(t *testing.T) {
	policy := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`)
	script := regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
	}
	for name, p := range samplePages() {
		doc := page(t, p)
		scripts, styles := script.FindAllStringSubmatch(doc, -1), style.FindAllStringSubmatch(doc, -1)
		if len(scripts) != 1 || len(styles) != 1 {
			t.Fatalf("%s: %d scripts and %d styles", name, len(scripts), len(styles))
		}
		want := "default-src 'none'; script-src " + sum(scripts[0][1]) + "; style-src " + sum(styles[0][1]) +
			"; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
		got := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy.FindStringSubmatch(doc)[1])
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if strings.Index(doc, "http-equiv") > strings.Index(doc, "<style>") {
			t.Errorf("%s: the policy comes after what it is about", name)
		}
		if got := Policy(p); got != want+"; frame-ancestors 'none'" {
			t.Errorf("%s: as a header: %s", name, got)
		}
	}
}

func TestThePagesOwnFilesCanStandInline(t *testing.T) {
	for name, p := range samplePages() {
		a := assetsFor(p)
		for what, text := range map[string]string{"program": a.program, "style": a.style} {
			for _, bad := range []string{"</script", "</style", "<!--", "eval(", "new Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "@import", "url(", "fetch(", "XMLHttpRequest"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s: the %s holds %q", name, what, bad)
				}
			}
		}
	}
}

func TestOnlyPagesWithAChartCarryTheLibrary(t *testing.T) {
	for name, p := range samplePages() {
		if has := strings.Contains(assetsFor(p).program, "leeoniya/uPlot"); has != (name == "with chart") {
			t.Errorf("%s: carries the library: %v", name, has)
		}
	}
}

// TestTheBundledLibraryIsThePublishedOne holds the bundled files against the
// digests of those in the package; the browser tests hold them against the
// package itself, whose own digest the lock file pins.
func TestTheBundledLibraryIsThePublishedOne(t *testing.T) {
	listed := map[string]string{}
	for line := range strings.Lines(asset("vendor/uplot/SHA256SUMS")) {
		f := strings.Fields(line)
		listed[f[1]] = f[0]
	}
	got := map[string]string{}
	for _, name := range []string{"LICENSE", "uPlot.iife.min.js", "uPlot.min.css"} {
		sum := sha256.Sum256([]byte(asset("vendor/uplot/" + name)))
		got[name] = hex.EncodeToString(sum[:])
	}
	if diff := cmp.Diff(listed, got); diff != "" {
		t.Errorf("scripts/vendor-uplot.sh fetches the pinned version (-listed +there):\n%s", diff)
	}
	if !strings.Contains(asset("vendor/uplot/LICENSE"), "The MIT License") {
		t.Error("the library's licence is missing")
	}
}

func TestEncoderEscapesWhatCouldEndItsElement(t *testing.T) {
	p := Page{Sections: []Section{{ID: "x", Kind: KindTable, Data: func(e *Encoder) {
		e.Object(
			Values("s", func() any { return "</script><!-- & \u2028\u2029" }),
			Field{"l", func(e *Encoder) { e.List(3, func(i int) { e.Int(int64(i)) }) }},
			Field{"n", func(e *Encoder) { e.List(0, nil) }},
		)
	}}}}
	want := "<script type=\"application/json\" id=\"data\">{\n\"x\":{\"s\":\"\\u003c/script\\u003e\\u003c!-- \\u0026 \\u2028\\u2029\",\n\"l\":[0,1,2],\n\"n\":[]}}</script>\n"
	doc := page(t, p)
	if !strings.Contains(doc, want) {
		t.Errorf("%s", doc[strings.Index(doc, `<script type="app`):][:200])
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestErrorsAreReported(t *testing.T) {
	for name, p := range samplePages() {
		if err := Write(full{}, p); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := Page{Sections: []Section{{ID: "x", Kind: KindTable, Data: func(e *Encoder) {
		e.Value(func() {})
		e.Int(1)
	}}}}
	if err := Write(&bytes.Buffer{}, bad); err == nil {
		t.Error("a value that JSON cannot hold is written")
	}
}

func TestEdgesArePaths(t *testing.T) {
	if got := (Edge{FromX: 0, FromY: 10, ToX: 100, ToY: 50}).Path(); got != "M0 10C50 10 50 50 100 50" {
		t.Error(got)
	}
}

func TestNumbersAreSetApart(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 38800: "38,800", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := (Tile{Value: n}).Number(); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestFilesStaySmall(t *testing.T) {
	for _, name := range append(program[:], styles[:]...) {
		if n := strings.Count(asset("assets/"+name), "\n"); n > 400 {
			t.Errorf("%s has %d lines", name, n)
		}
	}
}
