package githubsim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxBodyBytes bounds what is read of any request's body.
const maxBodyBytes = 4 << 20

// request is one call on its way through the simulator.
type request struct {
	r        *http.Request
	segments []string // the unescaped path segments, without the GHES prefix
	path     string   // the escaped path, without the GHES prefix
	root     string   // scheme://host
	base     string   // root, with /api/v3 when the call came that way
	now      time.Time
	id       string // X-GitHub-Request-Id
	crowded  bool   // too many calls of this caller are in flight
	stale    bool   // the answer may show what is deleted
	who      *principal
	rate     http.Header // x-ratelimit-* headers, once known
	accepted string      // the scopes the operation wants
	call     *Call
}

// answer is a whole answer, held back until faults have had their say.
type answer struct {
	status int
	header http.Header
	body   []byte
	after  func(context.Context) // run after the lock is released, before the answer is sent
	bare   bool                  // send none of the rate limit headers
}

// begin logs the call and reads its path.
func (s *Server) begin(r *http.Request) *request {
	q := &request{r: r, path: r.URL.EscapedPath(), root: s.baseURL, now: s.now()}
	if q.root == "" {
		q.root = "http://" + r.Host
		if r.TLS != nil {
			q.root = "https://" + r.Host
		}
	}
	q.base = q.root
	if rest, ok := strings.CutPrefix(q.path, "/api/v3/"); ok {
		q.path, q.base = "/"+rest, q.root+"/api/v3"
	}
	for seg := range strings.SplitSeq(strings.TrimPrefix(q.path, "/"), "/") {
		plain, err := url.PathUnescape(seg)
		if err != nil {
			plain = seg
		}
		q.segments = append(q.segments, plain)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	q.id = fmt.Sprintf("51F0:%04X:%06X:%06X:%08X", s.requests&0xffff, s.requests, s.requests*7, uint32(q.now.Unix()))
	q.call = &Call{N: len(s.calls) + 1, At: q.now, Method: r.Method, Path: q.path, Query: r.URL.RawQuery, Kind: kindOf(q), RequestID: q.id}
	q.call.Mutating = isMutating(q)
	s.calls = append(s.calls, q.call)
	caller := r.Header.Get("Authorization")
	s.inflight[caller]++
	q.crowded = s.inflight[caller] > s.limits().Concurrent
	return q
}

func (s *Server) end(q *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	caller := q.r.Header.Get("Authorization")
	if s.inflight[caller]--; s.inflight[caller] <= 0 {
		delete(s.inflight, caller)
	}
}

// send writes the answer as the fault wants it.
func (s *Server) send(w http.ResponseWriter, q *request, f *Fault, a answer) {
	if f != nil && f.Kind == FaultReset {
		s.logStatus(q, 0)
		reset(w)
		return
	}
	s.finish(q, &a)
	s.logStatus(q, a.status)
	h := w.Header()
	for k, vs := range a.header {
		h[k] = vs
	}
	if len(a.body) > 0 || a.status == http.StatusOK {
		if h.Get("Content-Length") == "" {
			h.Set("Content-Length", strconv.Itoa(len(a.body)))
		}
	}
	switch {
	case f != nil && f.Kind == FaultTruncate:
		truncate(w, a)
	case f != nil && f.Kind == FaultSlow:
		dribble(w, q, a, f.delay())
	default:
		w.WriteHeader(a.status)
		writeBody(w, a.body)
	}
}

// finish adds the headers that every answer of the API carries, and turns a
// matching ETag into 304.
func (s *Server) finish(q *request, a *answer) {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set("Date", q.now.Format(http.TimeFormat))
	a.header.Set("X-Github-Request-Id", q.id)
	if q.call.Kind == KindRegistry || q.call.Kind == KindToken {
		return
	}
	a.header.Set("X-Github-Media-Type", "github.v3; format=json")
	if q.who != nil && q.who.scopes != nil {
		a.header.Set("X-Oauth-Scopes", strings.Join(q.who.scopes, ", "))
		if !q.who.expires.IsZero() {
			a.header.Set("github-authentication-token-expiration", q.who.expires.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		a.header.Set("X-Accepted-Oauth-Scopes", q.accepted)
	}
	if !a.bare {
		for k, vs := range q.rate {
			a.header[k] = vs
		}
	}
	if q.r.Method != http.MethodGet || a.status != http.StatusOK {
		return
	}
	// An ETag belongs to the token it was given to.
	sum := sha256.Sum256(append([]byte(q.r.Header.Get("Authorization")+"\n"), a.body...))
	etag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	a.header.Set("Etag", etag)
	if q.r.Header.Get("If-None-Match") == etag {
		a.status, a.body = http.StatusNotModified, nil
		s.refund(q)
	}
}

func (s *Server) logStatus(q *request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.call.Status = status
	if q.who != nil {
		q.call.Caller = q.who.String()
	}
}

// writeBody ignores the error: the client has gone, and there is nobody to tell.
func writeBody(w io.Writer, body []byte) { _, _ = w.Write(body) }

func jsonAnswer(status int, v any) answer {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return answer{status: http.StatusInternalServerError, body: []byte(err.Error())}
	}
	return answer{
		status: status, body: bytes.TrimSuffix(buf.Bytes(), []byte("\n")),
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
	}
}

// fail is an error answer of the REST API. GitHub's status field is a string.
func fail(status int, message, docs string) answer {
	return jsonAnswer(status, map[string]string{
		"message": message, "documentation_url": docs, "status": strconv.Itoa(status),
	})
}

func noContent() answer { return answer{status: http.StatusNoContent} }

// readBody reads a request's body, at most maxBodyBytes of it.
func (q *request) readBody() ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(q.r.Body, maxBodyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if len(raw) > maxBodyBytes {
		return nil, fmt.Errorf("body is larger than %d bytes", maxBodyBytes)
	}
	return raw, nil
}
