package main

import (
	"context"
	"errors"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/bundles/awsbundle"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
)

// bundleOptions adds the configured bundle, verified, to what is loaded. The status
// says whether the last good one stands in for it, which has to be told.
func bundleOptions(ctx context.Context, cfg config.Config, store bundles.Store, now func() time.Time, opts policy.Options) (policy.Options, bundles.Status, error) {
	// AWS is signed in to as its own command line does, and only when it is named.
	sources := policybundle.Sources{
		Store: store, Now: now,
		S3: func(ctx context.Context) (awsbundle.S3, error) {
			c, err := awsconfig.LoadDefaultConfig(ctx)
			return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = c.BaseEndpoint != nil }), err
		},
		KMS: func(ctx context.Context) (awsbundle.KMS, error) {
			c, err := awsconfig.LoadDefaultConfig(ctx)
			return kms.NewFromConfig(c), err
		},
	}
	opts, status, err := sources.Options(ctx, cfg.Policies, opts)
	switch {
	case err == nil:
		return opts, status, nil
	case errors.Is(err, policy.ErrUnverified), errors.Is(err, bundles.ErrStale):
		err = &codeError{code: exitHeld, err: err}
	case errors.Is(err, policybundle.ErrSetup):
		err = usage(err)
	}
	return opts, status, err
}

// warnOfKept says, whatever is quiet, that the policies are not the published ones.
func (a *app) warnOfKept(s bundles.Status) {
	if s.StandsIn == nil {
		return
	}
	a.note("WARNING: the policy bundle %s can't be used: %v", s.Source, s.StandsIn)
	a.note("WARNING: going on with the last good one, revision %s, confirmed %s ago", s.Revision, bundles.Days(s.Age))
}
