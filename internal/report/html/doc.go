// Package html writes one self-contained page: a report that opens in a browser
// without a network, from a file or from a server. It knows pages, sections and
// rows and nothing of plans or GitHub. It never decides anything, opens no
// connection, and holds no row longer than it takes to write it.
//
// What others wrote (names, tags, reasons) reaches the page as text of a template
// or as data: strings in a JSON block that the page's own program shows with
// textContent. Nothing of it is ever markup, script or style. The page's
// Content-Security-Policy names that one program and that one style by their
// digests and allows nothing else: no other script, no request, no form.
package html
