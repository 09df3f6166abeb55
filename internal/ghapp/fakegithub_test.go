package ghapp

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

var acme = retention.Owner{Login: "acme", Kind: retention.Organization}

// fakeGitHub serves what an App asks for. Requests it does not know fail the test.
type fakeGitHub struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	handlers map[string]http.HandlerFunc // by "METHOD /path"
	calls    []string
	minted   []string                   // the permissions asked for, in order
	tokens   map[string]bool            // every token given out
	expires  func(minted int) time.Time // of the nth token, from 1
}

func newFakeGitHub(t *testing.T) *fakeGitHub {
	f := &fakeGitHub{t: t, tokens: map[string]bool{}, expires: func(int) time.Time { return time.Now().Add(time.Hour) }}
	f.handlers = map[string]http.HandlerFunc{
		"GET /app/installations/7":                f.asApp(f.installation),
		"GET /orgs/acme/installation":             f.asApp(f.installation),
		"POST /app/installations/7/access_tokens": f.asApp(f.mint),
		"GET /orgs/acme/packages":                 f.asInstallation,
		"DELETE /orgs/acme/packages/npm/a":        f.asInstallation,
	}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

func (f *fakeGitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.Path
	f.mu.Lock()
	f.calls = append(f.calls, call)
	h := f.handlers[call]
	f.mu.Unlock()
	if r.Header.Get("User-Agent") != "shelflife/test" {
		f.t.Errorf("%s by %q", call, r.Header.Get("User-Agent"))
	}
	if h == nil {
		f.t.Errorf("unexpected request %s", call)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	h(w, r)
}

// asApp lets only a JWT of App 42 through, signed with the test's key.
func (f *fakeGitHub) asApp(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		claims := &jwt.RegisteredClaims{}
		if _, err := jwt.ParseWithClaims(text, claims, func(tok *jwt.Token) (any, error) {
			if tok.Method != jwt.SigningMethodRS256 {
				return nil, fmt.Errorf("algorithm %s", tok.Method.Alg())
			}
			return &testKey().PublicKey, nil
		}); err != nil {
			f.t.Errorf("JWT of %s %s: %v", r.Method, r.URL.Path, err)
		}
		age, life := time.Since(claims.IssuedAt.Time), time.Until(claims.ExpiresAt.Time)
		if claims.Issuer != "42" || age < 0 || age > 2*time.Minute || life <= 0 || life > 10*time.Minute {
			f.t.Errorf("JWT claims: issuer %q, issued %s ago, expires in %s", claims.Issuer, age, life)
		}
		h(w, r)
	}
}

func (f *fakeGitHub) installation(w http.ResponseWriter, _ *http.Request) {
	reply(f.t, w, 200, `{"id":7,"account":{"login":"Acme","id":99,"type":"Organization"},
		"permissions":{"packages":"write","metadata":"read"},"events":["registry_package"],"repository_selection":"all"}`)
}

func (f *fakeGitHub) mint(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Error(err)
	}
	var asked struct {
		Permissions map[string]string `json:"permissions"`
	}
	if err := json.Unmarshal(raw, &asked); err != nil || len(asked.Permissions) != 1 {
		f.t.Errorf("body of the mint is %q: %v", raw, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.minted = append(f.minted, asked.Permissions["packages"])
	token := fmt.Sprintf("ghs_42_%s.%d.sig", asked.Permissions["packages"], len(f.minted))
	f.tokens[token] = true
	reply(f.t, w, 201, fmt.Sprintf(`{"token":%q,"expires_at":%q,"permissions":{"packages":%q,"metadata":"read"}}`,
		token, f.expires(len(f.minted)).UTC().Format(time.RFC3339), asked.Permissions["packages"]))
}

// asInstallation answers with the token it was asked with.
func (f *fakeGitHub) asInstallation(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.tokens[token] {
		f.t.Errorf("%s %s with %q", r.Method, r.URL.Path, token)
	}
	w.Header().Set("Seen-Token", token)
	w.WriteHeader(http.StatusOK)
}

func (f *fakeGitHub) handle(call string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handlers[call] = h
}

func (f *fakeGitHub) connection(opts GovernorOptions) Connection {
	opts.WriteSpacing = Off
	base := BaseTransport()
	f.t.Cleanup(base.CloseIdleConnections)
	return Connection{
		BaseURL: f.server.URL, Transport: base,
		Governor: testGovernor(f.t, opts), UserAgent: UserAgent("test"),
	}
}

func (f *fakeGitHub) app(change func(*AppOptions)) *AppSource {
	f.t.Helper()
	opts := AppOptions{
		Owner: acme, AppID: 42, InstallationID: 7,
		Key: NewPrivateKey(testPEM(f.t), "key.pem"), Connection: f.connection(GovernorOptions{MaxWait: time.Second}),
	}
	if change != nil {
		change(&opts)
	}
	a, err := NewApp(opts)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

func reply(t *testing.T, w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := io.WriteString(w, body); err != nil {
		t.Error(err)
	}
}

// call sends one request and returns the token it was seen with.
func (f *fakeGitHub) call(s Source, phase Phase, method, path string) (token string, err error) {
	f.t.Helper()
	client, err := NewHTTPClient(s, phase, acme)
	if err != nil {
		f.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.server.URL+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	return resp.Header.Get("Seen-Token"), resp.Body.Close()
}
