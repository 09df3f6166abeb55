package ghapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"
)

// minter keeps one phase's installation token fresh.
type minter struct {
	app   *AppSource
	phase Phase
	turn  chan struct{} // one at a time; a channel, so that waiting ends with the context
	inst  *ghinstallation.Transport

	current  Token // as last given out
	mintedAt time.Time
}

// remintAfter is how long a token must have been in use before its refusal asks
// for another: a new one would be refused just the same, for every request anew.
const remintAfter = time.Minute

func newMinter(a *AppSource, phase Phase) *minter {
	return &minter{app: a, phase: phase, turn: make(chan struct{}, 1)}
}

// permission is what a phase needs. organization_packages is not asked for:
// Apps on github.com cannot have it, and asking is answered with 422.
func (m *minter) permission() string {
	if m.phase == Acting {
		return "write"
	}
	return "read"
}

// token returns a token that lasts for another minute at least, minting one
// when needed.
func (m *minter) token(ctx context.Context) (Token, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return Token{}, &unsentError{context.Cause(ctx)}
	}
	if m.inst == nil {
		id, err := m.app.confirmed(ctx)
		if err != nil {
			return Token{}, err
		}
		inst := ghinstallation.NewFromAppsTransport(m.app.newAppsTransport(&mintTransport{minter: m, next: m.app.direct}), id)
		inst.InstallationTokenOptions = &github.InstallationTokenOptions{
			Permissions: &github.InstallationPermissions{Packages: github.String(m.permission())},
		}
		m.inst = inst
	}
	value, err := m.inst.Token(repeatable(ctx))
	if err != nil {
		return Token{}, m.failed(ctx, err)
	}
	if token := NewToken(value); token.Reveal() != m.current.Reveal() {
		m.current, m.mintedAt = token, m.app.now()
	}
	return m.current, nil
}

// renew forgets a token that GitHub refused before its time, as it does once
// the token was revoked or the installation's permissions changed. It reports
// whether token gives another one now, minted already or to be minted.
func (m *minter) renew(ctx context.Context, refused Token) bool {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return false
	}
	if m.current.Reveal() != refused.Reveal() {
		return true
	}
	if m.app.now().Sub(m.mintedAt) < remintAfter {
		return false
	}
	m.inst, m.current = nil, Token{}
	return true
}

// failed turns what ghinstallation reports into our own error.
func (m *minter) failed(ctx context.Context, err error) error {
	var foreign *ghinstallation.HTTPError
	if errors.As(err, &foreign) && foreign.Response != nil {
		// It leaves the body open for its caller; mintTransport has read what is worth it.
		_ = foreign.Response.Body.Close()
	}
	return m.app.failed(ctx, "mint a "+m.phase.String()+" token", err)
}

// mintTransport reads the answer to a mint before ghinstallation does, which
// takes any 2xx for a token: without one it would panic or send an empty token.
type mintTransport struct {
	minter *minter
	next   http.RoundTripper
}

const mintAnswerLimit = 1 << 20

// RoundTrip sends the request for a token and checks the answer.
func (t *mintTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mintAnswerLimit))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, &statusError{status: resp.StatusCode, message: githubMessage(body), skew: skewOf(resp.Header, t.minter.app.now())}
	}
	if err := t.check(body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// check refuses an answer without a token, and one that allows more than the
// phase asked for.
func (t *mintTransport) check(body []byte) error {
	var answer struct {
		Token       string            `json:"token"`
		ExpiresAt   time.Time         `json:"expires_at"`
		Permissions map[string]string `json:"permissions"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return errors.New("the answer is not JSON")
	}
	if answer.Token == "" || answer.ExpiresAt.IsZero() {
		return errors.New("the answer holds no token or no expiry")
	}
	if t.minter.phase == Planning && answer.Permissions["packages"] == "write" {
		return errors.New("asked for packages: read and was given write")
	}
	return nil
}

// statusError is an answer other than 2xx to a request of the App.
type statusError struct {
	status  int
	message string
	skew    time.Duration
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.message) }

// githubMessage is the message of GitHub's error body, redacted.
func githubMessage(body []byte) string {
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return Redact(answer.Message)
}

// skewOf is how far the server's clock is ahead of ours, to the second; 0 when
// the answer has no date.
func skewOf(h http.Header, now time.Time) time.Duration {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return at.Sub(now).Round(time.Second)
}
