package ghapp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func noJitter() float64 { return 0 }

// once answers the first requests from a script and every later one with 200.
func once(script ...answer) func(int, *http.Request) answer {
	return func(n int, _ *http.Request) answer {
		if n < len(script) {
			return script[n]
		}
		return answer{}
	}
}

// inSeconds is a time of the bubble as GitHub writes it.
func inSeconds(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }

func TestLimitsAreWaitedFor(t *testing.T) {
	type headers = map[string]string
	cases := map[string]struct {
		header func() headers
		body   string
		want   time.Duration // until the second attempt
		reason Reason
	}{
		"primary with reset": {
			func() headers {
				return headers{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": inSeconds(90 * time.Second)}
			},
			`{"message":"API rate limit exceeded for installation ID 7."}`, 91 * time.Second, ReasonPrimary,
		},
		"primary with a reset in the past": {
			func() headers {
				return headers{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": inSeconds(-time.Minute)}
			},
			"", 60 * time.Second, ReasonPrimary,
		},
		"primary without headers": {
			func() headers { return nil }, `{"message":"API rate limit exceeded for installation ID 7."}`, 60 * time.Second, ReasonPrimary,
		},
		"primary with reset and a later Retry-After": {
			func() headers {
				return headers{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": inSeconds(10 * time.Second), "Retry-After": "40"}
			}, "", 40 * time.Second, ReasonPrimary,
		},
		"secondary with Retry-After": {
			func() headers { return headers{"Retry-After": "17"} }, secondaryBody, 17 * time.Second, ReasonSecondary,
		},
		"secondary with Retry-After and quota left": {
			func() headers {
				return headers{"Retry-After": "17", "X-Ratelimit-Remaining": "4000", "X-Ratelimit-Limit": "5000", "X-Ratelimit-Reset": inSeconds(time.Hour)}
			}, secondaryBody, 17 * time.Second, ReasonSecondary,
		},
		"secondary without headers": {
			func() headers { return nil }, secondaryBody, 60 * time.Second, ReasonSecondary,
		},
		"secondary with Retry-After of nothing": {
			func() headers { return headers{"Retry-After": "0"} }, secondaryBody, time.Second, ReasonSecondary,
		},
		"secondary while the hourly quota is empty too": {
			func() headers {
				return headers{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": inSeconds(80 * time.Second)}
			},
			secondaryBody, 81 * time.Second, ReasonPrimary,
		},
	}
	for name, c := range cases {
		for _, status := range []int{403, 429} {
			for _, method := range []string{"GET", "DELETE"} {
				t.Run(fmt.Sprintf("%s as %d to %s", name, status, method), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						m := &model{answer: once(answer{status: status, header: c.header(), body: c.body})}
						g := testGovernor(t, GovernorOptions{Jitter: noJitter})
						if err := fetch(t.Context(), g.Wrap(m), method, "/x"); err != nil {
							t.Fatal(err)
						}
						if len(m.arrivals) != 2 {
							t.Fatalf("%d attempts, want 2", len(m.arrivals))
						}
						if got := m.arrivals[1].at.Sub(m.arrivals[0].at); got != c.want {
							t.Errorf("second attempt after %s, want %s", got, c.want)
						}
					})
				})
				t.Run(fmt.Sprintf("%s as %d to %s pauses when told not to wait", name, status, method), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						begin := time.Now()
						m := &model{answer: once(answer{status: status, header: c.header(), body: c.body})}
						g := testGovernor(t, GovernorOptions{Jitter: noJitter, MaxWait: time.Millisecond})
						err := fetch(t.Context(), g.Wrap(m), method, "/x")
						var paused *PausedError
						if !errors.As(err, &paused) || !NotSent(err) {
							t.Fatalf("error %v, want a PausedError", err)
						}
						if diff := cmp.Diff(PausedError{Until: begin.Add(c.want), Reason: c.reason}, *paused); diff != "" {
							t.Errorf("(-want +got):\n%s", diff)
						}
						if !time.Now().Equal(begin) || len(m.arrivals) != 1 {
							t.Errorf("took %s and %d attempts; a pause must be told at once", time.Since(begin), len(m.arrivals))
						}
					})
				})
			}
		}
	}
}

