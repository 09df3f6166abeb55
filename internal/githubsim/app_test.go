package githubsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

func newKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func sign(t *testing.T, key *rsa.PrivateKey, iss string, iat, exp time.Time) string {
	t.Helper()
	raw, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": iss, "iat": iat.Unix(), "exp": exp.Unix()}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// startApp runs a simulator with App 7, installed on acme (71, write), zeta
// (72, read) and suspended on idle (73).
func startApp(t *testing.T, accepted *bool) (*simtest.Running, *testclock.Clock, *rsa.PrivateKey) {
	t.Helper()
	key, text := newKey(t)
	versions := []githubsim.Version{{Key: "a", ID: 0}, {Key: "b", Tags: []string{"b"}}, {Key: "c", Tags: []string{"c"}}}
	pkg := func() []githubsim.Package {
		return []githubsim.Package{{Name: "api", Type: "container", Versions: versions}}
	}
	clk := testclock.New(start)
	sim := simtest.Start(t, githubsim.Seed{
		AppTokensAccepted: accepted,
		Owners:            []githubsim.Owner{{Login: "acme", Packages: pkg()}, {Login: "zeta", Packages: pkg()}, {Login: "idle"}},
		Apps: []githubsim.App{{AppID: 7, Owner: "acme", PrivateKeyPEM: text, Installations: []githubsim.Installation{
			{ID: 71, Owner: "acme", Permissions: map[string]string{"packages": "write", "metadata": "read"}},
			{ID: 72, Owner: "zeta", Permissions: map[string]string{"packages": "read"}},
			{ID: 73, Owner: "idle", Permissions: map[string]string{"packages": "read"}, Suspended: true},
		}}},
	}, githubsim.WithClock(clk.Now))
	return sim, clk, key
}

func TestJWTIsCheckedByTheSimulatorsClock(t *testing.T) {
	sim, _, key := startApp(t, nil)
	stranger, _ := newKey(t)
	for _, tc := range []struct {
		name, token string
		status      int
		message     string
	}{
		{"good", sign(t, key, "7", start.Add(-30*time.Second), start.Add(90*time.Second)), 200, ""},
		{"ten minutes", sign(t, key, "7", start, start.Add(10*time.Minute)), 200, ""},
		{"issued in the future", sign(t, key, "7", start.Add(time.Second), start.Add(time.Minute)), 401,
			"'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"},
		{"too long", sign(t, key, "7", start, start.Add(10*time.Minute+time.Second)), 401,
			"'Expiration time' claim ('exp') is too far in the future"},
		{"expired", sign(t, key, "7", start.Add(-time.Hour), start.Add(-time.Second)), 401,
			"'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"},
		{"unknown App", sign(t, key, "8", start, start.Add(time.Minute)), 404, "Integration not found"},
		{"other key", sign(t, stranger, "7", start, start.Add(time.Minute)), 401, "A JSON web token could not be decoded"},
		{"no JWT", "ghp_x", 401, "A JSON web token could not be decoded"},
		{"nothing", "", 401, "A JSON web token could not be decoded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := ask(t, "GET", sim.URL+"/app", tc.token)
			if r.Status != tc.status || tc.message != "" && r.message(t) != tc.message {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		})
	}
}

func TestInstallationsAreFound(t *testing.T) {
	sim, _, key := startApp(t, nil)
	token := sign(t, key, "7", start, start.Add(time.Minute))
	for path, want := range map[string]int{
		"/app": 200, "/app/installations": 200, "/app/installations/71": 200, "/app/installations/99": 404,
		"/orgs/acme/installation": 200, "/users/acme/installation": 404, "/orgs/nobody/installation": 404, "/app/odd": 404,
	} {
		if r := ask(t, "GET", sim.URL+path, token); r.Status != want {
			t.Errorf("%s: %d %s, want %d", path, r.Status, r.Body, want)
		}
	}
}

func mint(t *testing.T, sim *simtest.Running, jwt, id, body string) (reply, string) {
	t.Helper()
	r, err := try(t, "POST", sim.URL+"/app/installations/"+id+"/access_tokens", jwt, body)
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Token string }
	r.decode(t, &out)
	return r, out.Token
}

func TestTokensOnlyNarrow(t *testing.T) {
	sim, _, key := startApp(t, nil)
	token := sign(t, key, "7", start, start.Add(time.Minute))
	for _, tc := range []struct {
		name, id, body string
		status         int
		message        string
	}{
		{"all it has", "71", "", 201, ""},
		{"less", "71", `{"permissions":{"packages":"read"}}`, 201, ""},
		{"more", "72", `{"permissions":{"packages":"write"}}`, 422, "The permissions requested are not granted to this installation."},
		{"another", "71", `{"permissions":{"organization_packages":"read"}}`, 422, "The permissions requested are not granted to this installation."},
		{"no such level", "71", `{"permissions":{"packages":"delete"}}`, 422, "The permissions requested are not granted to this installation."},
		{"broken body", "71", `{`, 400, "Problems parsing JSON"},
		{"suspended", "73", "", 403, "This installation has been suspended"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, got := mint(t, sim, token, tc.id, tc.body)
			if r.Status != tc.status || tc.message != "" && r.message(t) != tc.message || (tc.status == 201) != (len(got) > 100) {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		})
	}
}

