package ghapp

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// laterClock is the machine's clock, put forward.
type laterClock struct{ by atomic.Int64 }

func (c *laterClock) Now() time.Time                         { return time.Now().Add(time.Duration(c.by.Load())) }
func (c *laterClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// revocable answers 401 to every token that was revoked.
type revocable struct {
	f       *fakeGitHub
	clock   *laterClock
	app     *AppSource
	revoked []string
	bodies  []string
	slow    time.Duration // how far the clock moves with every request
}

func newRevocable(t *testing.T) *revocable {
	r := &revocable{f: newFakeGitHub(t), clock: &laterClock{}}
	for _, call := range []string{"GET /orgs/acme/packages", "DELETE /orgs/acme/packages/npm/a", "POST /orgs/acme/packages/npm/a/restore"} {
		r.f.handle(call, r.serve)
	}
	r.app = r.f.app(func(o *AppOptions) {
		o.Connection = r.f.connection(GovernorOptions{Clock: r.clock, MaxWait: time.Second})
	})
	return r
}

func (r *revocable) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		r.f.t.Error(err)
	}
	r.clock.by.Add(int64(r.slow))
	r.f.mu.Lock()
	r.bodies = append(r.bodies, string(body))
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	refused := slices.Contains(r.revoked, token) || slices.Contains(r.revoked, "all")
	r.f.mu.Unlock()
	if refused {
		reply(r.f.t, w, http.StatusUnauthorized, `{"message":"Bad credentials"}`)
		return
	}
	r.f.asInstallation(w, req)
}

func (r *revocable) revoke(token string) {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	r.revoked = append(r.revoked, token)
}

// requests returns what the App's owner was asked, without the token requests.
func (r *revocable) requests() (n int) {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	for _, call := range r.f.calls {
		if strings.Contains(call, "/orgs/acme/packages") {
			n++
		}
	}
	return n
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/orgs/acme/packages", ""},
		{"DELETE", "/orgs/acme/packages/npm/a", ""},
		{"POST", "/orgs/acme/packages/npm/a/restore", "body"},
	} {
		t.Run(c.method, func(t *testing.T) {
			r := newRevocable(t)
			first, err := r.f.call(r.app, Acting, "GET", "/orgs/acme/packages")
			if err != nil {
				t.Fatal(err)
			}
			r.revoke(first)
			r.clock.by.Store(int64(2 * time.Minute))
			status, token := r.send(t, c.method, c.path, strings.NewReader(c.body))
			if status != 200 || token == first || len(r.f.minted) != 2 || r.requests() != 3 {
				t.Errorf("status %d with %q after %d tokens and %d requests; want 200 with a second token at the third",
					status, token, len(r.f.minted), r.requests())
			}
			if diff := cmp.Diff([]string{"", c.body, c.body}, r.bodies); diff != "" {
				t.Errorf("bodies (-want +got):\n%s", diff)
			}
			if st := r.app.opts.Connection.Governor.Stats(); st.InFlight != 0 || st.Retries != 1 {
				t.Errorf("%d in flight and %d retries, want 0 and 1", st.InFlight, st.Retries)
			}
		})
	}
}

// send makes one request while acting and returns the status and the token it was seen with.
func (r *revocable) send(t *testing.T, method, path string, body io.Reader) (status int, token string) {
	t.Helper()
	client, err := NewHTTPClient(r.app, Acting, acme)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.f.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	return resp.StatusCode, resp.Header.Get("Seen-Token")
}

func TestA401ThatANewTokenDoesNotCureIsAnAnswer(t *testing.T) {
	r := newRevocable(t)
	r.revoke("all")
	if status, _ := r.send(t, "DELETE", "/orgs/acme/packages/npm/a", nil); status != 401 || len(r.f.minted) != 1 || r.requests() != 1 {
		t.Errorf("status %d after %d tokens and %d requests; a token just minted is not replaced", status, len(r.f.minted), r.requests())
	}
	r.clock.by.Store(int64(2 * time.Minute))
	for range 3 {
		if status, _ := r.send(t, "DELETE", "/orgs/acme/packages/npm/a", nil); status != 401 {
			t.Errorf("status %d, want GitHub's 401", status)
		}
	}
	if len(r.f.minted) != 2 || r.requests() != 5 {
		t.Errorf("%d tokens and %d requests for three deletes; want one more of each", len(r.f.minted), r.requests())
	}
}

func TestARequestIsSentWithTwoTokensAtMost(t *testing.T) {
	r := newRevocable(t)
	r.revoke("all")
	r.slow = 2 * time.Minute // so that every token is old when its refusal arrives
	if status, _ := r.send(t, "DELETE", "/orgs/acme/packages/npm/a", nil); status != 401 || len(r.f.minted) != 2 || r.requests() != 2 {
		t.Errorf("status %d after %d tokens and %d requests, want 401 after two of each", status, len(r.f.minted), r.requests())
	}
}

func TestABodyThatCannotBeSentAgainGetsThe401(t *testing.T) {
	r := newRevocable(t)
	first, err := r.f.call(r.app, Acting, "GET", "/orgs/acme/packages")
	if err != nil {
		t.Fatal(err)
	}
	r.revoke(first)
	r.clock.by.Store(int64(2 * time.Minute))
	const restore = "/orgs/acme/packages/npm/a/restore"
	if status, _ := r.send(t, "POST", restore, io.MultiReader(strings.NewReader("body"))); status != 401 {
		t.Errorf("status %d, want 401", status)
	}
	if status, token := r.send(t, "POST", restore, nil); status != 200 || token == first {
		t.Errorf("the next request: status %d with %q, want a new token", status, token)
	}
}

func TestConcurrentRefusalsMintOnce(t *testing.T) {
	r := newRevocable(t)
	first, err := r.f.call(r.app, Acting, "GET", "/orgs/acme/packages")
	if err != nil {
		t.Fatal(err)
	}
	r.revoke(first)
	r.clock.by.Store(int64(2 * time.Minute))
	together(t, 8, func(int) error {
		status, _ := r.send(t, "GET", "/orgs/acme/packages", nil)
		return statusOf(status)
	})
	if len(r.f.minted) != 2 {
		t.Errorf("%d tokens, want two: the revoked one and its successor", len(r.f.minted))
	}
}

func TestAPersonalTokenThatIsRefusedIsNotTriedAgain(t *testing.T) {
	r := newRevocable(t)
	r.revoke("all")
	source, err := NewTokenSource(TokenOptions{Owner: acme, Token: NewToken("ghp_x"), Connection: r.f.connection(GovernorOptions{})})
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewHTTPClient(source, Acting, acme)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(r.f.server.URL + "/orgs/acme/packages")
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if resp.StatusCode != 401 || r.requests() != 1 {
		t.Errorf("status %d after %d requests, want 401 after one", resp.StatusCode, r.requests())
	}
}
