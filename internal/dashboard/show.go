package dashboard

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/report/html"
	"github.com/shelflife-dev/shelflife/internal/secret"
)

//go:embed pages
var pages embed.FS

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"stamp": stamp, "short": short, "plural": plural, "text": visible,
	}).ParseFS(pages, "pages/*.tmpl"))
})

// view is what every page gets: its own Data, and what the frame needs.
type view struct {
	Path    string
	Form    string // the session's token for forms; "" when nobody is signed in
	Version string
	Data    any
}

// show writes a page. It is made whole first, so that an error is an answer of
// its own and not half a page.
func (d *Dashboard) show(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	d.render(w, r, status, name, view{Path: r.URL.Path, Version: d.cfg.Version, Data: data})
}

// showTo shows a page to somebody who is signed in.
func (d *Dashboard) showTo(w http.ResponseWriter, r *http.Request, s session, status int, name string, data any) {
	d.render(w, r, status, name, view{Path: r.URL.Path, Form: s.form.Reveal(), Version: d.cfg.Version, Data: data})
}

func (d *Dashboard) render(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, v); err != nil {
		d.cfg.Log.ErrorContext(r.Context(), "dashboard: a page can't be made", "page", name, "error", err.Error())
		http.Error(w, "The page can't be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		d.cfg.Log.DebugContext(r.Context(), "dashboard: the browser went away", "error", err.Error())
	}
}

type failure struct {
	Title, Text string
}

// fail says what went wrong and what to do.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, s session, status int, text string) {
	d.showTo(w, r, s, status, "failure", failure{http.StatusText(status), text})
}

// broken answers for an error that the person can't do anything about.
func (d *Dashboard) broken(w http.ResponseWriter, r *http.Request, s session, doing string, err error) {
	d.cfg.Log.ErrorContext(r.Context(), "dashboard: "+doing+" failed", "path", r.URL.Path, "error", err.Error())
	d.fail(w, r, s, http.StatusInternalServerError, fmt.Sprintf("To %s failed: %s", doing, visible(err.Error())))
}

// style is the stylesheet of all pages.
func (d *Dashboard) style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	own, err := pages.ReadFile("pages/dashboard.css")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n%s", html.BaseStyle(), own)
	}
	if err != nil {
		d.cfg.Log.DebugContext(r.Context(), "dashboard: the browser went away", "error", err.Error())
	}
}

// formToken is what a form bears to show that it is of a session.
func formToken(r *http.Request) secret.Secret { return secret.New(r.PostFormValue("form")) }

// stamp shows an instant to the minute, in UTC; a dash when unknown.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// short shows a digest by its first twelve digits.
func short(s string) string {
	if len(s) == len("sha256:")+64 && s[:7] == "sha256:" {
		return s[:7+12]
	}
	return visible(s)
}

// visible shows what others wrote.
func visible(s string) string { return report.Visible(s) }

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
