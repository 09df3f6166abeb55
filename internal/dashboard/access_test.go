package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

func pagesOf() []string {
	return []string{"/dashboard/", "/dashboard/runs", "/dashboard/runs/R1", "/dashboard/runs/R1/report", "/dashboard/undo/UNDO-R1"}
}

func formsOf() []string {
	return []string{"/dashboard/pause", "/dashboard/resume", "/dashboard/runs/R1/undo", "/dashboard/undo/UNDO-R1", "/dashboard/logout"}
}

func TestNothingIsShownOrDoneWithoutASession(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, path := range pagesOf() {
		if a := b.get(path); a.status != http.StatusSeeOther || a.header.Get("Location") != "/dashboard/login" || strings.Contains(a.body, "acme") {
			t.Errorf("GET %s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range formsOf() {
		if a := b.post(path, url.Values{"confirm": {"yes"}}); a.status != http.StatusUnauthorized {
			t.Errorf("POST %s: %d", path, a.status)
		}
	}
	if d := w.deeds(); len(d) > 0 {
		t.Errorf("done: %q", d)
	}
}

func TestAGetNeverChangesAnything(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	b.post("/dashboard/runs/R1/undo", b.form())
	for _, path := range append(pagesOf(), "/dashboard/login?code="+w.d.Code(), "/dashboard/style.css") {
		if a := b.get(path); a.status != http.StatusOK {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
	for _, path := range formsOf()[:3] {
		if a := b.get(path + "?" + b.formWith("confirm", "yes").Encode()); a.status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
	b.get("/dashboard/undo/UNDO-R1?" + b.formWith("confirm", "yes").Encode())
	if d := w.deeds(); len(d) > 0 {
		t.Errorf("done: %q", d)
	}
	if u, ok := w.d.undos.find("UNDO-R1"); !ok || u.State != undoPlanned {
		t.Errorf("the plan: %v %v", u.State, ok)
	}
	// The code was looked at by GET: it still signs in, once.
	other := w.browser()
	if a := other.post("/dashboard/login", url.Values{"token": {w.d.Code()}}); a.status != http.StatusSeeOther {
		t.Errorf("the code: %d", a.status)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	form := b.form()
	for name, header := range map[string][]string{
		"another site":   {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		"a sibling site": {"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example"},
		"an old browser": {"Origin", "https://evil.example"},
		"no origin":      {"Origin", "null"},
	} {
		for _, path := range formsOf() {
			if a := b.post(path, form, header...); a.status != http.StatusForbidden {
				t.Errorf("%s, %s: %d", name, path, a.status)
			}
		}
		if a := w.browser().post("/dashboard/login", url.Values{"token": {testToken}}, header...); a.status != http.StatusForbidden || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s signs in: %d", name, a.status)
		}
	}
	for name, form := range map[string]url.Values{"no token": {}, "a wrong token": {"form": {"x"}}, "another session's": w.signIn().form()} {
		for _, path := range formsOf() {
			if a := b.post(path, form, "Sec-Fetch-Site", "same-origin"); a.status != http.StatusForbidden {
				t.Errorf("%s, %s: %d", name, path, a.status)
			}
		}
	}
	if d := w.deeds(); len(d) > 0 {
		t.Errorf("done: %q", d)
	}
}

func TestOnlyItsOwnNamesAreAnswered(t *testing.T) {
	w := newWorld(t)
	for _, host := range []string{"evil.example", "evil.example:80", strings.Replace(w.url[7:], "127.0.0.1", "localhost", 1), "127.0.0.1"} {
		for _, path := range []string{"/dashboard/", "/dashboard/login", "/dashboard/style.css"} {
			req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			if a := w.browser().do(req); a.status != http.StatusMisdirectedRequest {
				t.Errorf("%s by %s: %d", path, host, a.status)
			}
		}
	}
}

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	for _, path := range append(pagesOf(), "/dashboard/login", "/dashboard/style.css", "/dashboard/none", "/dashboard/runs/none") {
		h := b.get(path).header
		want := map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		}
		got := map[string]string{}
		for name := range want {
			got[name] = h.Get(name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		if hasScript := strings.Contains(policy, "script-src"); hasScript != strings.HasSuffix(path, "/report") {
			t.Errorf("%s: scripts allowed: %v", path, hasScript)
		}
	}
}

func TestTheCookieIsForThisSiteAndNoScript(t *testing.T) {
	w := newWorld(t)
	a := w.browser().post("/dashboard/login", url.Values{"token": {testToken}})
	got := a.header.Get("Set-Cookie")
	for _, part := range []string{"Path=/dashboard/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q misses %s", got, part)
		}
	}
	if strings.Contains(got, "Secure") {
		t.Errorf("plain http: %q", got)
	}
	w.d.cfg.Secure = true
	if got := w.d.cookie("x", 1).String(); !strings.Contains(got, "Secure") {
		t.Errorf("https: %q", got)
	}
}

func TestSigningIn(t *testing.T) {
	w := newWorld(t)
	enter := func(token string) int {
		return w.browser().post("/dashboard/login", url.Values{"token": {token}}).status
	}
	if got := enter(testToken); got != http.StatusSeeOther {
		t.Errorf("the token: %d", got)
	}
	if first, second := enter(w.d.Code()), enter(w.d.Code()); first != http.StatusSeeOther || second != http.StatusUnauthorized {
		t.Errorf("the code: %d, then %d", first, second)
	}
	late := newWorld(t)
	late.pass(16 * time.Minute)
	if got := late.browser().post("/dashboard/login", url.Values{"token": {late.d.Code()}}).status; got != http.StatusUnauthorized {
		t.Errorf("the code after its time: %d", got)
	}
	for _, wrong := range []string{"", "x", testToken + "x", testToken[1:], strings.ToUpper(testToken)} {
		if got := enter(wrong); got != http.StatusUnauthorized && got != http.StatusTooManyRequests {
			t.Errorf("%q: %d", wrong, got)
		}
	}
	if strings.Contains(w.log.String(), testToken) || strings.Contains(w.log.String(), w.d.Code()) {
		t.Error("the log holds a secret")
	}
}

func TestWrongTokensAreSlowedDown(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	try := func(token string) answer { return b.post("/dashboard/login", url.Values{"token": {token}}) }
	for i := range freeTries {
		if a := try("wrong"); a.status != http.StatusUnauthorized {
			t.Fatalf("try %d: %d", i, a.status)
		}
	}
	a := try(testToken)
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" {
		t.Errorf("the right token at once: %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	for range 8 {
		w.pass(maxWait)
		try("wrong")
	}
	if a := try("wrong"); a.header.Get("Retry-After") != fmt.Sprint(int(maxWait.Seconds())) {
		t.Errorf("the wait grows to %q", a.header.Get("Retry-After"))
	}
	w.pass(maxWait)
	if a := try(testToken); a.status != http.StatusSeeOther {
		t.Errorf("the right token after the wait: %d", a.status)
	}
	if a := try("wrong"); a.status != http.StatusUnauthorized {
		t.Errorf("a wrong one after a right one: %d", a.status)
	}
}

func TestSessionsEnd(t *testing.T) {
	lives := func(b *browser) bool { return b.get("/dashboard/").status == http.StatusOK }
	w := newWorld(t)
	b := w.signIn()
	for range 5 {
		w.pass(idleLife - time.Minute)
		if !lives(b) {
			t.Fatal("a session in use ends")
		}
	}
	w.pass(3 * time.Hour)
	if lives(b) {
		t.Error("a session lives longer than it may")
	}
	idle := w.signIn()
	w.pass(idleLife)
	if lives(idle) {
		t.Error("a session that nobody uses lives")
	}
	out := w.signIn()
	kept := out.form()
	if a := out.post("/dashboard/logout", kept); a.status != http.StatusSeeOther {
		t.Errorf("sign out: %d", a.status)
	}
	if lives(out) {
		t.Error("a session lives after signing out")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t)
	first := w.signIn()
	for range maxSessions {
		w.pass(time.Second)
		w.signIn()
	}
	if n := len(w.d.gate.sessions); n > maxSessions {
		t.Errorf("%d sessions", n)
	}
	if first.get("/dashboard/").status == http.StatusOK {
		t.Error("the oldest session lives")
	}
}

func TestADashboardIsWiredWholeOrNotAtAll(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*Config){
		"without a token":     func(c *Config) { c.Token = secret.Secret{} },
		"with a short token":  func(c *Config) { c.Token = secret.New("short") },
		"without hosts":       func(c *Config) { c.Hosts = nil },
		"without policies":    func(c *Config) { c.Policies = nil },
		"without its ledger":  func(c *Config) { c.Ledger = nil },
		"without its pause":   func(c *Config) { c.Pause = nil },
		"without a way to go": func(c *Config) { c.Go = nil },
	} {
		cfg := w.d.cfg
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLargeBodiesAreRefused(t *testing.T) {
	w := newWorld(t)
	b := w.signIn()
	form := b.formWith("reason", strings.Repeat("x", maxForm))
	if a := b.post("/dashboard/pause", form); a.status != http.StatusForbidden {
		t.Errorf("%d", a.status)
	}
	if d := w.deeds(); len(d) > 0 {
		t.Errorf("done: %q", d)
	}
}
