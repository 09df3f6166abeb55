package githubsim

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const docsRoot = "https://docs.github.com/rest"

// principal is who a credential stands for.
type principal struct {
	login       string
	scopes      []string // classic tokens; nil for installations
	admin       bool
	globs       []string      // private packages that it sees; nil: all
	owners      []*owner      // those it reaches; nil: all
	expires     time.Time     // zero: never
	inst        *installation // set for installation tokens
	permissions map[string]string
}

// String names the caller in the call log.
func (p *principal) String() string {
	if p.inst != nil {
		return fmt.Sprintf("installation %d packages:%s", p.inst.spec.ID, p.permissions["packages"])
	}
	return p.login
}

// subject names the caller in a rate limit message.
func (p *principal) subject() string {
	if p.inst != nil {
		return fmt.Sprintf("installation ID %d", p.inst.spec.ID)
	}
	return fmt.Sprintf("user ID %d", stableID(strings.ToLower(p.login)))
}

func (p *principal) reaches(o *owner) bool {
	return p.owners == nil || slices.Contains(p.owners, o)
}

func (p *principal) hasScope(scope string) bool {
	if slices.Contains(p.scopes, scope) {
		return true
	}
	// write:packages includes read:packages; delete:packages does not.
	return scope == "read:packages" && slices.Contains(p.scopes, "write:packages")
}

// sees reports whether the caller may know that the package is there.
func (p *principal) sees(k *pkg) bool {
	if k.visibility == "public" {
		return true
	}
	if !p.reaches(k.owner) {
		return false
	}
	return p.globs == nil || slices.ContainsFunc(p.globs, func(glob string) bool {
		ok, err := path.Match(glob, k.name)
		return err == nil && ok
	})
}

// anyToken reports whether the seed names no token, and the login that then
// stands behind every token: the first user among the owners.
func anyToken(seed Seed) (bool, string) {
	login := "octocat"
	for _, o := range slices.Backward(seed.Owners) {
		if len(o.Tokens) > 0 {
			return false, ""
		}
		if o.Kind == retention.User {
			login = o.Login
		}
	}
	return len(seed.Tokens) == 0, login
}

// credential reads a token from a request: bearer, token or basic.
func credential(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token") {
		return strings.TrimSpace(token)
	}
	return ""
}

// identify finds who a token stands for; nil when it is wrong or expired.
func (s *Server) identify(token string, now time.Time) *principal {
	if p := s.minted[token]; p != nil {
		if !now.Before(p.expires) {
			return nil
		}
		return p
	}
	if strings.HasPrefix(token, "ghs_") || strings.HasPrefix(token, "eyJ") {
		return nil // an installation token that was never minted here, or a JWT
	}
	if s.anyToken {
		return &principal{login: s.anyLogin, admin: true, scopes: []string{"read:packages", "write:packages", "delete:packages"}}
	}
	return s.configured(token, now)
}

// configured finds a token of the seed. A token named by several owners reaches
// them all, with the rights it was first given.
func (s *Server) configured(token string, now time.Time) *principal {
	for _, t := range s.seed.Tokens {
		if t.Token == token {
			return t.principal(s.startedAt, now)
		}
	}
	var found *principal
	for _, o := range s.seed.Owners {
		for _, t := range o.Tokens {
			if t.Token != token {
				continue
			}
			if found == nil {
				if found = t.principal(s.startedAt, now); found == nil {
					return nil
				}
			}
			found.owners = append(found.owners, s.owner(o.Login))
		}
	}
	return found
}

func (t Token) principal(start, now time.Time) *principal {
	if expires := t.ExpiresAt.resolve(start, time.Time{}); !expires.IsZero() && !now.Before(expires) {
		return nil
	}
	scopes := t.Scopes
	if scopes == nil {
		scopes = []string{}
	}
	return &principal{
		login: t.Login, scopes: scopes, admin: t.PackagesAdmin, globs: t.Packages,
		expires: t.ExpiresAt.resolve(start, time.Time{}),
	}
}

// authenticate sets q.who, or says why not.
func (s *Server) authenticate(q *request) (answer, bool) {
	token := credential(q.r)
	if token == "" {
		return fail(http.StatusUnauthorized, "Requires authentication", docsRoot), false
	}
	q.who = s.identify(token, q.now)
	if q.who == nil {
		return fail(http.StatusUnauthorized, "Bad credentials", docsRoot), false
	}
	if q.who.inst != nil && q.who.inst.spec.Suspended {
		return fail(http.StatusForbidden, "This installation has been suspended", docsRoot), false
	}
	return answer{}, true
}