func TestPermission403IsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const body = `{"message":"Resource not accessible by integration","status":"403"}`
		m := &model{answer: once(answer{status: 403, body: body, header: map[string]string{"X-Ratelimit-Remaining": "9"}})}
		req, _ := http.NewRequestWithContext(t.Context(), "DELETE", "https://api.github.com/x", nil)
		resp, err := testGovernor(t, GovernorOptions{}).Wrap(m).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || string(got) != body || resp.StatusCode != 403 || len(m.arrivals) != 1 {
			t.Errorf("status %d, body %q, %v, %d attempts", resp.StatusCode, got, err, len(m.arrivals))
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestBackoffDoublesPerEpisodeAndStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := answer{status: 429}
		m := &model{answer: once(limit, limit, limit, answer{}, limit)}
		g := testGovernor(t, GovernorOptions{Jitter: noJitter, MaxWait: time.Hour})
		for range 2 {
			if err := fetch(t.Context(), g.Wrap(m), "GET", "/x"); err != nil {
				t.Fatal(err)
			}
		}
		var gaps []time.Duration
		for i := 1; i < len(m.arrivals); i++ {
			gaps = append(gaps, m.arrivals[i].at.Sub(m.arrivals[i-1].at))
		}
		want := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 0, time.Minute}
		if diff := cmp.Diff(want, gaps); diff != "" {
			t.Errorf("waits between attempts (-want +got):\n%s", diff)
		}
	})
}

func TestBackoffIsJitteredUpwardsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: once(answer{status: 429})}
		g := testGovernor(t, GovernorOptions{Jitter: func() float64 { return 0.8 }})
		if err := fetch(t.Context(), g.Wrap(m), "GET", "/x"); err != nil {
			t.Fatal(err)
		}
		if got := m.arrivals[1].at.Sub(m.arrivals[0].at); got != 72*time.Second {
			t.Errorf("waited %s, want 72s", got)
		}
	})
}

func TestRepeatedLimitsEndInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: func(int, *http.Request) answer {
			return answer{status: 429, header: map[string]string{"Retry-After": "30"}}
		}}
		begin := time.Now()
		err := fetch(t.Context(), testGovernor(t, GovernorOptions{}).Wrap(m), "DELETE", "/x")
		var paused *PausedError
		if !errors.As(err, &paused) || time.Since(begin) != 2*time.Minute || len(m.arrivals) != 5 {
			t.Errorf("%v after %s and %d attempts; want a pause after two minutes and five", err, time.Since(begin), len(m.arrivals))
		}
	})
}

func TestOneEpisodeHalvesOnceAndRecoversSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: func(n int, _ *http.Request) answer {
			if n < 8 {
				return answer{status: 403, body: secondaryBody, latency: time.Second}
			}
			return answer{latency: time.Second}
		}}
		g := testGovernor(t, GovernorOptions{MaxInFlight: 8, RecoverAfter: 10, Jitter: noJitter})
		transport := g.Wrap(m)
		together(t, 8, func(i int) error { return fetch(t.Context(), transport, "GET", fmt.Sprint("/", i)) })
		if got := g.Stats(); got.Concurrency != 4 || got.SecondaryLimits != 8 {
			t.Errorf("concurrency %d after %d refusals in one episode, want 4 after 8", got.Concurrency, got.SecondaryLimits)
		}
		together(t, 11, func(i int) error { return fetch(t.Context(), transport, "GET", fmt.Sprint("/", i)) })
		if got := g.Stats().Concurrency; got != 5 {
			t.Errorf("concurrency %d after 19 good answers, want 5", got)
		}
		together(t, 200, func(i int) error { return fetch(t.Context(), transport, "GET", fmt.Sprint("/", i)) })
		if got := g.Stats().Concurrency; got != 8 {
			t.Errorf("concurrency %d in the end, want 8", got)
		}
	})
}

func together(t *testing.T, n int, do func(int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := do(i); err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}
