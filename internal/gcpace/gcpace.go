// Package gcpace makes the garbage collector run seldom while little is held,
// and no more often than it must when much is.
//
// Evaluating policies makes much short-lived garbage. With the usual setting the
// heap may grow to twice what is held, so a process that holds 5 MB collects
// every 5 MB. A fixed memory limit is no answer: a process that holds more than
// the limit collects all the time. Here the heap may always grow to a floor, and
// beyond that by half of what is held. The package never changes the memory limit.
package gcpace

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// The bounds of the percentage, as GOGC means it: 50 lets the heap grow to one
// and a half times of what is held.
const (
	least = 50
	most  = 1000
)

// floor is that of the process, as the collector's own settings are: 0 leaves
// them to the runtime.
var floor atomic.Uint64

// Keep lets the heap grow to so many bytes before the first collection, and from
// then on sets the pace anew after each. It returns what was kept before, 0 for
// nothing; keeping 0 gives the pace back to the runtime.
func Keep(bytes uint64) (before uint64) {
	before = floor.Swap(bytes)
	if bytes == 0 {
		debug.SetGCPercent(100)
		return before
	}
	debug.SetGCPercent(Percent(live(), bytes))
	if before == 0 {
		arm()
	}
	return before
}

// Percent is the percentage for a heap that holds live bytes.
func Percent(live, bytes uint64) int {
	if live == 0 || bytes/live > most/100 {
		return most
	}
	return max(least, int(100*bytes/live)-100)
}

// arm leaves an object for the collector to find. Its finalizer runs after the
// collection and leaves the next one.
func arm() {
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		if bytes := floor.Load(); bytes != 0 {
			debug.SetGCPercent(Percent(live(), bytes))
			arm()
		}
	})
}

// sentinel has a size and a pointer, so that it is never shared with others.
type sentinel struct{ _ [2]*byte }

// live is what the last collection found in use, in bytes.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
