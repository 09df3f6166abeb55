package packages

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
)

const (
	// limitWait is how long GitHub asks to wait when it doesn't say: at least a minute.
	limitWait = time.Minute
	// maxLimitWait bounds a Retry-After that makes no sense; real ones are below an hour.
	maxLimitWait = 24 * time.Hour
)

// limited recognises a rate limit and fills e with when it ends. GitHub answers
// either limit with 403 or 429, with Retry-After, with x-ratelimit-reset, or
// with neither; go-github v62 knows only the 403s.
func (c *Client) limited(e *Error, h http.Header, cause error) bool {
	if e.Status != http.StatusForbidden && e.Status != http.StatusTooManyRequests {
		return false
	}
	var (
		said      = strings.ToLower(e.Message)
		doc       = strings.ToLower(e.DocumentationURL)
		secondary = strings.Contains(said, "secondary rate limit") || strings.Contains(said, "abuse detection") ||
			strings.Contains(doc, "secondary-rate-limit") || strings.Contains(doc, "abuse-rate-limit")
		spent   = h.Get("X-RateLimit-Remaining") == "0"
		primary = spent || strings.Contains(said, "rate limit exceeded")
	)
	switch {
	case secondary:
		e.Limit = SecondaryLimit
	case primary:
		e.Limit = PrimaryLimit
	case e.Status == http.StatusTooManyRequests || h.Get("Retry-After") != "":
		e.Limit = SecondaryLimit
	default:
		return c.limitedByTransport(e, cause)
	}
	e.Outcome = RateLimited
	c.setUntil(e, h)
	return true
}

// setUntil follows GitHub's advice: Retry-After first; then x-ratelimit-reset,
// which every answer bears and which only matters when the quota is spent; then
// a minute.
func (c *Client) setUntil(e *Error, h http.Header) {
	now := c.now()
	if wait, ok := retryAfter(h.Get("Retry-After"), now); ok {
		e.RetryAfter, e.Until = wait, now.Add(wait)
		return
	}
	if left := h.Get("X-RateLimit-Remaining"); left == "" || left == "0" {
		if n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			if at := time.Unix(n, 0).UTC(); at.After(now) && at.Before(now.Add(maxLimitWait)) {
				e.RetryAfter, e.Until = at.Sub(now), at
				return
			}
		}
	}
	e.RetryAfter, e.Until = limitWait, now.Add(limitWait)
}

// retryAfter reads the header: seconds, or a date.
func retryAfter(v string, now time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		if n < 0 {
			return 0, false
		}
		return time.Duration(min(n, int64(maxLimitWait/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxLimitWait), true
}

// retryAt is what a transport's error implements to say that it did not send the
// request because of a limit that it knows to last until then.
type retryAt interface {
	error
	RetryAt() time.Time
}

// limitedByTransport recognises limits that were reported without an answer from
// GitHub: by the transport, or by go-github, which blocks calls by itself after
// having seen a limit. go-github's errors are not kept: they print the address,
// which may hold a package token, and panic without a response.
func (c *Client) limitedByTransport(e *Error, err error) bool {
	now := c.now()
	if ra, ok := errors.AsType[retryAt](err); ok {
		e.Until = ra.RetryAt()
	} else if rl, ok := errors.AsType[*github.RateLimitError](err); ok {
		e.Limit, e.Until, e.Message, e.Err = PrimaryLimit, rl.Rate.Reset.Time, clean(rl.Message), nil
	} else if ab, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		e.Limit, e.Message, e.Err = SecondaryLimit, clean(ab.Message), nil
		if ab.RetryAfter != nil {
			e.Until = now.Add(*ab.RetryAfter)
		}
	} else {
		return false
	}
	if !e.Until.After(now) {
		e.Until = now.Add(limitWait)
	}
	e.Outcome, e.RetryAfter = RateLimited, e.Until.Sub(now)
	return true
}
