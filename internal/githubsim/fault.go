package githubsim

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultKind says how a call goes wrong.
type FaultKind string

// The kinds of fault.
const (
	FaultStatus    FaultKind = "status"          // answers with Status
	FaultReset     FaultKind = "reset"           // cuts the connection without an answer
	FaultTruncate  FaultKind = "truncate"        // the call is done; half the body arrives, then the connection is cut
	FaultSlow      FaultKind = "slow"            // the call is done; the second half of the body comes after Delay
	FaultStale     FaultKind = "stale"           // the list of active versions still shows the deleted ones
	FaultPrimary   FaultKind = "primary_limit"   // the hourly limit is used up
	FaultSecondary FaultKind = "secondary_limit" // the abuse limit
)

// Fault makes matching calls go wrong. Of several that match, the first that
// has not run out is used; it alone counts the call.
type Fault struct {
	// Match is a method (or *) and a glob over the escaped path, without
	// /api/v3: * is anything within one segment, ** any number of segments;
	// "?page=2" at the end matches query parameters. Slashes in package names
	// are written %2F for the API.
	Match       string    `json:"match"`
	Kind        FaultKind `json:"kind,omitempty"` // status when absent
	Status      int       `json:"status,omitempty"`
	Message     string    `json:"message,omitempty"`      // of the answer; absent: GitHub's for the status
	AfterEffect bool      `json:"after_effect,omitempty"` // the call is carried out, and only its answer goes wrong
	Times       int       `json:"times,omitempty"`        // how often; 0 is always
	Skip        int       `json:"skip,omitempty"`         // lets this many matching calls pass first
	Headers     *bool     `json:"headers,omitempty"`      // limits: false leaves out x-ratelimit-* and retry-after
	RetryAfter  int       `json:"retry_after,omitempty"`  // limits: seconds; 60 when absent
	Delay       Duration  `json:"delay,omitempty"`        // slow: 1s when absent
}

func (f *Fault) delay() time.Duration {
	if f.Delay == 0 {
		return time.Second
	}
	return time.Duration(f.Delay)
}

// replaces reports whether the fault's answer stands in for the call's own.
func (f *Fault) replaces() bool {
	return !slices.Contains([]FaultKind{FaultTruncate, FaultSlow, FaultStale}, f.Kind)
}

type armedFault struct {
	Fault
	seen, fired int
}

func arm(faults []Fault) []*armedFault {
	armed := make([]*armedFault, len(faults))
	for i, f := range faults {
		armed[i] = &armedFault{Fault: f}
	}
	return armed
}

func checkFaults(faults []Fault) error {
	for i, f := range faults {
		if err := f.check(); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
	}
	return nil
}

func (f Fault) check() error {
	method, rest, ok := strings.Cut(f.Match, " ")
	if !ok || method == "" || !strings.HasPrefix(rest, "/") {
		return fmt.Errorf("match %q: write METHOD /path, such as DELETE /orgs/*/packages/*/*/versions/*", f.Match)
	}
	glob, query, _ := strings.Cut(rest, "?")
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Errorf("match %q: %w", f.Match, err)
	}
	if _, err := url.ParseQuery(query); err != nil {
		return fmt.Errorf("match %q: %w", f.Match, err)
	}
	if f.Times < 0 || f.Skip < 0 || f.RetryAfter < 0 {
		return errors.New("times, skip and retry_after must not be negative")
	}
	switch f.Kind {
	case "", FaultStatus:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("status %d is not an error status", f.Status)
		}
	case FaultPrimary, FaultSecondary:
		if f.Status != 0 && f.Status != http.StatusForbidden && f.Status != http.StatusTooManyRequests {
			return fmt.Errorf("status %d of a limit is neither 403 nor 429", f.Status)
		}
	case FaultReset, FaultTruncate, FaultSlow, FaultStale:
	default:
		return fmt.Errorf("kind %q is unknown", f.Kind)
	}
	return nil
}

// SetFaults replaces all faults, and forgets what the old ones had counted.
func (s *Server) SetFaults(faults []Fault) error {
	if err := checkFaults(faults); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = arm(faults)
	return nil
}

func (s *Server) takeFault(q *request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Times > 0 && f.fired >= f.Times || !f.Fits(*q.call) {
			continue
		}
		if f.seen++; f.seen <= f.Skip {
			return nil
		}
		f.fired++
		s.fired++
		q.call.Fault = cmp.Or(f.Kind, FaultStatus)
		fault := f.Fault
		return &fault
	}
	return nil
}

func matchSegments(glob, segs []string) bool {
	for i, g := range glob {
		if g == "**" {
			for skip := i; skip <= len(segs); skip++ {
				if matchSegments(glob[i+1:], segs[skip:]) {
					return true
				}
			}
			return false
		}
		if i >= len(segs) {
			return false
		}
		if ok, err := path.Match(g, segs[i]); err != nil || !ok {
			return false
		}
	}
	return len(glob) == len(segs)
}

// faultAnswer is the answer that a replacing fault gives.
func (s *Server) faultAnswer(q *request, f *Fault) answer {
	headers := f.Headers == nil || *f.Headers
	status := f.Status
	if status == 0 {
		status = http.StatusForbidden
	}
	retry := time.Duration(f.RetryAfter) * time.Second
	if retry == 0 {
		retry = time.Minute
	}
	registry := q.call.Kind == KindRegistry || q.call.Kind == KindToken
	switch {
	case registry && f.Kind != FaultReset:
		a := registryError(status, registryCode(status), cmp.Or(f.Message, http.StatusText(status)))
		if f.Kind != FaultStatus && f.Kind != "" && headers {
			a.header.Set("Retry-After", strconv.Itoa(int(retry/time.Second)))
		}
		return a
	case f.Kind == FaultPrimary:
		q.rate = rateHeader(s.limits().Limit, 0, q.now.Add(retry))
		return primaryLimit(q, status, headers)
	case f.Kind == FaultSecondary:
		return secondaryLimit(q, status, headers, retry)
	}
	return fail(status, cmp.Or(f.Message, messageFor(status)), docsRoot)
}

func messageFor(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "Bad credentials"
	case http.StatusForbidden:
		return "Resource not accessible by integration"
	case http.StatusInternalServerError, http.StatusBadGateway:
		return "Server Error"
	case http.StatusTooManyRequests:
		return "Too many requests"
	}
	return http.StatusText(status)
}

// reset cuts the connection so that the client sees a reset rather than an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a failure only makes the cut a gentle one
	}
	_ = conn.Close()
}

// truncate promises the whole body and sends half of it.
func truncate(w http.ResponseWriter, a answer) {
	if len(a.body) == 0 {
		reset(w)
		return
	}
	w.WriteHeader(a.status)
	writeBody(w, a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush() // the cut below is the point either way
	panic(http.ErrAbortHandler)
}

// dribble sends half of the body, waits, and sends the rest.
func dribble(w http.ResponseWriter, q *request, a answer, delay time.Duration) {
	half := len(a.body) / 2
	if half > 0 {
		w.WriteHeader(a.status)
		writeBody(w, a.body[:half])
		_ = http.NewResponseController(w).Flush() // best effort: without it all comes late
	}
	if !pause(q.r.Context(), delay) {
		panic(http.ErrAbortHandler)
	}
	if half == 0 {
		w.WriteHeader(a.status)
	}
	writeBody(w, a.body[half:])
}
