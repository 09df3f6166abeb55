package ghapp

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const publicAPI = "https://api.github.com"

// origin is the one place that credentials are sent to.
type origin struct {
	scheme, host string // host as configured
	place        string // host in lower case, with the port even where it is the default
	path         string // without a slash at the end; "" on github.com
}

// parseOrigin reads a base URL. Plain http is for servers on this machine only.
func parseOrigin(base string) (origin, error) {
	if base == "" {
		base = publicAPI
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return origin{}, fmt.Errorf("GitHub API address %q is not of the form https://HOST/PATH; for GitHub Enterprise Server use https://HOST/api/v3", Redact(base))
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return origin{}, fmt.Errorf("GitHub API address %q would send credentials in the open; use https", base)
	}
	return origin{scheme: u.Scheme, host: u.Host, place: hostPort(u), path: strings.TrimRight(u.Path, "/")}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return strings.ToLower(net.JoinHostPort(u.Hostname(), port))
}

// String returns the base URL without a slash at the end.
func (o origin) String() string { return o.scheme + "://" + o.host + o.path }

// holds reports whether u is on the API's host, with its scheme and port.
func (o origin) holds(u *url.URL) bool {
	return u.Scheme == o.scheme && hostPort(u) == o.place
}

// checkPath refuses paths that name another owner's packages, so that a mistake
// above cannot carry one owner's credential to another.
func (o origin) checkPath(u *url.URL, bound retention.Owner) error {
	rest, ok := strings.CutPrefix(u.EscapedPath(), o.path+"/")
	if !ok {
		return nil
	}
	parts := strings.SplitN(rest, "/", 4)
	login := ""
	switch {
	case parts[0] == "user":
		parts = parts[1:]
	case len(parts) > 1 && (parts[0] == "orgs" || parts[0] == "users"):
		if name, err := url.PathUnescape(parts[1]); err == nil {
			login = name
		}
		parts = parts[2:]
	default:
		return nil
	}
	if len(parts) == 0 || parts[0] != "packages" && parts[0] != "docker" {
		return nil
	}
	return checkOwner(bound, retention.Owner{Login: login})
}
