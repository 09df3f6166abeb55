package githubsim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const secondaryDocs = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"

// window is what one caller has spent.
type window struct {
	start  time.Time // of the hour
	used   int
	points []spent // of the last minute
}

type spent struct {
	at     time.Time
	points int
}

// limits are the seed's rate limits with GitHub's figures where it names none.
func (s *Server) limits() RateLimits {
	var l RateLimits
	if s.seed.RateLimits != nil {
		l = *s.seed.RateLimits
	}
	for field, preset := range map[*int]int{&l.Limit: 5000, &l.SecondaryPointsPerMinute: 900, &l.Concurrent: 100, &l.Status: http.StatusForbidden} {
		if *field == 0 {
			*field = preset
		}
	}
	return l
}

// charge counts the call against its caller's limits; ok is false when one of
// them is reached and enforced. GET costs one point, everything else five.
func (s *Server) charge(q *request) (answer, bool) {
	l := s.limits()
	w := s.window(q)
	refused := l.Enforce && w.used >= l.Limit
	if !refused {
		w.used++
	}
	q.rate = rateHeaders(l, w)
	if refused {
		return primaryLimit(q, l.Status, l.Headers == nil || *l.Headers), false
	}
	points := 5
	if q.r.Method == http.MethodGet || q.r.Method == http.MethodHead {
		points = 1
	}
	retry := w.spend(q.now, points, l.SecondaryPointsPerMinute)
	if l.Enforce && (retry > 0 || q.crowded) {
		return secondaryLimit(q, l.Status, l.Headers == nil || *l.Headers, max(retry, time.Second)), false
	}
	return answer{}, true
}

func (s *Server) window(q *request) *window {
	caller := q.who.subject()
	w := s.windows[caller]
	if w == nil {
		w = &window{start: q.now}
		s.windows[caller] = w
	}
	if q.now.Sub(w.start) >= time.Hour {
		w.start, w.used = q.now, 0
	}
	return w
}

// spend adds the points and returns how long to wait when they are too many.
func (w *window) spend(now time.Time, points, limit int) time.Duration {
	total, old := points, 0
	for i, p := range w.points {
		if now.Sub(p.at) >= time.Minute {
			old = i + 1
			continue
		}
		total += p.points
	}
	w.points = w.points[old:]
	if total > limit {
		return time.Minute
	}
	w.points = append(w.points, spent{at: now, points: points})
	return 0
}

func rateHeaders(l RateLimits, w *window) http.Header {
	remaining := max(l.Limit-w.used, 0)
	if !l.Enforce {
		remaining = max(remaining, 1)
	}
	return rateHeader(l.Limit, remaining, w.start.Add(time.Hour))
}

func rateHeader(limit, remaining int, reset time.Time) http.Header {
	return http.Header{
		"X-Ratelimit-Limit":     {strconv.Itoa(limit)},
		"X-Ratelimit-Remaining": {strconv.Itoa(remaining)},
		"X-Ratelimit-Used":      {strconv.Itoa(limit - remaining)},
		"X-Ratelimit-Reset":     {strconv.FormatInt(reset.Unix(), 10)},
		"X-Ratelimit-Resource":  {"core"},
	}
}

// refund gives back what a 304 cost: GitHub does not count it.
func (s *Server) refund(q *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.who == nil {
		return
	}
	if w := s.windows[q.who.subject()]; w != nil && w.used > 0 {
		w.used--
	}
}

func primaryLimit(q *request, status int, headers bool) answer {
	who := "user ID 1"
	if q.who != nil {
		who = q.who.subject()
	}
	a := fail(status, fmt.Sprintf("API rate limit exceeded for %s. If you reach out to GitHub Support for help, please include the request ID %s and timestamp %s.",
		who, q.id, q.now.Format("2006-01-02 15:04:05 MST")), docsRoot+"/overview/rate-limits-for-the-rest-api")
	a.bare = !headers
	return a
}

// secondaryLimit answers in the words reported from GitHub. The body has no
// status field.
func secondaryLimit(q *request, status int, headers bool, retry time.Duration) answer {
	a := jsonAnswer(status, map[string]string{
		"documentation_url": secondaryDocs,
		"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. " +
			"If you reach out to GitHub Support for help, please include the request ID " + q.id + ".",
	})
	a.bare = !headers
	if headers {
		a.header.Set("Retry-After", strconv.Itoa(int((retry+time.Second-1)/time.Second)))
	}
	return a
}

// rateLimit answers GET /rate_limit, which costs nothing.
func (s *Server) rateLimit(q *request) answer {
	l, w := s.limits(), s.window(q)
	core := map[string]any{
		"limit": l.Limit, "used": w.used, "remaining": max(l.Limit-w.used, 0), "reset": w.start.Add(time.Hour).Unix(), "resource": "core",
	}
	q.rate = rateHeaders(l, w)
	return jsonAnswer(http.StatusOK, map[string]any{"resources": map[string]any{"core": core}, "rate": core})
}
