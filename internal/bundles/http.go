package bundles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	httpTimeout  = 30 * time.Second // for the whole of it, redirects and body included
	maxRedirects = 5
)

// HTTP gets bundles from an https address. It sends no credentials but those in
// the address itself, and none of them leave it in an error.
type HTTP struct {
	client   *http.Client
	address  *url.URL
	maxBytes int64
}

// NewHTTP checks the address and makes no call. transport nil means one of its own.
func NewHTTP(address string, maxBytes int64, transport http.RoundTripper) (*HTTP, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" {
		return nil, fmt.Errorf("a bundle's address begins with https:// and names a server; write such as https://example.com/policies/bundle.tar.gz")
	}
	if u.User != nil {
		return nil, errors.New("the bundle's address holds a user or password; take it out, since addresses are shown in output")
	}
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DisableCompression = true // the archive is what is signed, not what is in it
		transport = t
	}
	return &HTTP{
		client:  &http.Client{Transport: transport, Timeout: httpTimeout, CheckRedirect: checkRedirect},
		address: u, maxBytes: maxBytes,
	}, nil
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= maxRedirects:
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	case req.URL.Scheme != "https":
		return fmt.Errorf("it redirects to %s://, where anybody on the way could answer", req.URL.Scheme)
	}
	return nil
}

// Name is the address without its query, where signed addresses carry secrets.
func (h *HTTP) Name() string {
	u := *h.address
	u.RawQuery, u.Fragment = "", ""
	return u.String()
}

// Key is what the bundle is kept under: the address, with a digest in the place of
// its query. The query may say which bundle is meant, so that one must not stand in
// for another; what signs an address is left out, because it changes with each
// signature.
func (h *HTTP) Key() string {
	query := h.address.RawQuery
	if values, err := url.ParseQuery(query); err == nil {
		for name := range values {
			if l := strings.ToLower(name); strings.HasPrefix(l, "x-amz-") || strings.HasPrefix(l, "x-goog-") {
				delete(values, name)
			}
		}
		query = values.Encode()
	}
	if query == "" {
		return h.Name()
	}
	sum := sha256.Sum256([]byte(h.Name() + "?" + query))
	return h.Name() + "#" + hex.EncodeToString(sum[:8])
}

// Get fetches the bundle, unless it is the one that etag stands for.
func (h *HTTP) Get(ctx context.Context, etag string) (Fetched, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.address.String(), nil)
	if err != nil {
		return Fetched{}, errors.New("the address can't be asked")
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the rest repeats the address, query and all
		}
		return Fetched{}, fmt.Errorf("it can't be reached: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotModified && etag != "":
		return Fetched{NotModified: true, ETag: etag}, nil
	case resp.StatusCode != http.StatusOK:
		return Fetched{}, fmt.Errorf("it answers %s; check the address and who may read it", resp.Status)
	case resp.ContentLength > h.maxBytes:
		return Fetched{}, tooLarge(h.maxBytes)
	}
	body, err := ReadAtMost(resp.Body, h.maxBytes)
	if err != nil {
		return Fetched{}, err
	}
	return Fetched{Body: body, ETag: resp.Header.Get("ETag")}, nil
}

// ReadAtMost reads all of r, or fails when that is more than limit bytes.
func ReadAtMost(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("it breaks off after %d bytes: %w", len(body), err)
	}
	if int64(len(body)) > limit {
		return nil, tooLarge(limit)
	}
	return body, nil
}

func tooLarge(limit int64) error {
	return fmt.Errorf("it is larger than %d MiB, which no policy bundle is", limit>>20)
}
