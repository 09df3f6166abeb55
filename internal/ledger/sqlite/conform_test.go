package sqlite

import (
	"testing"

	"github.com/shelflife-dev/shelflife/internal/sweep"
	"github.com/shelflife-dev/shelflife/internal/sweep/sweeptest"
)

func TestSweepsAndPlansConform(t *testing.T) {
	db := openNew(t)
	sweeptest.Sweeps(t, func(*testing.T) sweep.Sweeps { return db })
	sweeptest.Plans(t, func(*testing.T) sweep.Plans { return db })
}
