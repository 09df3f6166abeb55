package ghapp

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// UserAgent is how the program names itself to GitHub.
func UserAgent(version string) string { return "shelflife/" + version }

// BaseTransport returns what sends in the end: proxy from the environment,
// HTTP/2, and a bound on every step. One is enough for a process.
func BaseTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConns:          maxInFlight,
		MaxIdleConnsPerHost:   maxInFlight,
		// A connection that died without a word would otherwise hold up
		// everything that shares it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// NewHTTPClient returns a client for an owner's packages in a phase. It has no
// timeout of its own, since requests may have to wait their turn: bound them by
// their context.
func NewHTTPClient(source Source, phase Phase, owner retention.Owner) (*http.Client, error) {
	transport, err := source.HTTP(phase, owner)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}, nil
}

// NewRegistryTransport returns the transport for a container registry, which
// authorizes its own requests: governed, and named by the user agent.
func NewRegistryTransport(base http.RoundTripper, g *Governor, userAgent string) http.RoundTripper {
	return g.Wrap(&plainTransport{userAgent: userAgent, next: base})
}

const maxRedirects = 10

var errPlainRedirect = errors.New("redirect from https to http refused")

// checkRedirect follows reads only. Go turns a DELETE that meets a 301 or 302
// into a GET, whose 200 would read as a deletion that never happened; a
// redirected write is therefore answered with the redirect itself.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	if !safeMethod(first.Method) {
		return http.ErrUseLastResponse
	}
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	if last.URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errPlainRedirect
	}
	if hostPort(req.URL) != hostPort(first.URL) {
		req.Header.Del("Authorization")
		req.Header.Del("Cookie")
	}
	return nil
}

// plainTransport names the program and hides what looks like a credential in
// errors, such as a proxy's password.
type plainTransport struct {
	userAgent string
	next      http.RoundTripper
}

// RoundTrip sends req.
func (t *plainTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Header.Set("User-Agent", t.userAgent)
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, Redactor{}.Error(err)
	}
	return resp, nil
}
