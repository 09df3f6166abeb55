package ghapp

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// hourly is a server's quota of requests per period. It tells in every answer
// what is left, and remembers who came when there was nothing for them.
type hourly struct {
	limit, reserve int
	begin          time.Time
	used           map[int]int       // by period
	heard          map[int]time.Time // when the first answer of a period was out
	tooMany        string
}

const quotaPeriod = 10 * time.Minute

func newHourly(limit, reservePercent int) *hourly {
	return &hourly{
		limit: limit, reserve: limit * reservePercent / 100, begin: time.Now(),
		used: map[int]int{}, heard: map[int]time.Time{},
	}
}

// apply counts a request that arrives now and completes its answer. A failed
// connection reached nobody.
func (h *hourly) apply(a answer) answer {
	if h.limit == 0 || a.err != nil {
		return a
	}
	now := time.Now()
	period := int(now.Sub(h.begin) / quotaPeriod)
	h.used[period]++
	left := h.limit - h.used[period]
	first, heard := h.heard[period]
	if left < 0 || heard && first.Before(now) && left < h.reserve {
		h.tooMany = fmt.Sprintf("request at %s left %d of %d, %d are reserved", now, left, h.limit, h.reserve)
	}
	if out := now.Add(a.latency); !heard || out.Before(first) {
		h.heard[period] = out
	}
	header := maps.Clone(a.header)
	if header == nil {
		header = map[string]string{}
	}
	header["X-Ratelimit-Limit"] = strconv.Itoa(h.limit)
	header["X-Ratelimit-Remaining"] = strconv.Itoa(max(0, left))
	header["X-Ratelimit-Reset"] = strconv.FormatInt(h.begin.Add(quotaPeriod*time.Duration(period+1)).Unix(), 10)
	a.header = header
	return a
}

// overdrawn says who came too often, if anybody: beyond the limit, or into the
// reserve although it was known.
func (h *hourly) overdrawn() string { return h.tooMany }
