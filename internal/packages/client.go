package packages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/shelflife-dev/shelflife/internal/bounded"
)

// DefaultAPIURL is the REST API of github.com.
const DefaultAPIURL = "https://api.github.com"

const (
	userAgent            = "shelflife"
	defaultParallelPages = 4
)

// Client calls GitHub Packages. It is safe for concurrent use and keeps no
// state between calls.
type Client struct {
	http     *http.Client
	base     *url.URL
	parallel int
	now      func() time.Time
}

// Option changes how a Client works.
type Option func(*Client)

// WithParallelPages sets how many pages of one listing are read at the same
// time (default 4). Less than one means one.
func WithParallelPages(n int) Option { return func(c *Client) { c.parallel = max(n, 1) } }

// WithClock sets the clock that a relative Retry-After is counted from.
func WithClock(now func() time.Time) Option { return func(c *Client) { c.now = now } }

// New makes a client of the API at apiURL: "" for github.com,
// https://host/api/v3 for GitHub Enterprise Server, with or without a slash at
// the end. The transport of hc must authenticate and pace the calls. hc itself
// is not changed; its CheckRedirect is not used. New does not call the network.
func New(hc *http.Client, apiURL string, opts ...Option) (*Client, error) {
	if hc == nil {
		return nil, errors.New("make a packages client: no http client given")
	}
	base, err := parseAPIURL(apiURL)
	if err != nil {
		return nil, fmt.Errorf("make a packages client: %w", err)
	}
	inner := *hc
	inner.CheckRedirect = stayOnHost
	inner.Transport = watched{bounded.Transport{Next: hc.Transport}}
	c := &Client{http: &inner, base: base, parallel: defaultParallelPages, now: time.Now}
	for _, o := range opts {
		o(c)
	}
	return c, nil
}

func parseAPIURL(apiURL string) (*url.URL, error) {
	if apiURL == "" {
		apiURL = DefaultAPIURL
	}
	u, err := url.Parse(apiURL)
	if err != nil {
		return nil, fmt.Errorf("read the API address: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("API address %q is not a plain http(s) address: use %s or https://HOST/api/v3", u.Redacted(), DefaultAPIURL)
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.RawPath = ""
	return u, nil
}

// github returns a go-github client for one call. go-github remembers the limits
// it has seen in the client and then answers in GitHub's place until they reset.
// Pacing is the transport's work here, which may wait or change the token, so
// that memory would only be in its way.
func (c *Client) github() *github.Client {
	gh := github.NewClient(c.http)
	gh.BaseURL = c.base
	gh.UserAgent = userAgent
	return gh
}
