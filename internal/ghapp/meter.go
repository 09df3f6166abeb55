package ghapp

import (
	"net/http"
	"sync/atomic"
)

// Meter counts what passes it, retries included. Put over a Connection's
// transport it counts one owner's requests, which the figures of a governor
// shared with other owners cannot tell apart. It also sees the App's own
// requests, which Stats does not hold.
type Meter struct {
	next          http.RoundTripper
	reads, writes atomic.Int64
}

// NewMeter returns a meter over next.
func NewMeter(next http.RoundTripper) *Meter { return &Meter{next: next} }

// RoundTrip counts req and sends it.
func (m *Meter) RoundTrip(req *http.Request) (*http.Response, error) {
	if safe(req) {
		m.reads.Add(1)
	} else {
		m.writes.Add(1)
	}
	return m.next.RoundTrip(req)
}

// Counts returns the requests so far.
func (m *Meter) Counts() (reads, writes int) {
	return int(m.reads.Load()), int(m.writes.Load())
}
