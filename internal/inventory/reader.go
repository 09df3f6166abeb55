package inventory

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// DefaultMaxStaleness is how old a snapshot may be that stands for a reading.
const DefaultMaxStaleness = 7 * 24 * time.Hour

// List is a paged listing as far as it was read. The zero List is incomplete.
type List[T any] struct {
	Items     []T
	Pages     int       // REST calls it took
	Complete  bool      // everything the pages promised arrived
	Shortfall string    // why it is not complete
	ReadAt    time.Time // when the reading began that Items are of
}

// GitHub lists packages and versions. An error comes with what was read. expect is
// how many versions there may be, 0 for unknown: a hint for how many pages to ask for
// at once.
type GitHub interface {
	Packages(ctx context.Context, owner retention.Owner, t retention.PackageType) (List[retention.Package], error)
	Versions(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, state retention.State, how Paging) (List[retention.Version], error)
}

// Paging says how a package's versions are listed.
type Paging struct {
	Expect  int  // how many there may be: so many pages can be asked for at once
	Settled bool // several pages are read until two readings in a row agree
}

// Graphs reads reference graphs. *oci.Reader is one.
type Graphs interface {
	Graph(ctx context.Context, owner, name string, versions []retention.Version) (oci.Result, error)
}

// Ledger knows what this system deleted: by version, and under the zero ID the
// package itself.
type Ledger interface {
	DeletedBy(ctx context.Context, ref retention.PackageRef) (map[retention.ID]retention.DeletedBy, error)
}

// Snapshots keeps the last complete reading of each package.
type Snapshots interface {
	SaveSnapshot(ctx context.Context, inv retention.Inventory) error
	Snapshot(ctx context.Context, ref retention.PackageRef) (inv retention.Inventory, ok bool, err error)
	// Known goes over the heads of all of an owner's; after an error it ends.
	Known(ctx context.Context, owner string) iter.Seq2[retention.KnownPackage, error]
}

// Config is what a Reader works with. All but the last two are required.
type Config struct {
	GitHub    GitHub
	Graphs    Graphs
	Ledger    Ledger
	Snapshots Snapshots
	Now       func() time.Time

	// MaxStaleness is the greatest age of a snapshot that stands for a
	// reading; 0 means DefaultMaxStaleness, less than 0 that none does.
	MaxStaleness time.Duration
	// IsPause tells errors that mean "stop now and go on later" (a rate limit)
	// from failures to read one package. They are returned as errors, never
	// reported as problems. Nil means that there are none.
	IsPause func(error) bool
}

// Reader reads packages whole. It is safe for concurrent use.
type Reader struct {
	github       GitHub
	graphs       Graphs
	ledger       Ledger
	snapshots    Snapshots
	now          func() time.Time
	maxStaleness time.Duration
	isPause      func(error) bool
	saved        atomic.Int64
}

// Saved is how many list pages the snapshots have made needless so far.
func (r *Reader) Saved() int { return int(r.saved.Load()) }

// New returns a Reader. It makes no call.
func New(c Config) (*Reader, error) {
	if c.GitHub == nil || c.Graphs == nil || c.Ledger == nil || c.Snapshots == nil || c.Now == nil {
		return nil, errors.New("inventory reader: GitHub, the registry, the ledger, the snapshots and a clock are required")
	}
	r := &Reader{
		github: c.GitHub, graphs: c.Graphs, ledger: c.Ledger, snapshots: c.Snapshots, now: c.Now,
		maxStaleness: c.MaxStaleness, isPause: c.IsPause,
	}
	if r.maxStaleness == 0 {
		r.maxStaleness = DefaultMaxStaleness
	}
	if r.isPause == nil {
		r.isPause = func(error) bool { return false }
	}
	return r, nil
}

// stops reports whether err must end the work instead of becoming a problem of
// the package: the context has ended, or a limit asks for a pause.
func (r *Reader) stops(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || r.isPause(err))
}
