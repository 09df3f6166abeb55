package ghapp

import (
	"net/http"
	"strconv"
	"time"
)

// resetMargin is added to x-ratelimit-reset, which is in whole seconds of
// GitHub's clock.
const resetMargin = time.Second

// Quota is what GitHub last said about an hourly limit.
type Quota struct {
	Resource  string    `json:"resource"` // GitHub's name, such as "core"
	Limit     int       `json:"limit"`
	Remaining int       `json:"remaining"`
	Reset     time.Time `json:"reset"`
}

// readQuota reads the x-ratelimit headers. ok is false when they are not there,
// as on GitHub Enterprise Server with limits off and on ghcr.io.
func readQuota(h http.Header) (q Quota, ok bool) {
	remaining, err := strconv.Atoi(h.Get("X-Ratelimit-Remaining"))
	if err != nil {
		return Quota{}, false
	}
	reset, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil || reset <= 0 {
		return Quota{}, false
	}
	q = Quota{Resource: h.Get("X-Ratelimit-Resource"), Remaining: remaining, Reset: time.Unix(reset, 0)}
	if limit, err := strconv.Atoi(h.Get("X-Ratelimit-Limit")); err == nil {
		q.Limit = limit
	}
	return q, true
}

// quotas holds the newest known quota of each resource.
type quotas struct {
	reservePercent int
	known          map[string]Quota
}

// sameHour is how far two resets may lie apart and still mean the same hour:
// GitHub's move by a second or two from one answer to the next.
const sameHour = 10 * time.Second

// learn takes in what a response said. Responses arrive out of order, and in
// one hour a quota only shrinks, so the smaller number wins until the reset moves.
func (qs *quotas) learn(q Quota) {
	old, ok := qs.known[q.Resource]
	if ok {
		switch moved := q.Reset.Sub(old.Reset); {
		case moved < -sameHour:
			return
		case moved <= sameHour:
			q.Remaining = min(q.Remaining, old.Remaining)
			if moved < 0 {
				q.Reset = old.Reset
			}
		}
	}
	qs.known[q.Resource] = q
}

// hold says until when nothing may be sent because a quota is down to the
// reserve. busy is true when that will only be known once the requests in
// flight have been counted.
func (qs *quotas) hold(now time.Time, inFlight int) (until time.Time, reason Reason, busy bool) {
	for name, q := range qs.known {
		reset := q.Reset.Add(resetMargin)
		if !reset.After(now) {
			delete(qs.known, name)
			continue
		}
		reserve := q.Limit * qs.reservePercent / 100
		switch {
		case q.Remaining <= reserve:
			if reset.After(until) {
				until, reason = reset, ReasonReserve
				if q.Remaining <= 0 {
					reason = ReasonPrimary
				}
			}
		case q.Remaining-inFlight <= reserve:
			busy = true
		}
	}
	return until, reason, busy
}
