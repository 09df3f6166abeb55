package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// watched keeps what is written and lets a test wait for words.
type watched struct {
	mu   sync.Mutex
	cond *sync.Cond
	text bytes.Buffer
}

func newWatched() *watched {
	w := &watched{}
	w.cond = sync.NewCond(&w.mu)
	return w
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cond.Broadcast()
	return w.text.Write(b)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// wait returns the first line that holds all the words.
func (w *watched) wait(t *testing.T, words ...string) string {
	t.Helper()
	over := false
	timer := time.AfterFunc(30*time.Second, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		over = true
		w.cond.Broadcast()
	})
	defer timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for line := range strings.Lines(w.text.String()) {
			if !slices.ContainsFunc(words, func(s string) bool { return !strings.Contains(line, s) }) {
				return strings.TrimSpace(line)
			}
		}
		if over {
			t.Fatalf("no line with %q in:\n%s", words, w.text.String())
		}
		w.cond.Wait()
	}
}

// relay stands at the webhook's address and keeps what GitHub sent.
type relay struct {
	mu  sync.Mutex
	to  string
	got []*http.Request
	raw [][]byte
}

func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	r.mu.Lock()
	to := r.to
	r.got, r.raw = append(r.got, req), append(r.raw, body)
	r.mu.Unlock()
	status, err := forward(to, req.Header, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(status)
}

func forward(to string, header http.Header, body []byte) (int, error) {
	req, err := http.NewRequest(http.MethodPost, to+"/webhook", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// served is a running shelflife serve with its simulated GitHub.
type served struct {
	t     *testing.T
	sim   *githubsim.Server
	hook  *relay
	url   string
	logs  *watched
	out   *watched
	env   map[string]string
	dir   string
	end   context.CancelFunc
	ended chan int
}

const hookSecret = "a-webhook-secret-nobody-logs"

const serveConfig = `version: 1
mode: %s
owners: [{login: acme, types: [container], packages: {exclude: ["infra/**"]}}]
policies: {path: ./policies}
params: {quarantine_publish: {allowed_tags: ["v*"]}}
serve: {listen: "127.0.0.1:0", webhook_secrets: [HOOK_SECRET]}
`

func newServed(t *testing.T, mode string) *served {
	t.Helper()
	s := &served{t: t, hook: &relay{}, dir: t.TempDir()}
	hook := httptest.NewServer(s.hook)
	t.Cleanup(hook.Close)
	seed := githubsim.Seed{
		Webhook: &githubsim.Webhook{URL: hook.URL, Secret: hookSecret, Events: []string{"package", "registry_package"}},
		Owners: []githubsim.Owner{{Login: "acme", Packages: []githubsim.Package{{Name: "team/api", Type: retention.Container, Versions: []githubsim.Version{
			{Key: "v1", Tags: []string{"v1"}, CreatedAt: githubsim.Ago(99 * time.Hour)}, {Key: "v2", Tags: []string{"v2"}, CreatedAt: githubsim.Ago(88 * time.Hour)},
			{Key: "v3", Tags: []string{"v3"}, CreatedAt: githubsim.Ago(77 * time.Hour)},
		}}}}},
	}
	var err error
	if s.sim, err = githubsim.New(seed); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(s.sim.Handler())
	t.Cleanup(api.Close)
	s.env = map[string]string{
		"GITHUB_API_URL": api.URL, "SHELFLIFE_REGISTRY_URL": api.URL, "GITHUB_TOKEN": "sim-token", "HOOK_SECRET": hookSecret,
		"SHELFLIFE_STATE": filepath.Join(s.dir, "state", "shelflife.db"), "SHELFLIFE_CONFIG": filepath.Join(s.dir, "shelflife.yaml"),
	}
	s.write("shelflife.yaml", fmt.Sprintf(serveConfig, mode))
	shipped, err := os.ReadFile(filepath.Join("..", "..", "policies", "retention", "quarantine_publish", "quarantine_publish.rego"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("policies/quarantine_publish.rego", strings.Replace(string(shipped), "#   mode: observe", "#   mode: enforce", 1))
	return s
}

func (s *served) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// command runs another command beside the server.
func (s *served) command(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(s.t.Context(), args, streams{out: &out, err: &errs, getenv: func(k string) string { return s.env[k] }, dir: s.dir})
	return code, out.String(), errs.String()
}

func (s *served) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	out := newWatched()
	s.logs, s.end, s.ended = newWatched(), cancel, make(chan int, 1)
	s.out = out
	logs, ended := s.logs, s.ended
	env := map[string]string{}
	for k, v := range s.env {
		env[k] = v
	}
	go func() {
		ended <- run(ctx, []string{"serve"}, streams{out: out, err: logs, getenv: func(k string) string { return env[k] }})
		_, _ = out.Write([]byte("listening on nothing: it has ended\n"))
	}()
	s.t.Cleanup(cancel)
	s.url = strings.TrimPrefix(out.wait(s.t, "listening on "), "listening on ")
	if !strings.HasPrefix(s.url, "http://") {
		s.t.Fatalf("%s\n%s", s.url, logs)
	}
	s.hook.mu.Lock()
	defer s.hook.mu.Unlock()
	s.hook.to = s.url
}

func (s *served) stop() {
	s.t.Helper()
	s.end()
	if code := <-s.ended; code != exitDone {
		s.t.Errorf("serve ends with %d:\n%s", code, s.logs)
	}
	s.logs.wait(s.t, `"msg":"stopped"`)
	for _, word := range []string{hookSecret, "sim-token"} {
		if strings.Contains(s.logs.String(), word) {
			s.t.Errorf("the log holds a secret:\n%s", s.logs)
		}
	}
	for line := range strings.Lines(s.logs.String()) {
		if !json.Valid([]byte(line)) {
			s.t.Errorf("no JSON: %s", line)
		}
	}
}

func (s *served) publish(pkg, tag string) {
	s.t.Helper()
	_, err := s.sim.Publish(s.t.Context(), githubsim.Publication{
		Owner: "acme", Type: retention.Container, Package: pkg, Sender: "mallory", Versions: []githubsim.Version{{Key: tag, Tags: []string{tag}}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// active lists the tags of a package's active versions.
func (s *served) active(pkg string) []string {
	p, _ := s.sim.State().Package("acme", retention.Container, pkg)
	var out []string
	for _, v := range p.Versions {
		if v.State == retention.Active {
			out = append(out, v.Key)
		}
	}
	slices.Sort(out)
	return out
}

// writes counts the calls that asked to delete or restore.
func (s *served) writes() int {
	n := 0
	for _, c := range s.sim.Calls() {
		if c.Mutating {
			n++
		}
	}
	return n
}

func (s *served) demand(pkg string, want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.active(pkg)); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s\n%s", pkg, diff, s.logs)
	}
}
