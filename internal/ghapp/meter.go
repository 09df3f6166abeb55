package ghapp

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Meter counts what passes it, retries included. Put over a Connection's
// transport it counts one owner's requests, which the figures of a governor
// shared with other owners cannot tell apart. It also sees the App's own
// requests, which Stats does not hold.
type Meter struct {
	next          http.RoundTripper
	now           func() time.Time
	reads, writes atomic.Int64
	skew          atomic.Int64 // nanoseconds
}

// NewMeter returns a meter over next. now is this machine's clock.
func NewMeter(next http.RoundTripper, now func() time.Time) *Meter {
	return &Meter{next: next, now: now}
}

// RoundTrip counts req and sends it.
func (m *Meter) RoundTrip(req *http.Request) (*http.Response, error) {
	if safe(req) {
		m.reads.Add(1)
	} else {
		m.writes.Add(1)
	}
	resp, err := m.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		m.skew.Store(int64(m.now().Sub(date)))
	}
	return resp, nil
}

// Skew is how far this machine's clock was ahead of the server's at the last
// answer, to about a second; 0 before the first one, or when none bore a date.
func (m *Meter) Skew() time.Duration { return time.Duration(m.skew.Load()) }

// Counts returns the requests so far.
func (m *Meter) Counts() (reads, writes int) {
	return int(m.reads.Load()), int(m.writes.Load())
}
