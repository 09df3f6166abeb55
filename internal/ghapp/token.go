package ghapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// TokenOptions say which token acts for which owner.
type TokenOptions struct {
	Owner      retention.Owner // an empty login of kind User is the token's own user
	Token      Token
	From       string // where the token comes from, for error messages
	Connection Connection
}

// TokenSource is a personal access token used for one owner. It cannot be
// narrowed, so the phases differ only in what leaves: nothing but reads while
// planning.
type TokenSource struct {
	opts   TokenOptions
	origin origin
}

var _ Source = (*TokenSource)(nil)

// NewTokenSource checks the options and does not call GitHub.
func NewTokenSource(opts TokenOptions) (*TokenSource, error) {
	if opts.From == "" {
		opts.From = "the token"
	}
	if opts.Owner.Login == "" && !opts.Owner.IsSelf() {
		return nil, errors.New("token credential: no owner")
	}
	if opts.Token.IsZero() {
		return nil, fmt.Errorf("token credential for %s: %s is empty; set a classic personal access token with read:packages", ownerName(opts.Owner.Login), opts.From)
	}
	if strings.ContainsFunc(opts.Token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("token credential for %s: %s holds white space or control characters; set the token alone", ownerName(opts.Owner.Login), opts.From)
	}
	o, err := opts.Connection.checked()
	if err != nil {
		return nil, err
	}
	return &TokenSource{opts: opts, origin: o}, nil
}

// HTTP returns the governed transport with the token.
func (s *TokenSource) HTTP(phase Phase, owner retention.Owner) (http.RoundTripper, error) {
	if err := checkOwner(s.opts.Owner, owner); err != nil {
		return nil, err
	}
	if phase != Planning && phase != Acting {
		return nil, fmt.Errorf("credential for %s: phase %s", ownerName(owner.Login), phase)
	}
	return s.opts.Connection.Governor.Wrap(&authTransport{
		origin: s.origin, owner: s.opts.Owner, phase: phase,
		token: func(context.Context) (Token, error) { return s.opts.Token, nil },
		next:  s.opts.Connection.bottom(),
	}), nil
}

// RegistryAuth returns the token. The registry ignores the user name.
func (s *TokenSource) RegistryAuth(_ context.Context, owner retention.Owner) (string, Secret, error) {
	if err := checkOwner(s.opts.Owner, owner); err != nil {
		return "", Secret{}, err
	}
	return "x-access-token", s.opts.Token.Secret, nil
}

// TokenInfo is what GitHub says of a token.
type TokenInfo struct {
	Login     string
	Scopes    []string  // of a classic token
	Classic   bool      // false: GitHub named no scopes, as for fine-grained tokens, which Packages refuses
	ExpiresAt time.Time // zero when it does not expire
	ClockSkew time.Duration
}

// Scopes asks GitHub for the token's user (GET /user), whose header names the
// token's scopes. Its errors are *AuthError, *PausedError or the context's.
func (s *TokenSource) Scopes(ctx context.Context) (TokenInfo, error) {
	transport, err := s.HTTP(Planning, s.opts.Owner)
	if err != nil {
		return TokenInfo{}, err
	}
	user, resp, err := newGitHubClient(transport, s.origin).Users.Get(ctx, "")
	if err != nil {
		return TokenInfo{}, s.failed(ctx, err)
	}
	info := TokenInfo{
		Login:     user.GetLogin(),
		ExpiresAt: resp.TokenExpiration.Time,
		ClockSkew: skewOf(resp.Header, s.opts.Connection.Governor.clock.Now()),
	}
	_, info.Classic = resp.Header["X-Oauth-Scopes"]
	for scope := range strings.SplitSeq(resp.Header.Get("X-Oauth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			info.Scopes = append(info.Scopes, scope)
		}
	}
	return info, nil
}

func (s *TokenSource) failed(ctx context.Context, err error) error {
	var paused *PausedError
	if errors.As(err, &paused) {
		return paused
	}
	if ctx.Err() != nil {
		return &unsentError{context.Cause(ctx)}
	}
	out := &AuthError{Op: "read the token's user", Owner: s.opts.Owner.Login, Next: "check the network and the API address " + s.origin.String()}
	var answer *github.ErrorResponse
	if !errors.As(err, &answer) || answer.Response == nil {
		out.Err = NewRedactor(s.opts.Token).Error(rootCause(err))
		return out
	}
	out.Status, out.Message = answer.Response.StatusCode, Redact(answer.Message)
	switch out.Status {
	case http.StatusUnauthorized:
		out.Next = "the token is wrong, expired or revoked: set a new one in " + s.opts.From
	case http.StatusForbidden:
		out.Next = "the token may lack single sign-on authorization for the organization: authorize it in the token's settings"
	default:
		out.Next = "try again later; see https://www.githubstatus.com"
	}
	return out
}
