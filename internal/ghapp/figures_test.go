package ghapp

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
)

// pointLimits is GitHub's limit of points per minute and endpoint, read in one
// of two ways: the method is part of the endpoint, or it is not.
type pointLimits struct {
	methodsApart bool
	latency      time.Duration
	spent        map[string][]spending
	refused      int
}

// answer counts the request, and refuses it when its endpoint had more than 900
// points in the minute that ends now. Refused requests count as well.
func (l *pointLimits) answer(_ int, req *http.Request) answer {
	endpoint := req.URL.Path[:strings.LastIndex(req.URL.Path, "/")]
	if l.methodsApart {
		endpoint = req.Method + " " + endpoint
	}
	if l.spent == nil {
		l.spent = map[string][]spending{}
	}
	now, sum := time.Now(), 0
	l.spent[endpoint] = append(l.spent[endpoint], spending{now, pointsOf(req.Method)})
	for _, s := range l.spent[endpoint] {
		if now.Sub(s.at) <= time.Minute {
			sum += s.points
		}
	}
	if sum > 900 {
		l.refused++
		return answer{status: 403, body: secondaryBody, header: map[string]string{"Retry-After": "60"}, latency: l.latency}
	}
	return answer{latency: l.latency}
}

// deleteVersions deletes n versions, each after it was read again, and returns
// how long that took.
func deleteVersions(ctx context.Context, transport http.RoundTripper, n, workers int) (time.Duration, error) {
	begin := time.Now()
	var next atomic.Int64
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				path := fmt.Sprintf("/orgs/acme/packages/container/app/versions/%d", i)
				for _, method := range []string{"GET", "DELETE"} {
					if err := fetch(ctx, transport, method, path); err != nil {
						return fmt.Errorf("%s %s: %w", method, path, err)
					}
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return time.Since(begin), err
}

// Of the bounds: 600 deletes at three a second take 200 s. With the reads in
// the same budget, a pair costs 6 of 900 points: 150 pairs a minute, and the
// last 150 of 600 cannot begin before three minutes have passed.
func TestDeletesAreAsFastAsTheLimitsAllow(t *testing.T) {
	const ms50 = 50 * time.Millisecond
	for name, c := range map[string]struct {
		opts         GovernorOptions
		methodsApart bool
		deletes      int
		workers      int
		atMost       time.Duration
		refused      int
	}{
		"60":                                     {GovernorOptions{}, true, 60, 1, 30 * time.Second, 0},
		"60 by eight workers":                    {GovernorOptions{}, true, 60, 8, 30 * time.Second, 0},
		"60 where the method does not count":     {GovernorOptions{}, false, 60, 1, 30 * time.Second, 0},
		"600":                                    {GovernorOptions{}, true, 600, 1, 215 * time.Second, 0},
		"600 by eight workers":                   {GovernorOptions{}, true, 600, 8, 215 * time.Second, 0},
		"600 in one budget":                      {GovernorOptions{SharePoints: true}, false, 600, 1, 240 * time.Second, 0},
		"600 where one budget has to be learned": {GovernorOptions{}, false, 600, 1, 310 * time.Second, 1},
		"600 by eight where one budget must be learned": {GovernorOptions{}, false, 600, 8, 310 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limits := &pointLimits{methodsApart: c.methodsApart, latency: ms50}
				m := &model{answer: limits.answer}
				c.opts.Jitter = noJitter
				g := testGovernor(t, c.opts)
				took, err := deleteVersions(t.Context(), g.Wrap(m), c.deletes, c.workers)
				if err != nil {
					t.Fatal(err)
				}
				perMinute := m.spentIn(time.Minute, writes) / writePoints
				st := g.Stats()
				t.Logf("%d deletes in %.1f s; at most %d writes and %d points a minute; %d refused; %.2f writes a second in the end",
					c.deletes, took.Seconds(), perMinute, m.spentIn(time.Minute, all), limits.refused, st.WriteRate)
				if took > c.atMost {
					t.Errorf("took %s, want %s", took, c.atMost)
				}
				if perMinute > 180 {
					t.Errorf("%d writes in one minute", perMinute)
				}
				if limits.refused > c.refused || st.SecondaryLimits != limits.refused || st.Pauses > 1 {
					t.Errorf("%d refused in %d pauses, want at most %d in one", limits.refused, st.Pauses, c.refused)
				}
			})
		})
	}
}

func TestWriteRateAdapts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := false
		m := &model{answer: func(int, *http.Request) answer {
			if limit {
				limit = false
				return answer{status: 429, header: map[string]string{"Retry-After": "5"}}
			}
			return answer{}
		}}
		g := testGovernor(t, GovernorOptions{WriteFloor: 0.7, MaxWait: time.Hour})
		transport := g.Wrap(m)
		rate := func(want float64, after string) {
			t.Helper()
			if got := g.Stats().WriteRate; got < want-1e-9 || got > want+1e-9 {
				t.Errorf("%g writes a second %s, want %g", got, after, want)
			}
		}
		send := func(n int, method string) {
			t.Helper()
			for range n {
				if err := fetch(t.Context(), transport, method, "/x"); err != nil {
					t.Fatal(err)
				}
			}
		}
		rate(2, "to begin with")
		send(100, "GET")
		rate(2, "after reads, which say nothing of writes")
		send(10, "DELETE")
		rate(2.5, "after ten writes")
		send(15, "DELETE")
		rate(3, "after 25 writes: not beyond the ceiling")
		limit = true
		send(1, "GET")
		rate(1.5, "after a secondary limit")
		send(10, "DELETE")
		rate(1.6, "after ten writes more: slower than at first")
		for range 3 {
			limit = true
			send(1, "GET")
		}
		rate(0.7, "after three limits more: not below the floor")
	})
}

func TestFixedSpacingStaysFixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: once(answer{status: 429, header: map[string]string{"Retry-After": "5"}})}
		g := testGovernor(t, GovernorOptions{WriteSpacing: 2 * time.Second})
		for range 3 {
			if err := fetch(t.Context(), g.Wrap(m), "DELETE", "/x"); err != nil {
				t.Fatal(err)
			}
		}
		if got := m.closestWrites(); got != 2*time.Second || g.Stats().WriteRate != 0.5 {
			t.Errorf("writes %s apart at a rate of %g, want 2s and 0.5", got, g.Stats().WriteRate)
		}
	})
}

func TestReadsAreNotHeldUpByWritesOutOfPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := testGovernor(t, GovernorOptions{PointsPerMinute: 5, WriteSpacing: Off})
		m := &model{answer: once()}
		transport := g.Wrap(m)
		begin := time.Now()
		for _, method := range []string{"DELETE", "GET", "GET"} {
			if err := fetch(t.Context(), transport, method, "/x"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("reads waited %s for the points of writes", took)
		}
		if err := fetch(t.Context(), transport, "DELETE", "/x"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != pointsWindow {
			t.Errorf("the second write went after %s, want %s", took, pointsWindow)
		}
	})
}
