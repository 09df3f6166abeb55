package bounded

import (
	"bytes"
	"io"
	"net/http"
)

// What is read of one answer at most. 100 packages or versions are far below the
// first; the second keeps an error page of a proxy from filling the memory.
const (
	MaxBody      = 32 << 20
	maxErrorBody = 64 << 10
)

// Transport limits how much of an answer can be read. It has to be done in the
// transport: go-github reads bodies to their end by itself.
type Transport struct {
	Next http.RoundTripper // nil means http.DefaultTransport
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.Next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{NewReader(resp.Body, MaxBody), resp.Body}
		return resp, nil
	}
	// The status says what happened; the body only says it in words, so what
	// can be read of it is enough, and a failure to read the rest changes nothing.
	words, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(words))
	return resp, nil
}
