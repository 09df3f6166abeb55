package ghapp

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// verdict is what a response means for the requests that follow.
type verdict int

const (
	verdictDone      verdict = iota // an answer, good or bad
	verdictPrimary                  // the hourly quota is used up
	verdictSecondary                // too much at once, or a limit of another kind
	verdictTransient                // the server failed: may be repeated if safe
)

// longestWait caps what a header can ask for, so that a nonsense number cannot
// overflow a duration.
const longestWait = 24 * time.Hour

// classify tells a rate limit from a missing permission, which GitHub both
// answers with 403, and knows that limits also come as 429. body is the start
// of the response's body.
func classify(status int, h http.Header, body []byte) verdict {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return verdictTransient
	case http.StatusForbidden, http.StatusTooManyRequests:
	default:
		return verdictDone
	}
	text := strings.ToLower(string(body))
	if strings.Contains(text, "secondary rate limit") || strings.Contains(text, "abuse detection") {
		return verdictSecondary
	}
	if h.Get("X-Ratelimit-Remaining") == "0" || strings.Contains(text, "api rate limit exceeded") {
		return verdictPrimary
	}
	_, retryAfter := readRetryAfter(h, time.Time{})
	if status == http.StatusTooManyRequests || retryAfter || strings.Contains(text, "rate limit") {
		return verdictSecondary
	}
	return verdictDone
}

// readRetryAfter reads Retry-After, in seconds or as a date. ok is false when
// it is not there or not readable.
func readRetryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds < 0 || math.IsNaN(seconds) {
			return 0, false
		}
		return time.Duration(min(seconds, longestWait.Seconds()) * float64(time.Second)), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), longestWait), true
	}
	return 0, false
}

// peekLimit is how much of a refusal's body is looked at.
const peekLimit = 4 << 10

// peek reads the start of the response's body and puts it back. An error of
// reading comes back to whoever reads the body.
func peek(resp *http.Response) []byte {
	head, err := io.ReadAll(io.LimitReader(resp.Body, peekLimit))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failingReader{err}
	}
	resp.Body = &restoredBody{Reader: io.MultiReader(bytes.NewReader(head), rest), Closer: resp.Body}
	return head
}

type restoredBody struct {
	io.Reader
	io.Closer
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
