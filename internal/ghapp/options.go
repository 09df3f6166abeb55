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

// maxWriteRate is far beyond what GitHub allows, for servers of one's own. The
// points per minute still hold.
const maxWriteRate = 1000

// GovernorOptions says how much one credential may ask for. Zero fields take
// the defaults named with them.
type GovernorOptions struct {
	MaxInFlight     int           // requests at once, 1 to 100; 8
	PointsPerMinute int           // GET, HEAD, OPTIONS cost 1, others 5; for reads and writes each; at least 5; 900, which is 180 writes; Off: no bound
	SharePoints     bool          // one budget for reads and writes from the start, rather than after the first secondary limit
	WriteStart      float64       // writes a second to begin with; 2, or less to fit the others
	WriteCeiling    float64       // that the rate rises to after writes that went well; 3, which is GitHub's own
	WriteFloor      float64       // that secondary limits, each of which halves the rate, bring it down to; 0.25, or less to fit the others
	WriteSpacing    time.Duration // fixed time between the starts of two writes, instead of the rate; Off: neither
	ReservePercent  int           // of the hourly limit left to others, up to 99; 10; Off: none
	MaxWait         time.Duration // longest wait for a limit before PausedError; 2 minutes
	DeadlineMargin  time.Duration // a wait must end this long before the context's deadline, or it is a PausedError; 1 second; Off: none
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
	orDefault(&o.WriteCeiling, 3)
	orDefault(&o.WriteStart, min(2, o.WriteCeiling))
	orDefault(&o.WriteFloor, min(0.25, o.WriteStart))
	orDefault(&o.DeadlineMargin, time.Second)
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
	case !(0 < o.WriteFloor && o.WriteFloor <= o.WriteStart && o.WriteStart <= o.WriteCeiling && o.WriteCeiling <= maxWriteRate):
		return o, fmt.Errorf("governor: write rates from %g to %g a second, starting at %g; set 0 < floor <= start <= ceiling <= %d",
			o.WriteFloor, o.WriteCeiling, o.WriteStart, maxWriteRate)
	case o.ReservePercent > 99:
		return o, fmt.Errorf("governor: a reserve of %d%% leaves nothing; set at most 99", o.ReservePercent)
	case o.MaxWait < 0 || o.AttemptTimeout < 0 || o.RecoverAfter < 0:
		return o, fmt.Errorf("governor: negative wait, timeout or recovery; set positive values")
	}
	o.ReservePercent = max(0, o.ReservePercent)
	o.DeadlineMargin = max(0, o.DeadlineMargin)
	return o, nil
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
