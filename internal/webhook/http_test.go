package webhook_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestServeHTTPRefusesWithoutReadingTheBody(t *testing.T) {
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"another method", func(r *http.Request) { r.Method = "PUT" }, 405},
		{"no signature", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401},
		{"two signatures", func(r *http.Request) { r.Header.Add("X-Hub-Signature-256", vectorSignature) }, 401},
		{"an announced length over the limit", func(r *http.Request) { r.ContentLength = webhook.MaxBody + 1 }, 413},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t)
			r := httptest.NewRequest(http.MethodPost, "/", untouched{t})
			r.Header.Set("X-Hub-Signature-256", vectorSignature)
			tc.change(r)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tc.status || len(s.lines(t)) != 1 {
				t.Errorf("status %d, %d audit lines", w.Code, len(s.lines(t)))
			}
		})
	}
}

func TestServeHTTPOverTheNetwork(t *testing.T) {
	s := newStand(t, func(c *webhook.Config) { c.MaxBody = 1 << 20 })
	srv := httptest.NewServer(s)
	defer srv.Close()
	post := func(body []byte, length bool) (int, string) {
		var reader io.Reader = bytes.NewReader(body)
		if !length { // chunked: the length is not announced
			reader = io.MultiReader(reader)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, reader)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range request("package", guid, body).Headers {
			req.Header.Set(name, value)
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	type answer struct {
		Status int
		Body   string
	}
	var got []answer
	for _, try := range []struct {
		body   []byte
		length bool
	}{{push("package"), true}, {push("package"), false}, {make([]byte, 1<<20+1), false}, {[]byte("{"), true}} {
		status, body := post(try.body, try.length)
		got = append(got, answer{status, body})
	}
	want := []answer{{202, "queued\n"}, {202, "ignored: already queued\n"}, {413, "body too large\n"}, {400, "payload could not be read\n"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]retention.WorkItem{work("package")}, s.queue.items, ignoreChange); diff != "" {
		t.Error(diff)
	}
}

func TestASenderThatStopsSendingIsGivenUp(t *testing.T) {
	s := newStand(t, func(c *webhook.Config) { c.Timeout = 50 * time.Millisecond })
	srv := httptest.NewServer(s)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nX-Hub-Signature-256: %s\r\n\r\n{", vectorSignature)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || len(s.queue.items) != 0 {
		t.Errorf("status %d, %d items", resp.StatusCode, len(s.queue.items))
	}
}

// TestSimulatedPushes lets the simulator announce pushes as GitHub does: signed,
// one event per manifest, each as package and as registry_package.
func TestSimulatedPushes(t *testing.T) {
	s := newStand(t, func(c *webhook.Config) { c.Owners = owners{"acme": 0} })
	srv := httptest.NewServer(s)
	defer srv.Close()
	sim, err := githubsim.New(githubsim.Seed{
		Owners:  []githubsim.Owner{{Login: "acme"}, {Login: "other"}},
		Webhook: &githubsim.Webhook{URL: srv.URL, Secret: hookSecret, Events: []string{"package", "registry_package"}},
	}, githubsim.WithClock(s.clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	publish := func(owner string, versions ...githubsim.Version) []githubsim.Published {
		out, err := sim.Publish(t.Context(), githubsim.Publication{
			Owner: owner, Type: retention.Container, Package: "api", Sender: "robot", Versions: versions,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Minute)
		return out
	}
	pushed := publish("acme", githubsim.Version{Key: "amd64", Platform: "linux/amd64"}, githubsim.Version{Key: "v1", Index: []string{"amd64"}, Tags: []string{"v1"}})
	publish("other", githubsim.Version{Key: "amd64", Platform: "linux/amd64"})
	pushed = append(pushed, publish("acme", githubsim.Version{Key: "v1", Tags: []string{"stable"}})...)

	var want []retention.WorkItem
	for _, p := range pushed {
		w := work("package")
		w.Name, w.Trigger.VersionID, w.Trigger.Action, w.Trigger.Sender = "api", retention.ID(p.ID), p.Action, "robot"
		want = append(want, w)
	}
	if diff := cmp.Diff(want, s.queue.items, ignoreChange); diff != "" {
		t.Error(diff)
	}
	if len(want) != 3 || want[2].Trigger.Action != "updated" {
		t.Errorf("the simulator published %+v", pushed)
	}
	for _, d := range sim.Deliveries() {
		if d.StatusCode != http.StatusAccepted {
			t.Errorf("delivery %d: %s", d.ID, d.Status)
		}
	}
	if n := strings.Count(s.log.String(), "\n"); n != 8 {
		t.Errorf("%d audit lines for 8 deliveries", n)
	}
}
