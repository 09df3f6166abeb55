package policyset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/policy"
)

const (
	// RefreshEvery is how long one decides by a bundle before its source is asked
	// for a newer one: a call with an ETag.
	RefreshEvery = 5 * time.Minute
	// refreshTime bounds one look at the source.
	refreshTime = time.Minute
)

// Following is what a Follower begins with and how it goes on. Everything but
// MaxAge must be set.
type Following struct {
	Engine *policy.Engine // loaded at the start
	Status bundles.Status // of its bundle
	// Load loads the policies of the bundle that is published now.
	Load   func(ctx context.Context) (*policy.Engine, bundles.Status, error)
	MaxAge time.Duration // policies.bundle_max_age; 0 means bundles.DefaultMaxAge
	Now    func() time.Time
	Log    *slog.Logger
}

// Follower keeps up with a published bundle for a process that runs for long. It
// never hands out policies whose source has not confirmed them for MaxAge.
type Follower struct {
	Following
	mu      sync.Mutex // guards all below, and Engine and Status
	askedAt time.Time
	refused error // why there are no policies, whatever their age
}

// Follow begins with policies that were loaded just now.
func Follow(f Following) *Follower {
	if f.MaxAge == 0 {
		f.MaxAge = bundles.DefaultMaxAge
	}
	return &Follower{Following: f, askedAt: f.Now()}
}

// Policies are those in force, or why there are none that may be used.
func (f *Follower) Policies() (*policy.Engine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused != nil {
		return nil, f.refused
	}
	if c := f.Status.ConfirmedAt; !c.IsZero() && f.Now().Sub(c) > f.MaxAge {
		return nil, fmt.Errorf("%w: revision %q was last confirmed %s ago (policies.bundle_max_age)", bundles.ErrStale, f.Status.Revision, bundles.Days(f.Now().Sub(c)))
	}
	return f.Engine, nil
}

// Last are the policies that were in force last, for showing them.
func (f *Follower) Last() *policy.Engine {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Engine
}

// Refresh asks the source when it is time to, and at each call while that fails.
func (f *Follower) Refresh(ctx context.Context) {
	f.mu.Lock()
	due := f.askedAt.IsZero() || f.Now().Sub(f.askedAt) >= min(RefreshEvery, f.MaxAge/2)
	f.mu.Unlock()
	if !due {
		return
	}
	lctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	engine, status, err := f.Load(lctx)
	if ctx.Err() != nil {
		return // the process ends
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.failed(ctx, err)
		return
	}
	f.took(ctx, engine, status)
}

// failed keeps what is in force, until it is too old, where the failure says
// nothing against it: a bundle that has to have a good signature and has none, or
// none that is young enough, leaves nothing in force. Nor does a file, which has no
// stand-in.
func (f *Follower) failed(ctx context.Context, err error) {
	f.askedAt = time.Time{}
	if errors.Is(err, bundles.ErrStale) || errors.Is(err, policy.ErrUnverified) || f.Status.ConfirmedAt.IsZero() {
		f.refused = err
	}
	if f.refused != nil {
		f.Log.ErrorContext(ctx, "the policy bundle is refused or missing; nothing is deleted until there is a good one", "error", err.Error())
		return
	}
	f.Log.ErrorContext(ctx, "the policy bundle can't be loaded; the one before stays in force for policies.bundle_max_age",
		"revision", f.Status.Revision, "confirmed_at", f.Status.ConfirmedAt, "error", err.Error())
}

func (f *Follower) took(ctx context.Context, engine *policy.Engine, status bundles.Status) {
	if status.StandsIn != nil {
		f.Log.WarnContext(ctx, "the last good policy bundle stands in for the published one", "bundle", status.Source,
			"revision", status.Revision, "digest", status.Digest, "age", status.Age.String(), "error", status.StandsIn.Error())
	}
	if b := Bundle(engine); f.refused != nil || b != Bundle(f.Engine) {
		f.Log.InfoContext(ctx, "policies", "revision", b.Revision, "digest", b.Digest, "params_digest", b.ParamsDigest)
	}
	f.askedAt, f.refused, f.Engine, f.Status = f.Now(), nil, engine, status
}
