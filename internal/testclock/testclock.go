// Package testclock is a clock that stands still until it is told to go on. It is
// for tests only.
package testclock

import (
	"fmt"
	"sync"
	"time"
	"unsafe"
)

// Clock is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// New is a clock that shows an instant.
func New(at time.Time) *Clock { return &Clock{now: at} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock, back where d is negative, and returns what it shows then.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Tick has the clock show the same instants as a running machine's, which Sleep needs:
// by the wall, and by the clock that Go measures by.
func (c *Clock) Tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.now = now.Add(c.now.Sub(now.Round(0)))
}

// Sleep has the machine sleep: see Asleep.
func (c *Clock) Sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = Asleep(c.now, d)
}

// Asleep is the instant at which a machine wakes up that fell asleep at another, which
// must come from time.Now: the clock on the wall went on by d, the one that Go measures
// by did not. There is no other way to make such an instant than to change what
// time.Time keeps in its second field; Asleep panics where that has become another.
func Asleep(at time.Time, d time.Duration) time.Time {
	woken := at.Add(d)
	(*[2]int64)(unsafe.Pointer(&woken))[1] -= int64(d)
	if woken.Sub(at) != 0 || woken.Round(0).Sub(at.Round(0)) != d {
		panic(fmt.Sprintf("testclock: %v can't be made one of a machine that slept", at))
	}
	return woken
}

// After is time.After of this clock, but for the waiting: it moves the clock.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	ch := make(chan time.Time, 1)
	ch <- c.Advance(max(0, d))
	return ch
}
