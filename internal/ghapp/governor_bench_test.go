package ghapp

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// instant answers at once: what is left to measure is the governor.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// limitless has every bound in force that is looked at per request, and none
// that makes a request wait, other than for a place in flight.
func limitless(b *testing.B, inFlight int) http.RoundTripper {
	g, err := NewGovernor(GovernorOptions{MaxInFlight: inFlight, PointsPerMinute: 1 << 40, WriteSpacing: Off})
	if err != nil {
		b.Fatal(err)
	}
	return g.Wrap(instant{})
}

func send(b *testing.B, transport http.RoundTripper, req *http.Request) {
	resp, err := transport.RoundTrip(req)
	if err != nil {
		b.Error(err)
		return
	}
	if err := resp.Body.Close(); err != nil {
		b.Error(err)
	}
}

func newGet(b *testing.B) *http.Request {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://api.github.com/x", nil)
	if err != nil {
		b.Fatal(err)
	}
	return req
}

// BenchmarkGovernor is the governor's own time for a request.
func BenchmarkGovernor(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		transport, req := limitless(b, 8), newGet(b)
		b.ReportAllocs()
		for b.Loop() {
			send(b, transport, req)
		}
	})
	for name, inFlight := range map[string]int{"64 goroutines for 64 places": 64, "64 goroutines for 8 places": 8} {
		b.Run(name, func(b *testing.B) {
			transport, req := limitless(b, inFlight), newGet(b)
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					for next.Add(1) <= int64(b.N) {
						send(b, transport, req)
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkPointsOfAFullWindow is the decision about a request that has to wait
// for points, with as many requests in the window as GitHub allows.
func BenchmarkPointsOfAFullWindow(b *testing.B) {
	p, now := newPoints(900, true), time.Unix(0, 0)
	for i := range 900 {
		p.take(now.Add(time.Duration(i)*time.Millisecond), false)
	}
	now = now.Add(time.Second)
	b.ReportAllocs()
	for b.Loop() {
		if !p.readyAt(now, true).After(now) {
			b.Fatal("the window must be full")
		}
	}
}
