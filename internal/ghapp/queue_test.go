package ghapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFailuresOfTheServer(t *testing.T) {
	down, reset := answer{status: 503}, answer{err: errConnection}
	for name, c := range map[string]struct {
		method   string
		script   []answer
		attempts int
		took     time.Duration
		err      string
	}{
		"a read survives three 5xx":                  {"GET", []answer{down, {status: 500}, {status: 502}}, 4, 3500 * time.Millisecond, ""},
		"a read survives failed connections":         {"HEAD", []answer{reset, reset}, 3, 1500 * time.Millisecond, ""},
		"a read gives up after three tries more":     {"GET", []answer{down, down, down, down}, 4, 3500 * time.Millisecond, "status 503"},
		"a read gives up on a dead connection":       {"GET", []answer{reset, reset, reset, reset}, 4, 3500 * time.Millisecond, errConnection.Error()},
		"a read waits as long as a 503 asks":         {"GET", []answer{{status: 503, header: map[string]string{"Retry-After": "20"}}}, 2, 20 * time.Second, ""},
		"a read does not wait longer than MaxWait":   {"GET", []answer{{status: 503, header: map[string]string{"Retry-After": "300"}}}, 1, 0, "status 503"},
		"a 501 is not tried again":                   {"GET", []answer{{status: 501}}, 1, 0, "status 501"},
		"a delete is never sent again after a 5xx":   {"DELETE", []answer{down}, 1, 0, "status 503"},
		"a delete is never sent again after a reset": {"DELETE", []answer{reset}, 1, 0, errConnection.Error()},
		"a restore is never sent again after a 5xx":  {"POST", []answer{{status: 500}}, 1, 0, "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				m := &model{answer: once(c.script...)}
				g := testGovernor(t, GovernorOptions{Jitter: noJitter, WriteSpacing: Off})
				err := fetch(t.Context(), g.Wrap(m), c.method, "/x")
				got := ""
				if err != nil {
					got = err.Error()
				}
				if got != c.err || len(m.arrivals) != c.attempts || time.Since(begin) != c.took {
					t.Errorf("%d attempts, %s, error %q; want %d, %s, %q", len(m.arrivals), time.Since(begin), got, c.attempts, c.took, c.err)
				}
				if NotSent(err) {
					t.Error("a failure of the server does not prove that nothing was done")
				}
			})
		})
	}
}

func TestReserveIsLeftToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := time.Now().Add(30 * time.Minute)
		m := &model{answer: func(n int, _ *http.Request) answer {
			left, at := 105-n, reset
			if time.Now().After(reset) {
				left, at = 1000, reset.Add(time.Hour)
			}
			return answer{latency: time.Second, header: map[string]string{
				"X-Ratelimit-Limit": "1000", "X-Ratelimit-Remaining": strconv.Itoa(left),
				"X-Ratelimit-Reset": strconv.FormatInt(at.Unix(), 10), "X-Ratelimit-Resource": "core",
			}}
		}}
		g := testGovernor(t, GovernorOptions{MaxWait: time.Hour})
		transport := g.Wrap(m)
		if err := fetch(t.Context(), transport, "GET", "/first"); err != nil {
			t.Fatal(err)
		}
		together(t, 20, func(i int) error { return fetch(t.Context(), transport, "GET", fmt.Sprint("/", i)) })
		before := 0
		for _, a := range m.arrivals {
			if a.at.Before(reset) {
				before++
			} else if a.at.Before(reset.Add(resetMargin)) {
				t.Errorf("sent at %s, before the quota was surely renewed", a.at)
			}
		}
		if before != 6 {
			t.Errorf("%d requests before the reset, want 6: 105 left, 100 of them reserved", before)
		}
	})
}

