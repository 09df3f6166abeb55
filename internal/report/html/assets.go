package html

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
)

// The page's own files, in the order in which they are joined to one script and
// one style. Only pages with a chart carry the chart library.
var (
	program = [...]string{"dom.js", "theme.js", "table.js", "filter.js", "rows.js", "details.js", "overview.js", "items.js", "grid.js", "graph.js", "chart.js", "main.js"}
	styles  = [...]string{"base.css", "report.css"}
)

// assets are the two inline elements of a page.
type assets struct{ style, program string }

func assetsFor(p Page) assets {
	var css, js strings.Builder
	for _, name := range styles {
		css.WriteString("\n" + asset("assets/"+name))
	}
	if slices.ContainsFunc(p.Sections, func(s Section) bool { return s.Kind == KindChart }) {
		css.WriteString(asset("vendor/uplot/uPlot.min.css"))
		js.WriteString("\n" + asset("vendor/uplot/uPlot.iife.min.js"))
	}
	js.WriteString("\n(() => {\n\"use strict\";\n")
	for _, name := range program {
		js.WriteString(asset("assets/" + name))
	}
	js.WriteString("})();\n")
	return assets{style: css.String(), program: js.String()}
}

// asset returns an embedded file; that it is there is held by a test.
func asset(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is part of the binary
	}
	return string(b)
}

// BaseStyle is the part of the style that other pages of the project share: the
// colours, the type and the small parts.
func BaseStyle() string { return asset("assets/base.css") }

// policy is the page's Content-Security-Policy: its own style and program by
// their digests, the empty icon, and nothing else. The program may not make
// markup out of text either.
func (a assets) policy() string {
	return "default-src 'none'; script-src '" + digest(a.program) + "'; style-src '" + digest(a.style) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// Policy returns the Content-Security-Policy that the page bears, for a server
// to send as a header too.
func Policy(p Page) string { return assetsFor(p).policy() + "; frame-ancestors 'none'" }

// digest is a source expression of a Content-Security-Policy.
func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