func TestReachOfInstallationTokens(t *testing.T) {
	sim, clk, key := startApp(t, nil)
	jwt := sign(t, key, "7", start, start.Add(time.Minute))
	_, write := mint(t, sim, jwt, "71", "")
	_, read := mint(t, sim, jwt, "71", `{"permissions":{"packages":"read"}}`)
	_, none := mint(t, sim, jwt, "71", `{"permissions":{"metadata":"read"}}`)
	ids := idsOf(t, ask(t, "GET", sim.URL+"/orgs/acme/packages/container/api/versions", read))
	version := sim.URL + "/orgs/acme/packages/container/api/versions/" + jsonNumber(ids[0])
	steps := []struct {
		name, method, url, token string
		later                    time.Duration
		status                   int
		message                  string
	}{
		{"no packages permission", "GET", sim.URL + "/orgs/acme/packages?package_type=container", none, 0, 403, "Resource not accessible by integration"},
		{"read lists", "GET", sim.URL + "/orgs/acme/packages?package_type=container", read, 0, 200, ""},
		{"read does not delete", "DELETE", version, read, 0, 403, "Resource not accessible by integration"},
		{"other owner's package", "GET", sim.URL + "/orgs/zeta/packages/container/api", write, 0, 404, "Package not found."},
		{"other owner's list", "GET", sim.URL + "/orgs/zeta/packages?package_type=container", write, 0, 403, "Resource not accessible by integration"},
		{"no user behind it", "GET", sim.URL + "/user", write, 0, 403, "Resource not accessible by integration"},
		{"write deletes", "DELETE", version, write, 0, 204, ""},
		{"write restores", "POST", version + "/restore", write, 0, 204, ""},
		{"after an hour", "GET", version, write, time.Hour, 401, "Bad credentials"},
	}
	for _, tc := range steps {
		clk.Advance(tc.later)
		r := ask(t, tc.method, tc.url, tc.token)
		if r.Status != tc.status || tc.message != "" && r.message(t) != tc.message {
			t.Errorf("%s: %d %s, want %d %s", tc.name, r.Status, r.Body, tc.status, tc.message)
		}
	}
	var callers []string
	for _, c := range sim.Server.Calls() {
		if c.Mutating {
			callers = append(callers, c.Method+" "+c.Caller)
		}
	}
	want := []string{"DELETE installation 71 packages:read", "DELETE installation 71 packages:write", "POST installation 71 packages:write"}
	if diff := cmp.Diff(want, callers); diff != "" {
		t.Error(diff)
	}
}

func TestAppTokensRefusedAsReported(t *testing.T) {
	refused := false
	sim, _, key := startApp(t, &refused)
	_, token := mint(t, sim, sign(t, key, "7", start, start.Add(time.Minute)), "71", "")
	for path, want := range map[string]string{
		"/orgs/acme/packages?package_type=container":  "Invalid argument.",
		"/orgs/acme/packages/container/api":           "Resource not accessible by integration",
		"/orgs/acme/packages/container/api/versions":  "Resource not accessible by integration",
		"/orgs/acme/docker/conflicts":                 "Resource not accessible by integration",
		"/orgs/acme/packages/container/none/versions": "Resource not accessible by integration",
	} {
		if r := ask(t, "GET", sim.URL+path, token); r.message(t) != want {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
	pull := pullTokenOf(t, sim, "acme/api", token)
	if r := ask(t, "GET", sim.URL+"/v2/acme/api/manifests/b", pull, "Accept", allFour); r.Status != 403 {
		t.Errorf("pull: %d %s", r.Status, r.Body)
	}
}

func TestGHInstallationTransportWorks(t *testing.T) {
	key, text := newKey(t)
	sim := simtest.Start(t, githubsim.Seed{
		Owners: []githubsim.Owner{{Login: "acme"}},
		Apps: []githubsim.App{{AppID: 7, PublicKeyPEM: publicPEM(t, key), Installations: []githubsim.Installation{
			{ID: 71, Owner: "acme", Permissions: map[string]string{"packages": "read"}}}}},
	})
	transport, err := ghinstallation.New(http.DefaultTransport, 7, 71, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	transport.BaseURL = sim.URL + "/api/v3"
	req, err := http.NewRequestWithContext(t.Context(), "GET", sim.URL+"/api/v3/orgs/acme/packages?package_type=npm", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	if diff := cmp.Diff(githubsim.Counts{REST: 1, App: 1}, sim.Server.CallCounts()); diff != "" {
		t.Error(diff)
	}
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
