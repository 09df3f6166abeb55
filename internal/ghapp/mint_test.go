package ghapp

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMintFailuresSayWhatToDo(t *testing.T) {
	skewed := time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct {
		status int
		body   string
		date   string
		want   string
	}{
		"401 with a skewed clock": {401, `{"message":"'Expiration time' claim ('exp') must be a numeric value"}`, skewed,
			"check that the private key belongs to App id 42, and this machine's clock (GitHub's differs by "},
		"403 suspended":   {403, `{"message":"This installation has been suspended"}`, "", "may be suspended"},
		"404":             {404, `{"message":"Not Found"}`, "", "not installed on acme, the installation was removed, or the installation id is wrong"},
		"422":             {422, `{"message":"The permissions requested are not granted to this installation."}`, "", "was not granted the packages permission"},
		"500":             {501, `oops`, "", "try again later"},
		"not JSON":        {201, `<html>`, "", "not JSON"},
		"null":            {201, `null`, "", "no token"},
		"no token":        {201, `{}`, "", "no token"},
		"more than asked": {201, `{"token":"ghs_x","expires_at":"2099-01-01T00:00:00Z","permissions":{"packages":"write"}}`, "", "asked for packages: read and was given write"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeGitHub(t)
			f.handle("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
				if c.date != "" {
					w.Header().Set("Date", c.date)
				}
				reply(t, w, c.status, c.body)
			})
			_, err := f.call(f.app(nil), Planning, "GET", "/orgs/acme/packages")
			var auth *AuthError
			if !errors.As(err, &auth) || !NotSent(err) {
				t.Fatalf("error %v, want an AuthError", err)
			}
			if c.status >= 300 && auth.Status != c.status {
				t.Errorf("status %d, want %d", auth.Status, c.status)
			}
			if text := err.Error(); !strings.Contains(text, c.want) || !strings.Contains(text, "acme (installation 7)") {
				t.Errorf("error %q does not say %q", text, c.want)
			}
		})
	}
}

func TestLookupFailuresSayWhatToDo(t *testing.T) {
	f := newFakeGitHub(t)
	f.handle("GET /orgs/acme/installation", func(w http.ResponseWriter, _ *http.Request) {
		reply(t, w, 404, `{"message":"Not Found"}`)
	})
	_, err := f.call(f.app(func(o *AppOptions) { o.InstallationID = 0 }), Planning, "GET", "/orgs/acme/packages")
	var auth *AuthError
	if !errors.As(err, &auth) {
		t.Fatalf("error %v, want an AuthError", err)
	}
	auth.Err, auth.Skew = nil, 0
	want := &AuthError{
		Op: "find the installation", Owner: "acme", AppID: 42, Status: 404, Message: "Not Found",
		Next: "the App is not installed on acme, the installation was removed, or the installation id is wrong",
	}
	if diff := cmp.Diff(want, auth); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMintSurvivesServerFailuresAndPausesOnLimits(t *testing.T) {
	f := newFakeGitHub(t)
	failures := 0
	mint := f.asApp(f.mint)
	f.handle("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		if failures++; failures == 1 {
			w.WriteHeader(502)
			return
		}
		mint(w, r)
	})
	a := f.app(func(o *AppOptions) {
		o.Connection = f.connection(GovernorOptions{Jitter: noJitter, MaxWait: time.Second})
	})
	if _, err := f.call(a, Planning, "GET", "/orgs/acme/packages"); err != nil {
		t.Errorf("asking for a token changes nothing and must be tried again: %v", err)
	}
	f.handle("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		reply(t, w, 403, secondaryBody)
	})
	_, err := f.call(a, Acting, "DELETE", "/orgs/acme/packages/npm/a")
	var paused *PausedError
	if !errors.As(err, &paused) || time.Until(paused.Until) < 9*time.Minute {
		t.Errorf("error %v, want a pause of ten minutes", err)
	}
}

func TestMintEndsWithTheContext(t *testing.T) {
	f := newFakeGitHub(t)
	transport, err := f.app(nil).HTTP(Acting, acme)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = fetch(ctx, transport, "DELETE", "/orgs/acme/packages/npm/a") // another host: no token is needed
	if !errors.Is(err, context.Canceled) || !NotSent(err) {
		t.Errorf("error %v, not sent: %v", err, NotSent(err))
	}
	req, _ := http.NewRequestWithContext(ctx, "DELETE", f.server.URL+"/orgs/acme/packages/npm/a", nil)
	_, err = transport.RoundTrip(req)
	if !errors.Is(err, context.Canceled) || !NotSent(err) || len(f.calls) != 0 {
		t.Errorf("error %v, not sent: %v, calls %v", err, NotSent(err), f.calls)
	}
}

func TestTransportErrorsHoldNoToken(t *testing.T) {
	f := newFakeGitHub(t)
	a := f.app(func(o *AppOptions) { o.Connection.Transport = leaky{f.server.Client().Transport} })
	_, err := f.call(a, Acting, "DELETE", "/orgs/acme/packages/npm/a")
	if err == nil {
		t.Fatal("the leaky transport must fail")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, err); strings.Contains(text, "ghs_42") {
			t.Errorf("%s of the error holds the token: %s", verb, text)
		}
	}
	if NotSent(err) {
		t.Error("a failed write may have been done")
	}
}

// leaky fails every write with an error that quotes its header.
type leaky struct{ next http.RoundTripper }

func (l leaky) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == "DELETE" {
		return nil, fmt.Errorf("broken pipe, header was %v", req.Header)
	}
	return l.next.RoundTrip(req)
}

func TestUnreachableGitHubIsNoFaultOfTheKey(t *testing.T) {
	f := newFakeGitHub(t)
	a := f.app(func(o *AppOptions) { o.Connection.Transport = unreachable{} })
	_, appErr := a.AppInfo(t.Context())
	_, instErr := a.Installation(t.Context())
	_, _, mintErr := a.RegistryAuth(t.Context(), acme)
	for op, err := range map[string]error{"read the App": appErr, "find the installation": instErr, "find the installation ": mintErr} {
		var auth *AuthError
		if !errors.As(err, &auth) || !errors.Is(err, errUnreachable) {
			t.Errorf("%s: %v", op, err)
			continue
		}
		want := strings.TrimSpace(op) + " for acme (installation 7): no route to host; check the network and the API address " + f.server.URL
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", op, diff)
		}
	}
}

// errUnreachable is permanent to the governor, so that the test does not wait.
var errUnreachable error = noRoute{}

type noRoute struct{}

func (noRoute) Error() string { return "no route to host" }
func (noRoute) NotSent() bool { return true }

type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) { return nil, errUnreachable }

func TestFailingSignerIsReported(t *testing.T) {
	f := newFakeGitHub(t)
	a := f.app(func(o *AppOptions) { o.Signer = brokenSigner{testKey()} })
	_, err := a.AppInfo(t.Context())
	var auth *AuthError
	if !errors.As(err, &auth) || !strings.Contains(err.Error(), "key service refused") || len(f.calls) != 0 {
		t.Errorf("error %v after %v", err, f.calls)
	}
}

type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("key service refused")
}
