package enforce

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Reader reads packages whole. *inventory.Reader is one.
type Reader interface {
	List(ctx context.Context, owner retention.Owner, types []retention.PackageType) (inventory.Listing, error)
	Read(ctx context.Context, owner retention.Owner, pkg retention.Package, opts inventory.Options) (retention.Inventory, error)
}

// Looker reads single packages and versions at the moment of a call.
type Looker interface {
	GetPackage(ctx context.Context, owner retention.Owner, t retention.PackageType, name string) (retention.Package, error)
	GetVersion(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (retention.Version, error)
	Confirm(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (packages.Presence, error)
}

// Writer makes the four calls that change something. *packages.Client is both.
type Writer interface {
	DeletePackage(ctx context.Context, owner retention.Owner, t retention.PackageType, name string) (packages.Receipt, error)
	RestorePackage(ctx context.Context, owner retention.Owner, t retention.PackageType, name, token string) (packages.Receipt, error)
	DeleteVersion(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (packages.Receipt, error)
	RestoreVersion(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (packages.Receipt, error)
}

// Judge asks the policies about one package. *policy.Engine is one.
type Judge interface {
	Decide(ctx context.Context, req policy.Request) (retention.Judgement, error)
	NeedsDeleted() bool
}

// Progress hears how far long work has come.
type Progress interface {
	Start(label string, total int)
	Add(n int)
	Done()
}

// Silent is a Progress that nobody hears of.
type Silent struct{}

// Start begins nothing.
func (Silent) Start(string, int) {}

// Add counts nothing.
func (Silent) Add(int) {}

// Done ends nothing.
func (Silent) Done() {}

// Target is one owner with the access that its own credential gives. Nothing
// outside the given targets is ever read or touched.
type Target struct {
	Owner  retention.Owner
	Mode   retention.Mode
	Limits retention.Limits
	Types  []retention.PackageType
	Match  func(name string) bool // which packages; nil means all
	Reader Reader
	Looker Looker
	Writer Writer // bound to the acting credential
	Calls  func() guard.Calls
}

// Enforcer plans and applies. Its fields are set once, before use.
type Enforcer struct {
	Ledger   *ledger.Ledger
	Now      func() time.Time
	Progress Progress
	Workers  int           // packages read and judged at the same time; 0 means 4
	Expiry   time.Duration // how long a plan may be applied; 0 means PlanExpiry
	Actor    string        // who is behind the runs, for the ledger
}

// NewID returns an identifier for a plan and its run: the time to the second, so
// that ids sort, and 4 random bytes.
func NewID(now time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:])
}

func (e *Enforcer) workers() int {
	if e.Workers > 0 {
		return e.Workers
	}
	return 4
}

func (e *Enforcer) expiry() time.Duration {
	if e.Expiry > 0 {
		return e.Expiry
	}
	return PlanExpiry
}

// find returns the target of an owner.
func find(targets []Target, login string) (Target, bool) {
	for _, t := range targets {
		if retention.SameLogin(t.Owner.Login, login) {
			return t, true
		}
	}
	return Target{}, false
}
