package ghapp

import "time"

// Clock tells the time and waits. Tests put a virtual one in its place.
type Clock interface {
	Now() time.Time
	// After sends once d has passed, as time.After does.
	After(d time.Duration) <-chan time.Time
}

// SystemClock is the clock of the machine.
type SystemClock struct{}

// Now is time.Now.
func (SystemClock) Now() time.Time { return time.Now() }

// After is time.After.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
