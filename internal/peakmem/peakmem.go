// Package peakmem measures how much memory another process takes at most. It is for
// benchmarks and tests.
package peakmem

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// every is how often the peak of a process is looked at. It only grows, so that
// what is missed is at most what came in the last moment.
const every = 20 * time.Millisecond

// Watch follows the most memory that a process has had resident. The function that
// it returns ends that, and gives it in bytes, 0 where it is not known (elsewhere
// than on Linux).
//
// What the kernel tells of a process that has ended (ru_maxrss) is of no use here:
// it begins with what the parent had at the fork.
func Watch(pid int) (stop func() int64) {
	done, peak := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			most = max(most, resident(pid))
			select {
			case <-tick.C:
			case <-done:
				peak <- most
				return
			}
		}
	}()
	return func() int64 { close(done); return <-peak }
}

// resident is VmHWM of /proc/PID/status.
func resident(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // it has ended
	}
	_, rest, found := bytes.Cut(raw, []byte("VmHWM:"))
	number, _, ends := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	if !found || !ends {
		return 0
	}
	kilobytes, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
