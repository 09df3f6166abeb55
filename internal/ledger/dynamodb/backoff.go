package dynamodb

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// errBusy means that DynamoDB left something undone time after time.
var errBusy = errors.New("DynamoDB is throttling: try again later, or raise the table's throughput limit")

// backoff is how often and after which waits something is tried again that
// DynamoDB answered, but did not do.
type backoff struct {
	attempts int
	first    time.Duration // doubles each time
	longest  time.Duration
}

// defaultBackoff gives up after about 10 s.
var defaultBackoff = backoff{attempts: 8, first: 50 * time.Millisecond, longest: 4 * time.Second}

// again waits before the given repetition, from 1: between half of the wait and
// the whole, so that workers that were refused together don't return together.
// It returns errBusy when there have been enough.
func (b backoff) again(ctx context.Context, attempt int) error {
	if attempt >= b.attempts {
		return errBusy
	}
	d := min(b.first<<min(attempt-1, 16), b.longest)
	t := time.NewTimer(d/2 + rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
