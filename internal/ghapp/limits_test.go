package ghapp

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBucketNeverExceedsItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(5, 50).Draw(t, "bound")
		b := bucket{perWindow: bound}
		now := time.Unix(0, 0)
		var spent []spending
		for range rapid.IntRange(1, 100).Draw(t, "requests") {
			points := rapid.SampledFrom([]int{1, 5}).Draw(t, "points")
			now = now.Add(time.Duration(rapid.IntRange(0, 30_000).Draw(t, "ms")) * time.Millisecond)
			at := b.readyAt(now, points)
			if at.Before(now) {
				t.Fatalf("ready at %s, before now %s", at, now)
			}
			if again := b.readyAt(at, points); !again.Equal(at) {
				t.Fatalf("told to come at %s and then at %s", at, again)
			}
			now = at
			b.take(now, points)
			spent = append(spent, spending{now, points})
			sum := 0
			for _, s := range spent {
				if now.Sub(s.at) <= time.Minute {
					sum += s.points
				}
			}
			if sum > bound {
				t.Fatalf("%d points in the minute before %s, bound %d", sum, now, bound)
			}
		}
	})
}

func TestQuotasLearnOutOfOrder(t *testing.T) {
	now := time.Unix(1000, 0)
	at := func(remaining int, reset int64) Quota {
		return Quota{Resource: "core", Limit: 100, Remaining: remaining, Reset: time.Unix(reset, 0)}
	}
	for name, c := range map[string]struct {
		heard     []Quota
		remaining int
	}{
		"the smaller number wins":             {[]Quota{at(50, 2000), at(52, 2000)}, 50},
		"also when the reset moves a little":  {[]Quota{at(50, 2000), at(52, 2001), at(51, 1999)}, 50},
		"a new hour starts anew":              {[]Quota{at(5, 2000), at(100, 5600)}, 100},
		"an answer from last hour is too old": {[]Quota{at(100, 5600), at(5, 2000)}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			qs := quotas{known: map[string]Quota{}}
			for _, q := range c.heard {
				qs.learn(q)
			}
			if got := qs.known["core"].Remaining; got != c.remaining {
				t.Errorf("remaining %d, want %d", got, c.remaining)
			}
			if until, _, busy := qs.hold(now, c.remaining-1); !until.IsZero() || busy {
				t.Errorf("held until %s, busy %v with one request to spare", until, busy)
			}
			if _, _, busy := qs.hold(now, c.remaining); !busy {
				t.Error("requests in flight must count against what remains")
			}
		})
	}
}
