package ghapp

import (
	"context"
	"net/http"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// authTransport attaches a token to requests to the API's own host, and to
// nothing else: wherever a redirect leads, it leads without the token.
type authTransport struct {
	origin origin
	owner  retention.Owner
	phase  Phase
	token  func(context.Context) (Token, error)
	renew  func(ctx context.Context, refused Token) bool // whether token has another now; nil: it never has
	next   http.RoundTripper
}

// prepare refuses what the phase or the owner does not allow, and makes sure
// that there is a token before the request takes its turn.
func (t *authTransport) prepare(req *http.Request) error {
	if t.phase != Acting && !safeMethod(req.Method) {
		return &PhaseError{Method: req.Method}
	}
	if !t.origin.holds(req.URL) {
		return nil
	}
	if err := t.origin.checkPath(req.URL, t.owner); err != nil {
		return err
	}
	_, err := t.token(req.Context())
	return err
}

// RoundTrip sends req, with the token when it goes to the API.
func (t *authTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Header.Del("Authorization")
	if !t.origin.holds(req.URL) {
		return t.next.RoundTrip(out)
	}
	token, err := t.token(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	out.Header.Set("Authorization", "Bearer "+token.Reveal())
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, NewRedactor(token).Error(err)
	}
	if resp.StatusCode == http.StatusUnauthorized && t.renew != nil && t.renew(req.Context(), token) {
		noteRenewed(req.Context())
	}
	return resp, nil
}
