package ghapp

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const pat = "ghp_0123456789abcdefghijABCDEFGHIJ012345"

func (f *fakeGitHub) pat(owner retention.Owner) *TokenSource {
	f.t.Helper()
	s, err := NewTokenSource(TokenOptions{Owner: owner, Token: NewToken(pat), From: "GITHUB_TOKEN", Connection: f.connection(GovernorOptions{})})
	if err != nil {
		f.t.Fatal(err)
	}
	f.tokens[pat] = true
	return s
}

func TestTokenIsUsedInBothPhases(t *testing.T) {
	f := newFakeGitHub(t)
	s := f.pat(acme)
	for _, phase := range []Phase{Planning, Acting} {
		if got, err := f.call(s, phase, "GET", "/orgs/acme/packages"); err != nil || got != pat {
			t.Errorf("%s: seen with %q, %v", phase, got, err)
		}
	}
	if _, err := f.call(s, Acting, "DELETE", "/orgs/acme/packages/npm/a"); err != nil {
		t.Error(err)
	}
	var phase *PhaseError
	if _, err := f.call(s, Planning, "DELETE", "/orgs/acme/packages/npm/a"); !errors.As(err, &phase) {
		t.Errorf("a write while planning: %v", err)
	}
	user, secret, err := s.RegistryAuth(t.Context(), acme)
	if err != nil || user == "" || secret.Reveal() != pat {
		t.Errorf("registry: %q, %v", user, err)
	}
}

func TestTokenIsBoundToItsOwner(t *testing.T) {
	f := newFakeGitHub(t)
	f.handle("GET /user/packages", f.asInstallation)
	self := retention.Owner{Kind: retention.User}
	other := retention.Owner{Login: "other"}
	for name, c := range map[string]struct {
		bound, asked retention.Owner
		path         string
		refused      bool
	}{
		"own organization":             {acme, acme, "/orgs/acme/packages", false},
		"another organization":         {acme, acme, "/orgs/other/packages", true},
		"another user's docker check":  {acme, acme, "/users/other/docker/conflicts", true},
		"the token's own user":         {acme, acme, "/user/packages", true},
		"self":                         {self, self, "/user/packages", false},
		"self asked for a named owner": {self, other, "/user/packages", true},
		"self asked for a named path":  {self, self, "/orgs/acme/packages", true},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := NewHTTPClient(f.pat(c.bound), Planning, c.asked)
			if err == nil {
				var resp *http.Response
				if resp, err = client.Get(f.server.URL + c.path); err == nil {
					err = resp.Body.Close()
				}
			}
			var foreign *ForeignOwnerError
			if errors.As(err, &foreign) != c.refused || !c.refused && err != nil {
				t.Errorf("error %v, want refused: %v", err, c.refused)
			}
		})
	}
	if _, _, err := f.pat(acme).RegistryAuth(t.Context(), other); err == nil {
		t.Error("the registry credential was given to another owner")
	}
}

