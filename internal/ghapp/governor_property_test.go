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
	quota    int      // requests per period, told in every answer; 0: no such limit
}

type request struct {
	method string
	after  time.Duration
}

func drawScenario(t *rapid.T) scenario {
	s := scenario{opts: GovernorOptions{
		MaxInFlight:     rapid.IntRange(1, 10).Draw(t, "in flight"),
		PointsPerMinute: rapid.SampledFrom([]int{5, 23, 60, 900}).Draw(t, "points"),
		SharePoints:     rapid.Bool().Draw(t, "share"),
		WriteSpacing:    rapid.SampledFrom([]time.Duration{0, Off, 334 * time.Millisecond, 5 * time.Second}).Draw(t, "spacing"),
		RecoverAfter:    rapid.IntRange(1, 5).Draw(t, "recover"),
		ReservePercent:  rapid.SampledFrom([]int{Off, 10, 50}).Draw(t, "reserve"),
		MaxWait:         24 * time.Hour,
	}, quota: rapid.SampledFrom([]int{0, 0, 20, 60}).Draw(t, "quota")}
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

// play runs the scenario on virtual time and returns what happened.
func (s scenario) play(t *testing.T) (m *model, results []error, rec *recorder) {
	synctest.Test(t, func(t *testing.T) {
		hour := newHourly(s.quota, max(0, s.opts.ReservePercent))
		rec = &recorder{}
		m = &model{answer: func(n int, req *http.Request) answer {
			rec.sample()
			a := answer{latency: 100 * time.Millisecond}
			if n < len(s.script) {
				a = s.script[n]
			}
			return hour.apply(a)
		}}
		opts := s.opts
		opts.Observe = rec.observe
		rec.governor = testGovernor(t, opts)
		transport := rec.governor.Wrap(m)
		results = make([]error, len(s.requests))
		var wg sync.WaitGroup
		for i, r := range s.requests {
			wg.Go(func() {
				<-time.After(r.after)
				results[i] = fetch(t.Context(), transport, r.method, fmt.Sprintf("/%d", i))
			})
		}
		wg.Wait()
		if st := rec.governor.Stats(); st.InFlight != 0 || st.Reads+st.Writes != len(m.arrivals) {
			t.Errorf("stats %+v after %d arrivals: places leaked or attempts not counted", st, len(m.arrivals))
		}
		rec.overdrawn = hour.overdrawn()
	})
	return m, results, rec
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

func TestGovernorKeepsItsBoundsUnderAnyLoad(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawScenario(rt)
		m, results, rec := s.play(t)
		for name, counts := range map[string]func(string) bool{"reads": safeMethod, "writes": writes} {
			if got := m.spentIn(time.Minute, counts); got > s.opts.PointsPerMinute {
				rt.Fatalf("%d points of %s in one minute, bound %d", got, name, s.opts.PointsPerMinute)
			}
		}
		if got := m.spentIn(time.Minute, all); s.opts.SharePoints && got > s.opts.PointsPerMinute {
			rt.Fatalf("%d points in one minute, bound %d", got, s.opts.PointsPerMinute)
		}
		if got := m.mostInFlight(); got > s.opts.MaxInFlight {
			rt.Fatalf("%d in flight, bound %d", got, s.opts.MaxInFlight)
		}
		spacing := s.opts.WriteSpacing
		if spacing == 0 {
			spacing = time.Second / 3
		}
		if got := m.closestWrites(); got < spacing {
			rt.Fatalf("two writes %s apart, spacing %s", got, spacing)
		}
		s.checkWaits(rt, m)
		if rec.overdrawn != "" {
			rt.Fatal(rec.overdrawn)
		}
		s.checkRepeats(rt, m, results)
	})
}

// checkWaits makes sure that nothing is sent while GitHub asked for a wait; for a
// minute at least, when it did not say how long.
func (s scenario) checkWaits(rt *rapid.T, m *model) {
	for n, told := range m.arrivals {
		if n >= len(s.script) || s.script[n].status != 403 && s.script[n].status != 429 {
			continue
		}
		wait := time.Minute
		if seconds, err := strconv.Atoi(s.script[n].header["Retry-After"]); err == nil {
			wait = time.Duration(seconds) * time.Second
		}
		from := told.at.Add(s.script[n].latency)
		for _, a := range m.arrivals {
			if a.at.After(from) && a.at.Before(from.Add(wait)) {
				rt.Fatalf("request sent at %s although told at %s to wait for %s", a.at, from, wait)
			}
		}
	}
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
