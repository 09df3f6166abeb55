package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseChallenge(t *testing.T) {
	cases := []struct {
		name    string
		headers []string
		realm   string
		service string
		err     string
	}{
		{"ghcr.io's", []string{`Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"`}, "https://ghcr.io/token", "ghcr.io", ""},
		{"with blanks and other case", []string{`bearer  Realm = "https://r/t" , SERVICE=s`}, "https://r/t", "s", ""},
		{"after another scheme in one header", []string{`Basic realm="x", Bearer realm="https://r/t",service="s"`}, "https://r/t", "s", ""},
		{"in the second header", []string{`Basic realm="x"`, `Bearer realm="https://r/t"`}, "https://r/t", "", ""},
		{"with a comma and quotes in a value", []string{`Bearer error="a, \"b\"", realm="https://r/t"`}, "https://r/t", "", ""},
		{"without a realm", []string{`Bearer service="s"`}, "", "", "no usable realm"},
		{"with a relative realm", []string{`Bearer realm="/token"`}, "", "", "no usable realm"},
		{"of another scheme", []string{`Basic realm="x"`}, "", "", "without a Bearer challenge"},
		{"absent", nil, "", "", "without a Bearer challenge"},
		{"unfinished", []string{`Bearer realm="https://r/t`}, "https://r/t", "", ""},
		{"garbage", []string{`=,"=" Bearer =`}, "", "", "without a Bearer challenge"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseChallenge(http.Header{"Www-Authenticate": c.headers})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || got.realm.String() != c.realm || got.service != c.service {
				t.Errorf("got %v %q, %v", got.realm, got.service, err)
			}
		})
	}
}

func TestCredentialsGoOnlyToTheRegistrysOwnHost(t *testing.T) {
	for _, c := range []struct {
		registry, realm string
		want            bool
	}{
		{"https://ghcr.io", "https://ghcr.io/token", true},
		{"https://containers.ghe.acme.com", "https://ghe.acme.com/token", true},
		{"https://ghcr.io", "http://ghcr.io/token", false},
		{"https://ghcr.io", "https://ghcr.io.evil.com/token", false},
		{"https://ghcr.io", "https://evil.com/token", false},
		{"https://ghcr.io", "https://io/token", false},
		{"http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true},
	} {
		a, errA := url.Parse(c.registry)
		b, errB := url.Parse(c.realm)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if got := trusts(a, b); got != c.want {
			t.Errorf("trusts(%s, %s) = %t", c.registry, c.realm, got)
		}
	}
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	cases := []struct {
		name      string
		expiresIn int
		after     time.Duration
		want      int // exchanges in the second reading
	}{
		{"no expires_in, 49 s later", 0, 49 * time.Second, 0},
		{"no expires_in, 50 s later", 0, 50 * time.Second, 1},
		{"5 minutes, 289 s later", 300, 289 * time.Second, 0},
		{"5 minutes, 290 s later", 300, 290 * time.Second, 1},
		{"10 s, 8 s later", 10, 8 * time.Second, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := newRegistry(t)
			g.expiresIn = c.expiresIn
			d := g.push(ociImage, image("a", nil))
			now := epoch
			r := g.reader(func(o *Options) { o.Now = func() time.Time { return now } })
			mustGraph(t, r, version(1, d, 0, "v1"))
			now = now.Add(c.after)
			if got := mustGraph(t, r, version(1, d, 0, "v1")).Calls.Token; got != c.want {
				t.Errorf("%d exchanges, want %d", got, c.want)
			}
		})
	}
}

func TestTokenThatTheRegistryDropsIsReplacedOnce(t *testing.T) {
	g := newRegistry(t)
	d := g.push(ociImage, image("a", nil))
	r := g.reader()
	mustGraph(t, r, version(1, d, 0, "v1"))
	clear(g.valid)
	res := mustGraph(t, r, version(1, d, 0, "v1"))
	if diff := cmp.Diff(Calls{Token: 1, Manifest: 2}, res.Calls); diff != "" || !res.Complete() {
		t.Errorf("%s, unread %v", diff, res.Unread)
	}
}

func TestAnonymousReading(t *testing.T) {
	g := newRegistry(t)
	g.password = ""
	d := g.push(ociImage, image("a", nil))
	if res := mustGraph(t, g.reader(func(o *Options) { o.Credential = nil }), version(1, d, 0, "v1")); !res.Complete() {
		t.Error(res.Unread)
	}
}

func TestFailedAuthenticationEndsTheReadingAtOnce(t *testing.T) {
	cases := []struct {
		name   string
		change func(*registry, *Options)
		want   string
		calls  Calls
	}{
		{"the credential is refused", func(_ *registry, o *Options) {
			o.Credential = func(context.Context, string) (string, error) { return "wrong", nil }
		}, "token endpoint answered 403 Forbidden; the credential needs read:packages", Calls{Challenge: 1, Token: 1}},
		{"there is no credential", func(_ *registry, o *Options) {
			o.Credential = func(_ context.Context, owner string) (string, error) { return "", fmt.Errorf("no key for %s", owner) }
		}, "no key for Acme", Calls{Challenge: 1}},
		{"the registry is not one", func(g *registry, o *Options) { o.Registry = g.server.URL + "/token" }, "token endpoint: it answered 501", Calls{Challenge: 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := newRegistry(t)
			if c.name == "the registry is not one" {
				g.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) })
			}
			r := g.reader(func(o *Options) { c.change(g, o); o.Parallel = 1 })
			res := mustGraph(t, r, version(1, digestOf([]byte("a")), 0, "v1"), version(2, digestOf([]byte("b")), 0, "v2"))
			if len(res.Unread) == 0 || !strings.Contains(fmt.Sprint(res.Unread), c.want) {
				t.Errorf("unread %v, want %q", res.Unread, c.want)
			}
			if diff := cmp.Diff(c.calls, res.Calls); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := secret("ghs_verysecret")
	if got := fmt.Sprintf("%s %v %#v %v", s, s, s, s.LogValue()); strings.Contains(got, "verysecret") {
		t.Error(got)
	}
}

func FuzzParseChallenge(f *testing.F) {
	f.Add(`Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"`)
	f.Add(`Basic realm="x", Bearer realm="https://r/t", error="a \"b\" \`)
	f.Fuzz(func(t *testing.T, header string) {
		c, err := parseChallenge(http.Header{"Www-Authenticate": {header}})
		if err == nil && c.realm.Host == "" {
			t.Error("a challenge without a host to ask")
		}
	})
}