func TestReserveReasonAndOff(t *testing.T) {
	header := func() map[string]string {
		return map[string]string{"X-Ratelimit-Limit": "100", "X-Ratelimit-Remaining": "3", "X-Ratelimit-Reset": inSeconds(time.Hour)}
	}
	for name, c := range map[string]struct {
		percent int
		want    error
	}{
		"default": {0, &PausedError{Reason: ReasonReserve}},
		"two":     {2, nil},
		"off":     {Off, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := testGovernor(t, GovernorOptions{ReservePercent: c.percent})
				transport := g.Wrap(&model{answer: once(answer{header: header()})})
				if err := fetch(t.Context(), transport, "GET", "/1"); err != nil {
					t.Fatal(err)
				}
				err := fetch(t.Context(), transport, "GET", "/2")
				if diff := cmp.Diff(c.want, err, cmpopts.IgnoreFields(PausedError{}, "Until")); diff != "" {
					t.Errorf("second request (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestDeadlineBeforeTheEndOfTheWaitPausesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: once(answer{status: 429, header: map[string]string{"Retry-After": "30"}})}
		transport := testGovernor(t, GovernorOptions{}).Wrap(m)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		begin := time.Now()
		// Through a client, whose url.Error must not get in the way.
		client := &http.Client{Transport: transport}
		req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.github.com/x", nil)
		_, err := client.Do(req)
		var paused *PausedError
		var wrapped *url.Error
		if !errors.As(err, &paused) || !errors.As(err, &wrapped) {
			t.Fatalf("error %v, want a PausedError in a url.Error", err)
		}
		if !paused.Until.Equal(begin.Add(30*time.Second)) || !time.Now().Equal(begin) {
			t.Errorf("paused until %s after %s", paused.Until, time.Since(begin))
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: func(int, *http.Request) answer { return answer{latency: 50 * time.Second} }}
		g := testGovernor(t, GovernorOptions{MaxInFlight: 1})
		transport := g.Wrap(m)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := fetch(t.Context(), transport, "GET", "/slow"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := fetch(ctx, transport, "DELETE", "/queued")
		if !errors.Is(err, context.DeadlineExceeded) || !NotSent(err) || len(m.arrivals) != 1 {
			t.Errorf("error %v (not sent: %v), %d arrivals", err, NotSent(err), len(m.arrivals))
		}
		wg.Wait()
	})
}

func TestReadsOvertakeWritesThatWaitForTheirSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := &model{answer: once()}
		transport := testGovernor(t, GovernorOptions{WriteSpacing: time.Second}).Wrap(m)
		var wg sync.WaitGroup
		for i, method := range []string{"DELETE", "DELETE", "DELETE", "GET", "GET"} {
			wg.Go(func() {
				if err := fetch(t.Context(), transport, method, fmt.Sprint("/", i)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		got := map[string]time.Duration{}
		for _, a := range m.arrivals {
			got[a.path] = a.at.Sub(begin)
		}
		want := map[string]time.Duration{"/0": 0, "/1": time.Second, "/2": 2 * time.Second, "/3": 0, "/4": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("arrivals (-want +got):\n%s", diff)
		}
	})
}

func TestWritesKeepUnderTheirCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := &model{answer: once()}
		transport := testGovernor(t, GovernorOptions{}).Wrap(m)
		together(t, 400, func(i int) error { return fetch(t.Context(), transport, "DELETE", fmt.Sprint("/", i)) })
		if got := m.spentIn(time.Minute, writes); got > 900 {
			t.Errorf("%d points in one minute", got)
		}
		if took := time.Since(begin); took > 140*time.Second {
			t.Errorf("400 writes took %s; the bounds allow it in under 140 s", took)
		}
	})
}

func TestAttemptTimeoutFreesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: func(n int, _ *http.Request) answer {
			if n == 0 {
				return answer{latency: time.Hour}
			}
			return answer{}
		}}
		g := testGovernor(t, GovernorOptions{MaxInFlight: 1, Jitter: noJitter})
		transport := g.Wrap(m)
		if err := fetch(t.Context(), transport, "GET", "/hangs-once"); err != nil {
			t.Errorf("a read must be tried again after an attempt without an answer: %v", err)
		}
		// A body that nobody closes must not hold the only place for ever.
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://api.github.com/leak", nil)
		if _, err := transport.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := fetch(t.Context(), transport, "GET", "/next"); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(begin); got != time.Minute {
			t.Errorf("the place was free after %s, want the minute of an attempt", got)
		}
	})
}

