package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// visitor is a person at the dashboard of a running server.
type visitor struct {
	*served
	client *http.Client
	base   string
}

// visit opens the address that the server printed and sends the form in it.
func (s *served) visit() *visitor {
	s.t.Helper()
	line := strings.Fields(s.out.wait(s.t, "dashboard: "))[1]
	at, err := url.Parse(line)
	if err != nil {
		s.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v := &visitor{served: s, client: &http.Client{Jar: jar}, base: at.Scheme + "://" + at.Host}
	if _, body := v.send("/dashboard/login", url.Values{"token": {at.Query().Get("code")}}); !strings.Contains(body, "Restore window") {
		s.t.Fatalf("sign in: %s", body)
	}
	return v
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	resp, err := v.client.Get(v.base + path)
	return v.read(resp, err)
}

func (v *visitor) send(path string, form url.Values) (int, string) {
	v.t.Helper()
	resp, err := v.client.PostForm(v.base+path, form)
	return v.read(resp, err)
}

func (v *visitor) read(resp *http.Response, err error) (int, string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// form is that of the visitor's session.
func (v *visitor) form(more ...string) url.Values {
	v.t.Helper()
	_, body := v.get("/dashboard/")
	m := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		v.t.Fatalf("no form: %s", body)
	}
	f := url.Values{"form": {m[1]}}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func TestTheDashboardUndoesWhatAWebhookLedTo(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.start()
	s.publish("team/api", "debug")
	s.logs.wait(t, `"msg":"item"`, `"outcome":"done"`)
	s.demand("team/api", "v1", "v2", "v3")
	v := s.visit()
	_, body := v.get("/dashboard/")
	m := regexp.MustCompile(`/dashboard/runs/([^"/]+)/undo`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("nothing to undo: %s", body)
	}
	run, writes := m[1], s.writes()
	_, body = v.send("/dashboard/runs/"+run+"/undo", v.form())
	if !strings.Contains(body, "1 version would come back") || s.writes() != writes {
		t.Fatalf("the confirmation: %s", body)
	}
	plan := regexp.MustCompile(`action="(/dashboard/undo/[^"]+)"`).FindStringSubmatch(body)[1]
	v.send(plan, v.form("confirm", "yes"))
	s.logs.wait(t, "dashboard: the undo has ended")
	s.demand("team/api", "debug", "v1", "v2", "v3")
	if _, body := v.get(plan); !strings.Contains(body, "It has ended.") {
		t.Errorf("the page: %s", body)
	}
	if code, out, errs := s.command("runs"); code != exitDone || !strings.Contains(out, "undo of "+run) || !strings.Contains(out, "dashboard") {
		t.Errorf("runs: %d %s %s", code, out, errs)
	}
	if code, out, errs := s.command("ledger", "verify"); code != exitDone {
		t.Errorf("ledger: %d %s %s", code, out, errs)
	}
	s.stop()
}

func TestTheDashboardPausesTheServer(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.start()
	v := s.visit()
	v.send("/dashboard/pause", v.form("reason", "incident 12"))
	s.publish("team/api", "debug")
	s.logs.wait(t, `"msg":"put off"`, "incident 12")
	s.demand("team/api", "debug", "v1", "v2", "v3")
	if _, body := v.send("/dashboard/resume", v.form()); !strings.Contains(body, "Sweeps and webhooks are worked on") {
		t.Errorf("resumed: %s", body)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "state", "PAUSE")); !os.IsNotExist(err) {
		t.Errorf("the file PAUSE: %v", err)
	}
	if _, out, _ := s.command("ledger", "export", "acme"); !strings.Contains(out, "paused from the dashboard: incident 12") || !strings.Contains(out, "resumed from the dashboard") {
		t.Errorf("the ledger: %s", out)
	}
	s.stop()
}

func TestTheDashboardsTokenIsKeptAndItsOwners(t *testing.T) {
	t.Parallel()
	s := newServed(t, "enforce")
	s.start()
	s.visit()
	path := filepath.Join(s.dir, "state", "dashboard.token")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	if token := strings.TrimSpace(string(first)); strings.Contains(s.logs.String(), token) || strings.Contains(s.out.String(), token) {
		t.Error("the token is printed")
	}
	s.start()
	second, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the next start has another token: %v", err)
	}
	s.stop()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := s.command("serve"); code != exitUsage || !strings.Contains(errs, "can be read by others") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestWhereTheDashboardIs(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		listen, dashboard string
		printed           string // "" is no dashboard
	}{
		"on this machine only":              {"127.0.0.1:0", "", "http://127.0.0.1:"},
		"not beyond it":                     {"0.0.0.0:0", "", ""},
		"beyond it where it is told to":     {"0.0.0.0:0", `{url: "https://keep.example"}`, "https://keep.example/dashboard/login"},
		"beside a server that is beyond it": {"0.0.0.0:0", `{listen: "` + own + `"}`, "http://" + own + "/"},
		"off":                               {"127.0.0.1:0", "{off: true}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServed(t, "enforce")
			config := strings.Replace(serveConfig, `listen: "127.0.0.1:0"`, `listen: "`+tc.listen+`"`, 1)
			if tc.dashboard != "" {
				config = strings.Replace(config, "webhook_secrets: [HOOK_SECRET]", "webhook_secrets: [HOOK_SECRET], dashboard: "+tc.dashboard, 1)
			}
			s.write("shelflife.yaml", strings.Replace(config, "%s", "enforce", 1))
			s.start()
			if got := s.out.String(); (tc.printed == "") != !strings.Contains(got, "dashboard: ") || !strings.Contains(got, tc.printed) {
				t.Errorf("it prints %q", got)
			}
			if tc.printed == "" || strings.Contains(tc.printed, own) {
				_, port, err := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := http.Get("http://127.0.0.1:" + port + "/dashboard/login")
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusNotFound {
					t.Errorf("the server's own address has it: %d", resp.StatusCode)
				}
			}
			s.stop()
		})
	}
}

func TestADashboardThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string][2]string{
		"beyond this machine without a url": {`{listen: "0.0.0.0:0"}`, "serve.dashboard.url"},
		"without its token":                 {"{token: NO_SUCH}", "environment variable NO_SUCH is empty"},
		"with a short token":                {"{token: HOOK}", "shorter than 16"},
		"on a taken address":                {`{listen: "192.0.2.1:1", url: "https://x.example"}`, "free address"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServed(t, "enforce")
			s.env["HOOK"] = "short"
			s.write("shelflife.yaml", "version: 1\nowners: [{login: acme}]\nserve: {listen: \"127.0.0.1:0\", dashboard: "+tc[0]+"}\n")
			if code, _, errs := s.command("serve"); code != exitUsage || !strings.Contains(errs, tc[1]) {
				t.Errorf("%d %s", code, errs)
			}
		})
	}
}
