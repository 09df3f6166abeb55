package ghapp

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Off turns off an option whose zero value means the default.
const Off = -1

// maxInFlight is GitHub's own bound on concurrent requests.
const maxInFlight = 100

// GovernorOptions says how much one credential may ask for. Zero fields take
// the defaults named with them.
type GovernorOptions struct {
	MaxInFlight     int           // requests at once, 1 to 100; 8
	PointsPerMinute int           // GET, HEAD, OPTIONS cost 1, others 5; at least 5; 900; Off: no bound
	WriteSpacing    time.Duration // between the starts of two writes; 334 ms, which is under 180 a minute; Off: none
	ReservePercent  int           // of the hourly limit left to others, up to 99; 10; Off: none
	MaxWait         time.Duration // longest wait for a limit before PausedError; 2 minutes
	AttemptTimeout  time.Duration // longest time for one answer, body included; 1 minute
	RecoverAfter    int           // good answers per request more in flight after a secondary limit; 50

	Clock   Clock          // SystemClock
	Jitter  func() float64 // from [0,1); math/rand
	Observe func(Event)    // called after every attempt, possibly at once from several goroutines
}

// RegistryGovernorOptions are the options for ghcr.io: it has no points and no
// quota, only Retry-After and a number of requests at once.
func RegistryGovernorOptions() GovernorOptions {
	return GovernorOptions{PointsPerMinute: Off, WriteSpacing: Off, ReservePercent: Off}
}

func (o GovernorOptions) normalized() (GovernorOptions, error) {
	orDefault(&o.MaxInFlight, 8)
	orDefault(&o.PointsPerMinute, 900)
	orDefault(&o.WriteSpacing, 334*time.Millisecond)
	orDefault(&o.ReservePercent, 10)
	orDefault(&o.MaxWait, 2*time.Minute)
	orDefault(&o.AttemptTimeout, time.Minute)
	orDefault(&o.RecoverAfter, 50)
	if o.Clock == nil {
		o.Clock = SystemClock{}
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	switch {
	case o.MaxInFlight < 1 || o.MaxInFlight > maxInFlight:
		return o, fmt.Errorf("governor: %d requests in flight; set 1 to %d", o.MaxInFlight, maxInFlight)
	case o.PointsPerMinute > 0 && o.PointsPerMinute < writePoints:
		return o, fmt.Errorf("governor: %d points per minute are less than one write costs; set at least %d", o.PointsPerMinute, writePoints)
	case o.ReservePercent > 99:
		return o, fmt.Errorf("governor: a reserve of %d%% leaves nothing; set at most 99", o.ReservePercent)
	case o.MaxWait < 0 || o.AttemptTimeout < 0 || o.RecoverAfter < 0:
		return o, fmt.Errorf("governor: negative wait, timeout or recovery; set positive values")
	}
	o.ReservePercent = max(0, o.ReservePercent)
	return o, nil
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
