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
)

// The bounds of the percentage, as GOGC means it: 50 lets the heap grow to one
// and a half times of what is held.
const (
	least = 50
	most  = 1000
)

// Keep lets the heap grow to floor bytes before the first collection, and from
// then on sets the pace anew after each. It is called once, by main.
func Keep(floor uint64) {
	debug.SetGCPercent(Percent(0, floor))
	arm(floor, Percent(0, floor))
}

// Percent is the percentage for a heap that holds live bytes.
func Percent(live, floor uint64) int {
	if live == 0 || floor/live > most/100 {
		return most
	}
	return max(least, int(100*floor/live)-100)
}

// arm leaves an object for the collector to find. Its finalizer runs after the
// collection and leaves the next one.
func arm(floor uint64, now int) {
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		next := Percent(live(), floor)
		if next != now {
			debug.SetGCPercent(next)
		}
		arm(floor, next)
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
