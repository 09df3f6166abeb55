package gcpace

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercentReachesTheFloorAndThenGrowsByHalf(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		name string
		live uint64
		want int
	}{
		{"nothing is held yet", 0, 1000},
		{"a hundredth of the floor", mb / 2, 1000},
		{"an eighth of the floor", 8 * mb, 700},
		{"half of the floor", 32 * mb, 100},
		{"just at the floor", 64 * mb, 50},
		{"ten times the floor", 640 * mb, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Percent(c.live, 64*mb); got != c.want {
				t.Errorf("Percent(%d MB) = %d, want %d", c.live/mb, got, c.want)
			}
		})
	}
}

// TestKeepFollowsWhatIsHeld holds more than the floor and looks for the pace to
// come down, then lets it go.
func TestKeepFollowsWhatIsHeld(t *testing.T) {
	t.Cleanup(func() { Keep(0) })
	if before := Keep(8 << 20); before != 0 {
		t.Errorf("%d bytes were kept before anybody asked", before)
	}
	held := make([]byte, 64<<20)
	if got := settled(t, func(p int) bool { return p == least }); got != least {
		t.Errorf("with 64 MB held over a floor of 8 MB the percentage is %d, want %d", got, least)
	}
	runtime.KeepAlive(held)
	held = nil
	if got := settled(t, func(p int) bool { return p > least }); got <= least {
		t.Errorf("with nothing held the percentage stays at %d", got)
	}
	if before := Keep(16 << 20); before != 8<<20 {
		t.Errorf("%d bytes were kept before, want 8 MB", before)
	}
	Keep(0)
	if got := settled(t, func(p int) bool { return p == 100 }); got != 100 {
		t.Errorf("given back to the runtime, the percentage is %d, want its own 100", got)
	}
}

// settled collects until the percentage is as wanted, five seconds at most.
func settled(t *testing.T, wanted func(int) bool) int {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		runtime.GC()
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		if wanted(p) || time.Now().After(deadline) {
			return p
		}
	}
}
