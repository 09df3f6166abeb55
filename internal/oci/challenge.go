package oci

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// challenge is where a registry wants its tokens to be fetched.
type challenge struct {
	realm   *url.URL
	service string
}

// parseChallenge finds the Bearer challenge among the WWW-Authenticate headers
// of an answer (RFC 9110, section 11.6.1: several headers, and several
// challenges in one header, are allowed).
func parseChallenge(h http.Header) (challenge, error) {
	for _, value := range h.Values("WWW-Authenticate") {
		for _, c := range splitChallenges(value) {
			if !strings.EqualFold(c.scheme, "Bearer") {
				continue
			}
			realm, err := url.Parse(c.params["realm"])
			if err != nil || realm.Host == "" {
				return challenge{}, fmt.Errorf("the registry's Bearer challenge has no usable realm: %q", c.params["realm"])
			}
			return challenge{realm: realm, service: c.params["service"]}, nil
		}
	}
	return challenge{}, errors.New("the registry answered 401 without a Bearer challenge")
}

type authChallenge struct {
	scheme string
	params map[string]string // names in lower case; the first of a name counts
}

// splitChallenges reads one header: scheme, then name=value pairs with tokens
// or quoted strings as values. It skips what it does not understand.
func splitChallenges(s string) []authChallenge {
	var out []authChallenge
	for s != "" {
		s = strings.TrimLeft(s, " \t,")
		word, rest := cutToken(s)
		if word == "" {
			if s != "" {
				s = s[1:]
			}
			continue
		}
		if after := strings.TrimLeft(rest, " \t"); !strings.HasPrefix(after, "=") {
			out = append(out, authChallenge{scheme: word, params: map[string]string{}})
			s = rest
			continue
		} else {
			rest = strings.TrimLeft(after[1:], " \t")
		}
		var value string
		if strings.HasPrefix(rest, `"`) {
			value, s = cutQuoted(rest[1:])
		} else {
			value, s = cutToken(rest)
		}
		if len(out) == 0 {
			continue
		}
		params := out[len(out)-1].params
		if name := strings.ToLower(word); params[name] == "" {
			params[name] = value
		}
	}
	return out
}

// cutToken cuts the leading token (letters, digits and RFC 9110's marks, and
// the characters that unquoted URLs need).
func cutToken(s string) (token, rest string) {
	end := strings.IndexAny(s, " \t,=\"")
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// cutQuoted cuts a quoted string whose opening quote is gone.
func cutQuoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i++; i == len(s) {
				return b.String(), ""
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// trusts reports whether a credential for the registry may be sent to realm:
// the same host or one in a parent-child relation, and encrypted if the
// registry is.
func trusts(registry, realm *url.URL) bool {
	if registry.Scheme == "https" && realm.Scheme != "https" {
		return false
	}
	a, b := strings.ToLower(registry.Hostname()), strings.ToLower(realm.Hostname())
	return a == b ||
		strings.Contains(b, ".") && strings.HasSuffix(a, "."+b) ||
		strings.Contains(a, ".") && strings.HasSuffix(b, "."+a)
}
