package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// accept names the four manifest types. ghcr.io answers 404 for a manifest
// whose type is not named, which would look like a missing one.
var accept = strings.Join([]string{
	string(types.OCIImageIndex),
	string(types.OCIManifestSchema1),
	string(types.DockerManifestList),
	string(types.DockerManifestSchema2),
}, ", ")

// repositoryName is the distribution specification's grammar of names.
var repositoryName = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)

// Calls counts the requests of one reading.
type Calls struct {
	Challenge int // to learn where tokens come from; at most one per Reader
	Token     int // exchanges of the credential for a registry token
	Manifest  int // GET of a manifest
	Head      int // HEAD of a manifest, which ghcr.io does not count as a download
}

// Total is the number of requests made.
func (c Calls) Total() int { return c.Challenge + c.Token + c.Manifest + c.Head }

type counters struct{ challenge, token, manifest, head atomic.Int64 }

func (c *counters) add(n Calls) {
	c.challenge.Add(int64(n.Challenge))
	c.token.Add(int64(n.Token))
	c.manifest.Add(int64(n.Manifest))
	c.head.Add(int64(n.Head))
}

func (c *counters) calls() Calls {
	return Calls{
		Challenge: int(c.challenge.Load()),
		Token:     int(c.token.Load()),
		Manifest:  int(c.manifest.Load()),
		Head:      int(c.head.Load()),
	}
}

// errNotFound means that the registry, asked with every Accept type, has no
// such manifest, or does not show it to this credential.
var errNotFound = errors.New("the registry has no such manifest")

// statusError is an answer that says nothing about the manifest.
type statusError struct {
	code int
	what string
}

func (e *statusError) Error() string {
	next := "run it again later"
	switch e.code {
	case http.StatusUnauthorized, http.StatusForbidden:
		next = "the credential needs read:packages and access to this package; shelflife doctor tells what it can do"
	case http.StatusTooManyRequests:
		next = "the registry's rate limit is reached; run it again later"
	}
	return fmt.Sprintf("the %s answered %d %s; %s", e.what, e.code, http.StatusText(e.code), next)
}

// endsReading reports whether every further manifest would be refused as well.
func (e *statusError) endsReading() bool {
	return e.code == http.StatusUnauthorized || e.code == http.StatusForbidden || e.code == http.StatusTooManyRequests
}

// contentError is an answer whose content is of no use: this manifest's
// failure, and no sign of the registry being down.
type contentError struct{ reason string }

func (e *contentError) Error() string { return e.reason }

// repository is the registry's view of one package.
type repository struct {
	r     *Reader
	owner string
	name  string // owner/name in lower case, as ghcr.io wants it
	calls *counters
}

// send asks for a manifest by digest or tag, renewing a token that the
// registry has stopped accepting once.
func (p repository) send(ctx context.Context, method, ref string) (*http.Response, error) {
	var refused secret
	for attempt := 0; ; attempt++ {
		token, err := p.r.tokens.get(ctx, p.owner, p.name, refused, p.calls)
		if err != nil {
			return nil, &authError{err}
		}
		req, err := http.NewRequestWithContext(ctx, method, p.r.base.String()+"/v2/"+p.name+"/manifests/"+ref, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept", accept)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+string(token))
		}
		if method == http.MethodHead {
			p.calls.head.Add(1)
		} else {
			p.calls.manifest.Add(1)
		}
		resp, err := p.r.client.Do(req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusUnauthorized || token == "" || attempt > 0 {
			return resp, nil
		}
		discard(resp)
		refused = token
	}
}

// authError is a failure to get a token: nothing of the repository can be read.
type authError struct{ err error }

func (e *authError) Error() string { return e.err.Error() }
func (e *authError) Unwrap() error { return e.err }

// manifest fetches a manifest by digest and checks that it is the one.
func (p repository) manifest(ctx context.Context, digest string) (body []byte, contentType string, err error) {
	resp, err := p.send(ctx, http.MethodGet, digest)
	if err != nil {
		return nil, "", err
	}
	defer discard(resp)
	if resp.StatusCode == http.StatusNotFound {
		return nil, "", notFound(resp.Body)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, "", &statusError{code: resp.StatusCode, what: "registry"}
	}
	limit := p.r.limits.ManifestBytes
	if resp.ContentLength > limit {
		return nil, "", &contentError{fmt.Sprintf("it has %d bytes, the limit is %d", resp.ContentLength, limit)}
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, "", fmt.Errorf("read its content: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, "", &contentError{fmt.Sprintf("it has more than %d bytes, the limit", limit)}
	}
	if err := checkDigest(body, digest); err != nil {
		return nil, "", err
	}
	return body, resp.Header.Get("Content-Type"), nil
}

// exists asks whether the registry serves a manifest, by digest or tag. Only
// 200 is yes and only 404 is no; everything else is an error.
func (p repository) exists(ctx context.Context, ref string) (bool, error) {
	resp, err := p.send(ctx, http.MethodHead, ref)
	if err != nil {
		return false, err
	}
	defer discard(resp)
	switch resp.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, &statusError{code: resp.StatusCode, what: "registry"}
}

// notFound tells a missing manifest from one that the registry has but does
// not want to send ("OCI index found, but Accept header does not support OCI
// indexes").
func notFound(body io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(body, 4096))
	if err != nil {
		return fmt.Errorf("read the registry's 404: %w", err)
	}
	if strings.Contains(strings.ToLower(string(text)), "accept header") {
		return &contentError{"the registry has it as a type that was not asked for"}
	}
	return errNotFound
}

func checkDigest(body []byte, digest string) error {
	want, err := v1.NewHash(digest)
	if err != nil {
		return err
	}
	h, err := v1.Hasher(want.Algorithm)
	if err != nil {
		return err
	}
	h.Write(body)
	if got := fmt.Sprintf("%s:%x", want.Algorithm, h.Sum(nil)); got != digest {
		return &contentError{fmt.Sprintf("its content has the digest %s: it was changed on the way", got)}
	}
	return nil
}

// discard drains a little of the body, so that the connection can be reused,
// and closes it. Whatever mattered of it has been read.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}
