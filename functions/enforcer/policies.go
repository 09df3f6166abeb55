package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/shelflife-dev/shelflife/internal/bundles/awsbundle"
	"github.com/shelflife-dev/shelflife/internal/dispatch"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// bundleTTL is how long a sandbox decides by a bundle before it asks for a newer
// one; a call with an ETag.
const bundleTTL = policyset.RefreshEvery

// function answers events by the policies that are in force.
type function struct {
	*parts
	sources policybundle.Sources

	mu       sync.Mutex
	current  *dispatch.Dispatcher
	bundleOf guard.Bundle // what current decides by
	loadedAt time.Time
}

// newFunction loads what needs no call: policies of the package's own. A bundle is
// fetched with the first event.
func newFunction(p *parts, cfg aws.Config) (*function, error) {
	f := &function{parts: p, sources: policybundle.Sources{
		Store: awsbundle.NewStore(newS3(cfg), p.settings.Bucket), Now: p.now,
		S3:  func(context.Context) (awsbundle.S3, error) { return newS3(cfg), nil },
		KMS: func(context.Context) (awsbundle.KMS, error) { return p.keys, nil },
	}}
	if p.settings.Config.Policies.Bundle != "" {
		return f, nil
	}
	engine, _, err := policyset.Load(context.Background(), p.settings.Config, f.sources)
	if err != nil {
		return nil, err
	}
	return f, f.use(engine, policyset.Bundle(engine))
}

// use makes the dispatcher anew for other policies.
func (f *function) use(j judge, b guard.Bundle) (err error) {
	f.judge, f.bundle, f.bundleOf = j, b, b
	f.current, err = f.dispatcher()
	return err
}

// Invoke answers one event.
func (f *function) Invoke(ctx context.Context, event json.RawMessage) (any, error) {
	d, err := f.inForce(ctx)
	if err != nil {
		return nil, err
	}
	return d.Invoke(ctx, event)
}

// inForce is the dispatcher of the policies that are published now.
func (f *function) inForce(ctx context.Context) (*dispatch.Dispatcher, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.settings.Config.Policies.Bundle == "" || f.current != nil && f.now().Sub(f.loadedAt) < bundleTTL {
		return f.current, nil
	}
	engine, status, err := policyset.Load(ctx, f.settings.Config, f.sources)
	if err != nil {
		// Commands are answered all the same: somebody has to be able to look.
		f.log.ErrorContext(ctx, "the policy bundle is refused or missing; nothing is deleted until there is a good one",
			"bundle", f.settings.Config.Policies.Bundle, "error", err)
		f.loadedAt = time.Time{} // the next event asks again
		if err := f.use(noPolicies{err}, guard.Bundle{Revision: "none"}); err != nil {
			return nil, err
		}
		return f.current, nil
	}
	if status.StandsIn != nil {
		f.log.WarnContext(ctx, "the last good policy bundle stands in for the published one", "bundle", status.Source,
			"revision", status.Revision, "digest", status.Digest, "age", status.Age.String(), "error", status.StandsIn)
	}
	f.loadedAt = f.now()
	if b := policyset.Bundle(engine); f.current == nil || b != f.bundleOf {
		f.log.InfoContext(ctx, "policies", "revision", b.Revision, "digest", b.Digest, "params_digest", b.ParamsDigest)
		if err := f.use(engine, b); err != nil {
			return nil, err
		}
	}
	return f.current, nil
}

// judge decides. *policy.Engine is one.
type judge interface {
	Decide(ctx context.Context, req policy.Request) (retention.Judgement, error)
	NeedsDeleted() bool
}

// noPolicies stands where policies can't be had: it fails for every package, and
// so nothing of any is deleted.
type noPolicies struct{ reason error }

// Decide fails.
func (n noPolicies) Decide(_ context.Context, req policy.Request) (retention.Judgement, error) {
	ref := req.Inventory.Ref()
	return retention.Judgement{EvaluatedAt: req.EvaluatedAt, Failures: []retention.Problem{{
		Owner: ref.Owner, Package: ref.String(), Kind: retention.ProblemPolicy, Detail: "there are no policies: " + n.reason.Error(),
	}}}, nil
}

// NeedsDeleted is false.
func (noPolicies) NeedsDeleted() bool { return false }
