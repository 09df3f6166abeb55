package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// defaultTokenLife holds when the registry names no expires_in, as
	// ghcr.io does: the distribution token specification's default.
	defaultTokenLife = 60 * time.Second
	// renewBefore is how long before its end a token is renewed, so that it
	// does not end on the way. Of a token that lives shorter, the last fifth.
	renewBefore = 10 * time.Second
	// maxTokenBody bounds the answer of the token endpoint, in bytes.
	maxTokenBody = 1 << 20
	// manyTokens is the number of kept tokens from which ended ones are dropped.
	manyTokens = 1024
)

// secret is a registry token; it does not print itself.
type secret string

// String hides the token.
func (secret) String() string { return "[redacted]" }

// GoString hides the token from %#v.
func (secret) GoString() string { return "[redacted]" }

// LogValue hides the token from structured logs.
func (secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// tokenSource exchanges GitHub credentials for registry tokens: the challenge
// once per registry, a token once per repository and life.
type tokenSource struct {
	client     *http.Client
	base       *url.URL
	credential Credential
	now        func() time.Time

	challengeMu sync.Mutex
	challenge   *challenge
	open        bool // the registry asks for no token

	mu    sync.Mutex
	repos map[string]*repoToken
}

// repoToken is the token of one repository. Its lock makes concurrent readers
// share one exchange.
type repoToken struct {
	mu    sync.Mutex
	value secret
	until time.Time // when to renew it
}

func newTokenSource(client *http.Client, base *url.URL, cred Credential, now func() time.Time) *tokenSource {
	return &tokenSource{client: client, base: base, credential: cred, now: now, repos: map[string]*repoToken{}}
}

// get returns a token that pulls from the repository, or "" if the registry
// asks for none. refused is a token that the registry has just rejected: it is
// not given out again.
func (t *tokenSource) get(ctx context.Context, owner, repo string, refused secret, calls *counters) (secret, error) {
	if err := t.discover(ctx, calls); err != nil || t.open {
		return "", err
	}
	rt := t.entry(repo)
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.value != "" && rt.value != refused && t.now().Before(rt.until) {
		return rt.value, nil
	}
	value, life, err := t.exchange(ctx, owner, repo, calls)
	if err != nil {
		return "", fmt.Errorf("registry token for %s: %w", repo, err)
	}
	rt.value = value
	rt.until = t.now().Add(life - min(renewBefore, life/5))
	return value, nil
}

func (t *tokenSource) entry(repo string) *repoToken {
	t.mu.Lock()
	defer t.mu.Unlock()
	if rt, ok := t.repos[repo]; ok {
		return rt
	}
	if len(t.repos) >= manyTokens {
		now := t.now()
		for name, rt := range t.repos {
			if rt.mu.TryLock() {
				if !now.Before(rt.until) {
					delete(t.repos, name)
				}
				rt.mu.Unlock()
			}
		}
	}
	rt := &repoToken{}
	t.repos[repo] = rt
	return rt
}

// discover asks the registry once where its tokens come from.
func (t *tokenSource) discover(ctx context.Context, calls *counters) error {
	t.challengeMu.Lock()
	defer t.challengeMu.Unlock()
	if t.challenge != nil || t.open {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base.String()+"/v2/", nil)
	if err != nil {
		return fmt.Errorf("ask %s for its token endpoint: %w", t.base.Host, err)
	}
	calls.challenge.Add(1)
	resp, err := t.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s for its token endpoint: %w", t.base.Host, err)
	}
	defer discard(resp)
	switch resp.StatusCode {
	case http.StatusOK:
		t.open = true
		return nil
	case http.StatusUnauthorized:
		c, err := parseChallenge(resp.Header)
		if err != nil {
			return fmt.Errorf("ask %s for its token endpoint: %w", t.base.Host, err)
		}
		t.challenge = &c
		return nil
	}
	return fmt.Errorf("ask %s for its token endpoint: it answered %s", t.base.Host, resp.Status)
}

// exchange fetches one token. The user name is not looked at by ghcr.io.
func (t *tokenSource) exchange(ctx context.Context, owner, repo string, calls *counters) (secret, time.Duration, error) {
	cred, err := t.credential(ctx, owner)
	if err != nil {
		return "", 0, fmt.Errorf("credential of %s: %w", owner, err)
	}
	if cred != "" && !trusts(t.base, t.challenge.realm) {
		return "", 0, fmt.Errorf("the registry %s sends credentials to %s, which is not its own host; check SHELFLIFE_REGISTRY_URL",
			t.base.Host, t.challenge.realm.Host)
	}
	u := *t.challenge.realm
	q := u.Query()
	if t.challenge.service != "" {
		q.Set("service", t.challenge.service)
	}
	q.Set("scope", "repository:"+repo+":pull")
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", 0, err
	}
	if cred != "" {
		req.SetBasicAuth("shelflife", cred)
	}
	calls.token.Add(1)
	resp, err := t.client.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer discard(resp)
	if resp.StatusCode != http.StatusOK {
		return "", 0, &statusError{code: resp.StatusCode, what: "token endpoint"}
	}
	return decodeToken(resp.Body)
}

func decodeToken(body io.Reader) (secret, time.Duration, error) {
	var answer struct {
		Token       secret `json:"token"`
		AccessToken secret `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
	}
	if err := json.NewDecoder(io.LimitReader(body, maxTokenBody)).Decode(&answer); err != nil {
		return "", 0, fmt.Errorf("decode the answer: %w", err)
	}
	if answer.Token == "" {
		answer.Token = answer.AccessToken
	}
	if answer.Token == "" {
		return "", 0, errors.New("the answer holds no token")
	}
	life := defaultTokenLife
	if answer.ExpiresIn > 0 {
		life = time.Duration(min(answer.ExpiresIn, int64(24*time.Hour/time.Second))) * time.Second
	}
	return answer.Token, life, nil
}