func TestTokenOptionsAreChecked(t *testing.T) {
	f := newFakeGitHub(t)
	good := TokenOptions{Owner: acme, Token: NewToken(pat), From: "GITHUB_TOKEN", Connection: f.connection(GovernorOptions{})}
	for name, change := range map[string]func(*TokenOptions){
		"no token":      func(o *TokenOptions) { o.Token = Token{} },
		"two lines":     func(o *TokenOptions) { o.Token = NewToken(pat + "\r\nX: y") },
		"no owner":      func(o *TokenOptions) { o.Owner = retention.Owner{Kind: retention.Organization} },
		"no connection": func(o *TokenOptions) { o.Connection = Connection{} },
	} {
		t.Run(name, func(t *testing.T) {
			opts := good
			change(&opts)
			if _, err := NewTokenSource(opts); err == nil || strings.Contains(err.Error(), pat) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   TokenInfo
	}{
		"classic": {
			http.Header{"X-Oauth-Scopes": {"read:packages, delete:packages"}},
			TokenInfo{Login: "bot", Scopes: []string{"read:packages", "delete:packages"}, Classic: true},
		},
		"classic without scopes": {http.Header{"X-Oauth-Scopes": {""}}, TokenInfo{Login: "bot", Classic: true}},
		"fine-grained":           {http.Header{}, TokenInfo{Login: "bot"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeGitHub(t)
			f.handle("GET /user", func(w http.ResponseWriter, r *http.Request) {
				for k, v := range c.header {
					w.Header()[k] = v
				}
				reply(t, w, 200, `{"login":"bot"}`)
			})
			got, err := f.pat(acme).Scopes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got.ClockSkew = 0
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestScopesFailuresSayWhatToDo(t *testing.T) {
	for status, want := range map[int]string{401: "set a new one in GITHUB_TOKEN", 403: "single sign-on", 418: "try again later"} {
		f := newFakeGitHub(t)
		f.handle("GET /user", func(w http.ResponseWriter, _ *http.Request) {
			reply(t, w, status, `{"message":"Bad credentials `+pat+`"}`)
		})
		_, err := f.pat(acme).Scopes(t.Context())
		var auth *AuthError
		if !errors.As(err, &auth) || auth.Status != status || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), pat) {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

func TestRedirectsElsewhereCarryNoCredential(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k := range r.Header {
			if strings.Contains(k, "Auth") || k == "Cookie" {
				t.Errorf("%s was sent along", k)
			}
		}
		w.Header().Set("Seen-Token", "none")
	}))
	t.Cleanup(elsewhere.Close)
	f := newFakeGitHub(t)
	f.handle("GET /away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/x", http.StatusFound)
	})
	f.handle("GET /here", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, f.server.URL+"/orgs/acme/packages", http.StatusMovedPermanently)
	})
	f.handle("GET /loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	s := f.pat(acme)
	if got, err := f.call(s, Planning, "GET", "/away"); err != nil || got != "none" {
		t.Errorf("elsewhere: %q, %v", got, err)
	}
	if got, err := f.call(s, Planning, "GET", "/here"); err != nil || got != pat {
		t.Errorf("same host: %q, %v", got, err)
	}
	if _, err := f.call(s, Planning, "GET", "/loop"); err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("endless redirects: %v", err)
	}
	app := f.app(nil)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", elsewhere.URL, nil)
	resp, err := app.jwt().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestRedirectedWritesAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		f := newFakeGitHub(t)
		f.handle("DELETE /orgs/acme/packages/npm/old", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/orgs/acme/packages/npm/a", status)
		})
		client, err := NewHTTPClient(f.pat(acme), Acting, acme)
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), "DELETE", f.server.URL+"/orgs/acme/packages/npm/old", nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if resp.StatusCode != status || len(f.calls) != 1 {
			t.Errorf("%d became %d after %v", status, resp.StatusCode, f.calls)
		}
	}
}

func TestCheckRedirect(t *testing.T) {
	request := func(raw string) *http.Request {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{Method: "GET", URL: u, Header: http.Header{"Authorization": {"x"}}}
	}
	down := request("http://api.github.com/x")
	if err := checkRedirect(down, []*http.Request{request("https://api.github.com/x")}); !errors.Is(err, errPlainRedirect) {
		t.Errorf("https to http: %v", err)
	}
	other := request("https://api.github.com:8443/x")
	if err := checkRedirect(other, []*http.Request{request("https://api.github.com/x")}); err != nil || other.Header.Get("Authorization") != "" {
		t.Errorf("another port: %v, header %v", err, other.Header)
	}
	same := request("https://API.github.com:443/y")
	if err := checkRedirect(same, []*http.Request{request("https://api.github.com/x")}); err != nil || same.Header.Get("Authorization") != "x" {
		t.Errorf("same place: %v, header %v", err, same.Header)
	}
}

func TestOrigin(t *testing.T) {
	for base, want := range map[string]string{
		"":                            "https://api.github.com",
		"https://ghe.example/api/v3/": "https://ghe.example/api/v3",
		"http://127.0.0.1:8080":       "http://127.0.0.1:8080",
		"http://localhost:1/api/v3":   "http://localhost:1/api/v3",
	} {
		o, err := parseOrigin(base)
		if err != nil || o.String() != want {
			t.Errorf("%q is %q, %v; want %q", base, o, err, want)
		}
	}
	ghes, err := parseOrigin("https://ghe.example/api/v3")
	if err != nil {
		t.Fatal(err)
	}
	for path, refused := range map[string]bool{
		"/api/v3/orgs/acme/packages":  false,
		"/api/v3/orgs/other/packages": true,
		"/api/v3/user/packages":       true,
		"/api/v3/user":                false,
		"/api/v3/orgs/other":          false,
		"/raw/orgs/other/packages":    false,
	} {
		if err := ghes.checkPath(&url.URL{Path: path}, acme); (err != nil) != refused {
			t.Errorf("%s: %v", path, err)
		}
	}
}
