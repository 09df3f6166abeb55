package enforce_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

// slowReader takes two minutes for every reading.
type slowReader struct {
	enforce.Reader
	clock    *testclock.Clock
	readings int
}

func (s *slowReader) Read(ctx context.Context, o retention.Owner, p retention.Package, opts inventory.Options) (retention.Inventory, error) {
	inv, err := s.Reader.Read(ctx, o, p, opts)
	s.clock.Advance(2 * time.Minute)
	s.readings++
	return inv, err
}

// changedReader reads from GitHub what its snapshots don't show.
type changedReader struct {
	enforce.Reader
	change func(*retention.Inventory)
}

func (c changedReader) Read(ctx context.Context, o retention.Owner, p retention.Package, opts inventory.Options) (retention.Inventory, error) {
	inv, err := c.Reader.Read(ctx, o, p, opts)
	if opts.Fresh && p.Name == "web" {
		c.change(&inv)
	}
	return inv, err
}

// heardClock tells of each wait, when it is over.
type heardClock struct {
	*testclock.Clock
	waited func(d time.Duration)
}

func (c heardClock) After(d time.Duration) <-chan time.Time {
	ch := c.Clock.After(d)
	c.waited(d)
	return ch
}

// escaped writes a package's name as the API takes it.
func escaped(pkg string) string { return strings.ReplaceAll(pkg, "/", "%2F") }

// hookedLooker does something right before or after the first look at a version.
type hookedLooker struct {
	enforce.Looker
	before bool
	hook   func()
}

func (l *hookedLooker) GetVersion(ctx context.Context, o retention.Owner, t retention.PackageType, name string, id retention.ID) (retention.Version, error) {
	hook := l.hook
	l.hook = nil
	if hook != nil && l.before {
		hook()
	}
	v, err := l.Looker.GetVersion(ctx, o, t, name, id)
	if hook != nil && !l.before {
		hook()
	}
	return v, err
}

// failing is a Judge of which a policy fails on one package, once it has been
// asked often enough.
type failing struct {
	enforce.Judge
	pkg   string
	after int

	mu    sync.Mutex
	asked int
}

func (f *failing) Decide(ctx context.Context, req policy.Request) (retention.Judgement, error) {
	j, err := f.Judge.Decide(ctx, req)
	if req.Inventory.Package.Name != f.pkg {
		return j, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked++; f.asked > f.after {
		j.Failures = append(j.Failures, retention.Problem{
			Owner: req.Inventory.Owner.Login, Package: req.Inventory.Ref().String(), Kind: retention.ProblemPolicy,
			Policy: "broken", Detail: "it divides by zero; mend it",
		})
	}
	return j, err
}

// cancelling is a Writer whose caller gives up before or after a deletion.
type cancelling struct {
	enforce.Writer
	cancel func()
	left   int
	after  bool
}

func (c *cancelling) DeleteVersion(ctx context.Context, o retention.Owner, t retention.PackageType, name string, id retention.ID) (packages.Receipt, error) {
	c.left--
	if c.left == 0 && !c.after {
		c.cancel()
	}
	r, err := c.Writer.DeleteVersion(ctx, o, t, name, id)
	if c.left == 0 {
		c.cancel()
	}
	return r, err
}
