package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/lambdatest"
)

// secrecy knows every secret of a world: those that were configured, and those that
// come up while it runs.
type secrecy struct {
	mu      sync.Mutex
	secrets map[string]string // value → what it is
}

// shortest is how long a part of a key must be to be looked for: shorter ones are
// found in innocent lines.
const shortest = 12

func (s *secrecy) add(what, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets == nil {
		s.secrets = map[string]string{}
	}
	for part := range strings.Lines(value) { // a PEM could leak by the line
		if part = strings.TrimSpace(part); len(part) >= shortest && !strings.HasPrefix(part, "-----") {
			if s.secrets[part] == "" { // a token is sent after it came
				s.secrets[part] = what
			}
		}
	}
}

// leaks returns what is found in the lines, without showing it.
func (s *secrecy) leaks(lines []lambdatest.Line) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, l := range lines {
		for value, what := range s.secrets {
			if strings.Contains(l.Text, value) {
				out = append(out, fmt.Sprintf("%s of sandbox %d wrote %s", l.Function, l.Sandbox, what))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// listen notes the credentials that go to and come from GitHub.
func (s *secrecy) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
			s.add("a credential sent to GitHub", token)
		}
		if _, password, ok := r.BasicAuth(); ok {
			s.add("a credential sent to the registry", password)
		}
		if !strings.HasSuffix(r.URL.Path, "/access_tokens") && r.URL.Path != "/token" {
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		var answer struct{ Token string }
		if json.Unmarshal(bytes.Clone(rec.Body.Bytes()), &answer) == nil {
			s.add("a token from GitHub", answer.Token)
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// tally is what the whole run has done, for the summary.
type tally struct {
	passed, lines, secrets, invocations, sandboxes, kills, timeouts atomic.Int64
}

// add counts what became of functions in the end.
func (t *tally) add(functions ...*lambdatest.Function) {
	for _, f := range functions {
		c := f.Counts()
		t.invocations.Add(int64(c.Invocations))
		t.sandboxes.Add(int64(c.Sandboxes))
		t.kills.Add(int64(c.Killed))
		t.timeouts.Add(int64(c.Timeouts))
	}
}

func (t *tally) print() {
	fmt.Fprintf(os.Stderr, "functions/e2e: %d cases passed; %d invocations of the real bootstraps in %d sandboxes, %d killed by SIGKILL, %d by their deadline; %d log lines held against %d secrets\n",
		t.passed.Load(), t.invocations.Load(), t.sandboxes.Load(), t.kills.Load(), t.timeouts.Load(), t.lines.Load(), t.secrets.Load())
}

// sealed is called at the end of each world: no line of its processes may hold a secret.
func (w *world) sealed(t testing.TB) {
	lines := w.log.Lines()
	for _, leak := range w.secrets.leaks(lines) {
		t.Error(leak)
	}
	total.lines.Add(int64(len(lines)))
	total.secrets.Add(int64(len(w.secrets.secrets)))
}
