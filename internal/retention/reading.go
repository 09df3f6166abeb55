package retention

import "time"

// Reading is one content of a package that was read, and how long it was the last.
type Reading struct {
	Since   time.Time // the first reading that found it
	Until   time.Time // the last one
	Digest  []byte    // of the content
	Present bool      // it is the snapshot of now
}
