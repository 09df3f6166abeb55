package githubsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

var start = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// reply is what a test compares of an answer.
type reply struct {
	Status int
	Body   string
	Header http.Header
}

func (r reply) message(t *testing.T) string {
	t.Helper()
	var body struct {
		Message string `json:"message"`
		Status  string `json:"status"`
	}
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
		t.Fatalf("answer %d is no JSON: %v\n%s", r.Status, err, r.Body)
	}
	return body.Message
}

func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Body), into); err != nil {
		t.Fatalf("answer %d: %v\n%s", r.Status, err, r.Body)
	}
}

// ask makes one call with a bearer token ("" for none) and returns the whole answer.
func ask(t *testing.T, method, url, token string, headers ...string) reply {
	t.Helper()
	r, err := try(t, method, url, token, "", headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return r
}

func try(t *testing.T, method, url, token, body string, headers ...string) (reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return reply{Status: resp.StatusCode, Body: string(raw), Header: resp.Header}, err
}

func seedOf(t *testing.T, text string) githubsim.Seed {
	t.Helper()
	seed, err := githubsim.ReadSeed(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// startText runs a simulator of a seed at a clock that the test moves.
func startText(t *testing.T, text string) (*simtest.Running, *testclock.Clock) {
	t.Helper()
	c := testclock.New(start)
	return simtest.Start(t, seedOf(t, text), githubsim.WithClock(c.Now)), c
}

func jsonNumber(id int64) string { return strconv.FormatInt(id, 10) }

func serveOnce(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	return ask(t, "GET", server.URL+path, "any").Body
}