func TestBodiesAreSentWholeAgain(t *testing.T) {
	for name, c := range map[string]struct {
		body io.Reader
		want []string
	}{
		"replayable": {strings.NewReader(`{"a":1}`), []string{`{"a":1}`, `{"a":1}`}},
		"stream":     {io.MultiReader(strings.NewReader(`{"a":1}`)), []string{`{"a":1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				m := &model{answer: func(n int, req *http.Request) answer {
					raw, err := io.ReadAll(req.Body)
					if err != nil {
						t.Error(err)
					}
					got = append(got, string(raw))
					if n == 0 {
						return answer{status: 429, header: map[string]string{"Retry-After": "5"}}
					}
					return answer{}
				}}
				req, _ := http.NewRequestWithContext(t.Context(), "POST", "https://api.github.com/x", c.body)
				resp, err := testGovernor(t, GovernorOptions{}).Wrap(m).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				if err := resp.Body.Close(); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("bodies (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestObserveAndStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []Event
		m := &model{answer: once(answer{status: 429, header: map[string]string{"Retry-After": "5"}, latency: time.Second}, answer{
			header: map[string]string{"X-Ratelimit-Limit": "5000", "X-Ratelimit-Remaining": "4999", "X-Ratelimit-Reset": inSeconds(time.Hour), "X-Ratelimit-Resource": "core"},
		})}
		reset := time.Now().Add(time.Hour)
		g := testGovernor(t, GovernorOptions{Observe: func(e Event) { events = append(events, e) }})
		if err := fetch(t.Context(), g.Wrap(m), "DELETE", "/x?token=abc"); err != nil {
			t.Fatal(err)
		}
		wantEvents := []Event{
			{Method: "DELETE", Host: "api.github.com", Path: "/x", Status: 429, Attempt: 1, Write: true, Limited: true, Took: time.Second},
			{Method: "DELETE", Host: "api.github.com", Path: "/x", Status: 200, Attempt: 2, Write: true, Waited: 5 * time.Second},
		}
		if diff := cmp.Diff(wantEvents, events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		wantStats := Stats{
			Writes: 2, Retries: 1, Waits: 1, Waited: 5 * time.Second, SecondaryLimits: 1, Pauses: 1, Concurrency: 4,
			WriteRate: 1.01, WritePoints: 10, SharedPoints: true,
			Quotas: []Quota{{Resource: "core", Limit: 5000, Remaining: 4999, Reset: reset}},
		}
		if diff := cmp.Diff(wantStats, g.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

func TestGovernorRefusesNonsense(t *testing.T) {
	for name, opts := range map[string]GovernorOptions{
		"too many in flight":   {MaxInFlight: 101},
		"none in flight":       {MaxInFlight: -1},
		"points below a write": {PointsPerMinute: 4},
		"all of it reserved":   {ReservePercent: 100},
		"negative wait":        {MaxWait: -1},
		"floor over the start": {WriteStart: 1, WriteFloor: 1.5},
		"start over ceiling":   {WriteStart: 2.5, WriteCeiling: 1},
		"negative rate":        {WriteFloor: -1},
		"rate beyond reason":   {WriteCeiling: 1e9},
	} {
		if _, err := NewGovernor(opts); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRegistryGovernorHasNoPointsButObeysRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		m := &model{answer: func(n int, _ *http.Request) answer {
			if n == 2000 {
				return answer{status: 429, header: map[string]string{"Retry-After": "3"}}
			}
			return answer{}
		}}
		transport := NewRegistryTransport(m, testGovernor(t, RegistryGovernorOptions()), UserAgent("1"))
		for range 2001 {
			if err := fetch(t.Context(), transport, "GET", "/v2/"); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(begin); got != 3*time.Second {
			t.Errorf("took %s, want the 3 s of Retry-After", got)
		}
	})
}
