package packages_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type heldBack struct{ until time.Time }

func (heldBack) Error() string        { return "held back by the governor" }
func (heldBack) NotSent() bool        { return true }
func (h heldBack) RetryAt() time.Time { return h.until }

type noToken struct{}

func (noToken) Error() string { return "no token" }
func (noToken) NotSent() bool { return true }

func TestFailuresWithoutAnAnswer(t *testing.T) {
	in5 := fixedNow().Add(5 * time.Minute)
	wait := 5 * time.Minute
	cases := map[string]struct {
		fail  error
		kind  packages.ErrorKind
		may   bool
		until time.Time
	}{
		"reset":               {errors.New("connection reset by peer"), packages.Transient, true, time.Time{}},
		"closed":              {io.ErrUnexpectedEOF, packages.Transient, true, time.Time{}},
		"dial":                {&net.OpError{Op: "dial", Err: errors.New("refused")}, packages.Transient, false, time.Time{}},
		"read":                {&net.OpError{Op: "read", Err: errors.New("reset")}, packages.Transient, true, time.Time{}},
		"time-out":            {context.DeadlineExceeded, packages.Transient, true, time.Time{}},
		"canceled":            {context.Canceled, packages.Canceled, true, time.Time{}},
		"no token":            {noToken{}, packages.Refused, false, time.Time{}},
		"governor":            {heldBack{in5}, packages.RateLimited, false, in5},
		"go-github primary":   {&github.RateLimitError{Rate: github.Rate{Reset: github.Timestamp{Time: in5}}, Message: "still exceeded"}, packages.RateLimited, false, in5},
		"go-github secondary": {&github.AbuseRateLimitError{RetryAfter: &wait}, packages.RateLimited, false, in5},
		"go-github, no time":  {&github.AbuseRateLimitError{}, packages.RateLimited, false, fixedNow().Add(time.Minute)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, tc.fail })}
			c, err := packages.New(hc, "https://api.example.com", packages.WithClock(fixedNow))
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.RestorePackage(t.Context(), acme, retention.NPM, "api", "s3cret")
			equal(t, "kind", tc.kind, packages.KindOf(err))
			equal(t, "may have happened", tc.may, packages.MayHaveHappened(err))
			until, _ := packages.RateLimitedUntil(err)
			equal(t, "until", tc.until, until)
			if !strings.HasPrefix(name, "go-github") && !errors.Is(err, tc.fail) {
				t.Errorf("error %v hides its cause", err)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "s3cret") {
					t.Errorf("error %q holds the package token", e)
				}
			}
			_, err = c.GetPackage(t.Context(), acme, retention.NPM, "api")
			equal(t, "a read may have happened", false, packages.MayHaveHappened(err))
		})
	}
}

func TestAWaitCutShortByTheContextStillSaysUntilWhen(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	until := fixedNow().Add(time.Hour)
	hc := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, heldBack{until}
	})}
	c, err := packages.New(hc, "", packages.WithClock(fixedNow))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.DeletePackage(ctx, acme, retention.NPM, "api")
	got, _ := packages.RateLimitedUntil(err)
	equal(t, "until", until, got)
	equal(t, "may have happened", false, packages.MayHaveHappened(err))
}

func TestWhetherARequestLeftThisMachine(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		srv.Close()
		_, err := newClient(t, srv.URL).DeletePackage(t.Context(), acme, retention.NPM, "api")
		equal(t, "kind", packages.Transient, packages.KindOf(err))
		equal(t, "may have happened", false, packages.MayHaveHappened(err))
	})
	t.Run("the connection breaks after the request", func(t *testing.T) {
		srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		t.Cleanup(srv.Close)
		_, err := newClient(t, srv.URL).DeletePackage(t.Context(), acme, retention.NPM, "api")
		equal(t, "kind", packages.Transient, packages.KindOf(err))
		equal(t, "may have happened", true, packages.MayHaveHappened(err))
	})
	t.Run("the caller had given up before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		srv := serve(t, nil)
		_, err := newClient(t, srv.URL).DeletePackage(ctx, acme, retention.NPM, "api")
		equal(t, "kind", packages.Canceled, packages.KindOf(err))
		equal(t, "canceled", true, errors.Is(err, context.Canceled))
		equal(t, "may have happened", false, packages.MayHaveHappened(err))
	})
	t.Run("the caller gives up while GitHub works", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		}))
		t.Cleanup(srv.Close)
		_, err := newClient(t, srv.URL).DeletePackage(ctx, acme, retention.NPM, "api")
		equal(t, "kind", packages.Canceled, packages.KindOf(err))
		equal(t, "may have happened", true, packages.MayHaveHappened(err))
	})
}

func TestATruncatedOrEndlessListIsAnError(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"truncated": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`[]`))
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			chunk := []byte("[" + strings.Repeat(" ", 1<<20))
			for range 40 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(handler)
			t.Cleanup(srv.Close)
			list, err := newClient(t, srv.URL).ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active)
			equal(t, "kind", packages.Transient, packages.KindOf(err))
			equal(t, "complete", false, list.Complete)
		})
	}
}

func TestRedirects(t *testing.T) {
	other := serve(t, nil) // fails on any request: it would be given the credentials
	var srv *recorder
	to := func(u string) []reply { return []reply{{status: 301, header: map[string]string{"Location": u}}} }
	srv = serve(t, map[string][]reply{
		"GET /orgs/old/packages/npm/api":        to("/organizations/1/packages/npm/api"),
		"GET /organizations/1/packages/npm/api": once(200, `{"id":1,"name":"api","package_type":"npm"}`),
		"GET /orgs/old/packages/npm/far":        to(other.URL + "/x"),
		"DELETE /orgs/old/packages/npm/api":     to("/organizations/1/packages/npm/api"),
		"GET /orgs/old/packages/npm/loop":       to("/orgs/old/packages/npm/loop"),
	})
	c := newClient(t, srv.URL)
	old := retention.Owner{Login: "old", Kind: retention.Organization}
	if _, err := c.GetPackage(t.Context(), old, retention.NPM, "api"); err != nil {
		t.Errorf("a read within the host: %v", err)
	}
	_, err := c.GetPackage(t.Context(), old, retention.NPM, "far")
	equal(t, "a read to another host", packages.Refused, packages.KindOf(err))
	_, err = c.GetPackage(t.Context(), old, retention.NPM, "loop")
	equal(t, "a loop", packages.Refused, packages.KindOf(err))
	_, err = c.DeletePackage(t.Context(), old, retention.NPM, "api")
	equal(t, "a write", packages.Refused, packages.KindOf(err))
	equal(t, "a write may have happened", false, packages.MayHaveHappened(err))
}

func TestAnAnswerThatIsTooLargeIsUnread(t *testing.T) {
	rec := serve(t, map[string][]reply{
		"GET /orgs/acme/packages/npm/pad": {{status: 200, body: `{"id": 1, "name": "` + strings.Repeat("a", 33<<20) + `"}`}},
	})
	_, err := newClient(t, rec.URL).GetPackage(t.Context(), acme, retention.NPM, "pad")
	if packages.KindOf(err) != packages.Transient {
		t.Errorf("got %v, want an answer that could not be read", err)
	}
}
