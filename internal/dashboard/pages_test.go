package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// words is what a person reads on a page.
func words(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestTheOverview(t *testing.T) {
	w := newWorld(t)
	w.owners[0].Until, w.owners[0].Note = w.at.Add(time.Hour), "the quota is used up"
	text := words(t, w.signIn().get("/dashboard/").body)
	for _, want := range []string{
		"Sweeps and webhooks are worked on", "acme enforce 2026-11-23 03:00Z 0 3 * * *", "7 of 2000", "GitHub asks to wait until 2026-11-22 13:00Z the quota is used up",
		"R1 acme 2 2026-12-20 12:00Z 28 days", "R1 acme apply 2026-11-20 12:00Z schedule 2 2 done", "revision r7 digest sha256:aaaaaaaaaaaa policies expire_untagged",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestPauseAndResume(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	b.post("/dashboard/pause", b.formWith("reason", " incident\n12 "))
	text := words(t, b.get("/dashboard/").body)
	if !strings.Contains(text, "paused Nothing is read or written on GitHub incident 12.") {
		t.Errorf("%s", text)
	}
	b.post("/dashboard/resume", b.form())
	b.post("/dashboard/pause", b.form())
	if diff := cmp.Diff([]string{"pause incident 12", "resume", "pause paused from the dashboard"}, w.deeds()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUndoIsShownConfirmedAndDoneOnce(t *testing.T) {
	w := newWorld(t)
	w.release = make(chan struct{})
	b := w.signIn()
	if a := b.post("/dashboard/runs/R1/undo", b.form()); a.header.Get("Location") != "/dashboard/undo/UNDO-R1" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if text := words(t, b.get("/dashboard/undo/UNDO-R1").body); !strings.Contains(text, "2 versions would come back") || !strings.Contains(text, "1.0.2") {
		t.Errorf("%s", text)
	}
	if a := b.post("/dashboard/undo/UNDO-R1", b.form()); a.status != http.StatusBadRequest || len(w.deeds()) > 0 {
		t.Errorf("without the tick: %d, done %q", a.status, w.deeds())
	}
	for range 3 { // sent thrice
		if a := b.post("/dashboard/undo/UNDO-R1", b.formWith("confirm", "yes")); a.status != http.StatusSeeOther {
			t.Errorf("confirmed: %d", a.status)
		}
	}
	a := b.get("/dashboard/undo/UNDO-R1")
	if !strings.Contains(words(t, a.body), "Restoring.") || a.header.Get("Refresh") == "" {
		t.Errorf("at work: %s", words(t, a.body))
	}
	close(w.release)
	w.works.Wait()
	if text := words(t, b.get("/dashboard/undo/UNDO-R1").body); !strings.Contains(text, "It has ended.") || strings.Contains(text, "would come back") {
		t.Errorf("at the end: %s", text)
	}
	if diff := cmp.Diff([]string{"undo R1"}, w.deeds()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUndoSaysWhatCannotComeBack(t *testing.T) {
	w := newWorld(t)
	w.lost = true
	b := w.signIn()
	b.post("/dashboard/runs/R1/undo", b.form())
	text := words(t, b.get("/dashboard/undo/UNDO-R1").body)
	for _, want := range []string{"1 version would come back", "1 version can't be restored", "Can't be restored Package", "30 days"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestAnUndoThatFailsSaysWhy(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	b.post("/dashboard/runs/R1/undo", b.form())
	form := b.formWith("confirm", "yes")
	w.broken = errBroken
	b.post("/dashboard/undo/UNDO-R1", form)
	w.works.Wait()
	if text := words(t, b.get("/dashboard/undo/UNDO-R1").body); !strings.Contains(text, "It did not go through: the state file is locked") {
		t.Errorf("%s", text)
	}
}

func TestAPlanToUndoDoesNotWaitForEver(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	b.post("/dashboard/runs/R1/undo", b.form())
	w.pass(undoLife + time.Second)
	if a := b.get("/dashboard/undo/UNDO-R1"); a.status != http.StatusNotFound {
		t.Errorf("the page: %d", a.status)
	}
	b.post("/dashboard/undo/UNDO-R1", b.formWith("confirm", "yes"))
	w.works.Wait()
	if d := w.deeds(); len(d) > 0 {
		t.Errorf("done: %q", d)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	for _, path := range []string{"/dashboard/runs/none", "/dashboard/runs/none/report", "/dashboard/undo/none", "/dashboard/none"} {
		if a := b.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := b.post("/dashboard/runs/none/undo", b.form()); a.status != http.StatusNotFound {
		t.Errorf("undo: %d", a.status)
	}
}

func TestErrorsAreSaidAndNothingHalfIsShown(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	form := b.form()
	w.broken = errBroken
	for _, path := range []string{"/dashboard/", "/dashboard/runs", "/dashboard/runs/none"} {
		if a := b.get(path); a.status != http.StatusInternalServerError || !strings.Contains(words(t, a.body), "the state file is locked") {
			t.Errorf("%s: %d %s", path, a.status, words(t, a.body))
		}
	}
	for _, path := range []string{"/dashboard/pause", "/dashboard/resume", "/dashboard/runs/R1/undo"} {
		if a := b.post(path, form); a.status != http.StatusInternalServerError {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestHostileNamesAreText(t *testing.T) {
	for _, s := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "</td></table><form action=//evil>", "\u202egpj.exe"} {
		w := newWorld(t)
		for i := range w.actions["R1"] {
			a := &w.actions["R1"][i]
			a.Package, a.Version, a.Tags, a.Detail = s, s, []string{s}, s
			a.Rules = []retention.Rule{{Policy: s, Reason: s}}
		}
		w.runs[0].Actor, w.owners[0].Note, w.paused = s, s, s
		b := w.signIn()
		b.post("/dashboard/runs/R1/undo", b.form())
		for _, path := range pagesOf() {
			page := b.get(path).body
			root, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			for n := range root.Descendants() {
				script := n.Data == "script" && !strings.HasSuffix(path, "/report")
				if n.Type == html.ElementNode && (n.Data == "img" || script || n.Data == "form" && attribute(n, "action")[0] != '/') {
					t.Errorf("%s with %q has an element %s", path, s, n.Data)
				}
			}
			if strings.Contains(page, "\u202e") {
				t.Errorf("%s turns the direction of writing", path)
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name && a.Val != "" {
			return a.Val
		}
	}
	return "/"
}

func TestLongRunsAreCutAndTheReportIsNot(t *testing.T) {
	w := newWorld(t)
	for i := range 300 {
		w.actions["R1"] = append(w.actions["R1"], w.action("R1", retention.ID(100+i), retention.Delete, w.at))
	}
	b := w.signIn()
	if text := words(t, b.get("/dashboard/runs/R1").body); !strings.Contains(text, "And 102 more, in the report") {
		t.Errorf("%s", text[len(text)-200:])
	}
	if page := b.get("/dashboard/runs/R1/report").body; !strings.Contains(page, `"1.0.399"`) || !strings.Contains(page, `href="/dashboard/"`) {
		t.Error("the report misses the last item, or the way back")
	}
}

func TestTheOverviewSaysThatPoliciesAreNotInForce(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	if a := b.get("/dashboard/"); strings.Contains(a.body, "Not in force") {
		t.Errorf("in force: %s", a.body)
	}
	w.held = "the kept policy bundle is <stale>"
	if a := b.get("/dashboard/"); !strings.Contains(a.body, "the kept policy bundle is &lt;stale&gt;") {
		t.Errorf("held: %s", a.body)
	}
}
