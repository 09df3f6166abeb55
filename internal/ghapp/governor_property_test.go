package ghapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// scenario is one random load on one random server.
type scenario struct {
	opts     GovernorOptions
	requests []request
	script   []answer // what each arrival meets; good answers beyond it
}

type request struct {
	method string
	after  time.Duration
}

func drawScenario(t *rapid.T) scenario {
	s := scenario{opts: GovernorOptions{
		MaxInFlight:     rapid.IntRange(1, 10).Draw(t, "in flight"),
		PointsPerMinute: rapid.SampledFrom([]int{5, 23, 60, 900}).Draw(t, "points"),
		WriteSpacing:    rapid.SampledFrom([]time.Duration{Off, 334 * time.Millisecond, 5 * time.Second}).Draw(t, "spacing"),
		RecoverAfter:    rapid.IntRange(1, 5).Draw(t, "recover"),
		MaxWait:         time.Hour,
	}}
	n := rapid.IntRange(1, 120).Draw(t, "requests")
	for range n {
		s.requests = append(s.requests, request{
			method: rapid.SampledFrom([]string{"GET", "GET", "GET", "DELETE", "POST"}).Draw(t, "method"),
			after:  time.Duration(rapid.IntRange(0, 20_000).Draw(t, "after ms")) * time.Millisecond,
		})
	}
	for range rapid.IntRange(0, 2*n).Draw(t, "scripted") {
		s.script = append(s.script, drawAnswer(t))
	}
	return s
}

func drawAnswer(t *rapid.T) answer {
	a := answer{latency: time.Duration(rapid.IntRange(0, 3000).Draw(t, "latency ms")) * time.Millisecond}
	switch rapid.IntRange(0, 14).Draw(t, "kind") {
	case 0:
		a.status, a.header = 403, map[string]string{"Retry-After": strconv.Itoa(rapid.IntRange(0, 90).Draw(t, "retry after"))}
	case 1:
		a.status, a.body = 429, secondaryBody
	case 2:
		a.status = 503
	case 3:
		a.err = errConnection
	case 4:
		a.status = 404
	}
	return a
}

// play runs the scenario on virtual time and returns what the server saw.
func (s scenario) play(t *testing.T) (m *model, results []error, refusals []refusal) {
	synctest.Test(t, func(t *testing.T) {
		m = &model{answer: func(n int, req *http.Request) answer {
			if n >= len(s.script) {
				return answer{latency: 100 * time.Millisecond}
			}
			return s.script[n]
		}}
		g := testGovernor(t, s.opts)
		transport := g.Wrap(&refusalTap{next: m, seen: &refusals})
		results = make([]error, len(s.requests))
		var wg sync.WaitGroup
		for i, r := range s.requests {
			wg.Go(func() {
				<-time.After(r.after)
				results[i] = fetch(t.Context(), transport, r.method, fmt.Sprintf("/%d", i))
			})
		}
		wg.Wait()
		if st := g.Stats(); st.InFlight != 0 || st.Reads+st.Writes != len(m.arrivals) {
			t.Errorf("stats %+v after %d arrivals: places leaked or attempts not counted", st, len(m.arrivals))
		}
	})
	return m, results, refusals
}

func fetch(ctx context.Context, transport http.RoundTripper, method, path string) error {
	req, err := http.NewRequestWithContext(ctx, method, "https://api.github.com"+path, nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close(), statusOf(resp.StatusCode))
}

// statusOf makes an answer that is not good an error.
func statusOf(status int) error {
	if status < 300 {
		return nil
	}
	return fmt.Errorf("status %d", status)
}

// refusal is a limit answer: from its arrival until it ends nothing may be sent.
type refusal struct{ from, until time.Time }

type refusalTap struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen *[]refusal
}

func (r *refusalTap) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err == nil && (resp.StatusCode == 403 || resp.StatusCode == 429) {
		wait := time.Duration(0) // without a header the wait depends on those before it: see the table tests
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
			wait = time.Duration(seconds) * time.Second
		}
		r.mu.Lock()
		*r.seen = append(*r.seen, refusal{time.Now(), time.Now().Add(wait)})
		r.mu.Unlock()
	}
	return resp, err
}

func TestGovernorKeepsItsBoundsUnderAnyLoad(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawScenario(rt)
		m, results, refusals := s.play(t)
		if got := m.spentIn(time.Minute); got > s.opts.PointsPerMinute {
			rt.Fatalf("%d points in one minute, bound %d", got, s.opts.PointsPerMinute)
		}
		if got := m.mostInFlight(); got > s.opts.MaxInFlight {
			rt.Fatalf("%d in flight, bound %d", got, s.opts.MaxInFlight)
		}
		if got := m.closestWrites(); got < s.opts.WriteSpacing {
			rt.Fatalf("two writes %s apart, spacing %s", got, s.opts.WriteSpacing)
		}
		for _, r := range refusals {
			for _, a := range m.arrivals {
				if a.at.After(r.from) && a.at.Before(r.until) {
					rt.Fatalf("request sent at %s although told at %s to wait until %s", a.at, r.from, r.until)
				}
			}
		}
		s.checkRepeats(rt, m, results)
	})
}

// checkRepeats makes sure that a write is sent again only after a refusal, and
// that what the caller was told is what the last attempt met.
func (s scenario) checkRepeats(rt *rapid.T, m *model, results []error) {
	last := map[string]answer{}
	for n, a := range m.arrivals {
		if before, again := last[a.path]; again && !safeMethod(a.method) && before.status != 403 && before.status != 429 {
			rt.Fatalf("%s %s sent again after %+v", a.method, a.path, before)
		}
		last[a.path] = answer{}
		if n < len(s.script) {
			last[a.path] = s.script[n]
		}
	}
	for i, err := range results {
		got, ok := last[fmt.Sprintf("/%d", i)]
		var paused *PausedError
		if errors.As(err, &paused) {
			if ok && !safeMethod(s.requests[i].method) && got.status != 403 && got.status != 429 {
				rt.Fatalf("write %d: paused after %+v", i, got)
			}
			continue
		}
		if !ok {
			rt.Fatalf("request %d never arrived: %v", i, err)
		}
		bad := got.status >= 300 || got.err != nil
		if bad != (err != nil) {
			rt.Fatalf("request %d met %+v and returned %v", i, got, err)
		}
	}
}
