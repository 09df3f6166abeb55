package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/bundles/awsbundle"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

// maxKeyBytes bounds a key file; an RSA key of 16,384 bits is smaller.
const maxKeyBytes = 64 << 10

// bundleOptions adds the configured bundle, verified, to what is loaded. The status
// says whether the last good one stands in for it, which has to be told.
func bundleOptions(ctx context.Context, cfg config.Config, store bundles.Store, now func() time.Time, opts policy.Options) (policy.Options, bundles.Status, error) {
	var status bundles.Status
	if cfg.Policies.Bundle == "" {
		return opts, status, nil
	}
	var err error
	if opts.Key, err = verificationKey(ctx, cfg.Policies); err != nil {
		return opts, status, usage(err)
	}
	if !strings.Contains(cfg.Policies.Bundle, "://") {
		// A file is its own copy: nothing stands in for one that is refused.
		if opts.Bundle, err = readAtMost(cfg.Policies.Bundle, policy.MaxBundleBytes); err != nil {
			return opts, status, usagef("read policies.bundle: %w", err)
		}
		return opts, bundles.Status{Source: cfg.Policies.Bundle, Digest: bundles.Digest(opts.Bundle)}, nil
	}
	source, err := bundleSource(ctx, cfg.Policies, store, now)
	if err != nil {
		return opts, status, usagef("policies.bundle: %w", err)
	}
	opts.Bundle, status, err = bundles.Load(ctx, source, func(ctx context.Context, archive []byte) ([]byte, string, error) {
		// With nothing of the configuration: a wrong parameter is no fault of the bundle.
		e, err := policy.Load(ctx, policies.FS, policy.Options{Bundle: archive, Key: opts.Key})
		if err != nil {
			return nil, "", err
		}
		return archive, e.Bundle().Revision, nil
	})
	if errors.Is(err, policy.ErrUnverified) || errors.Is(err, bundles.ErrStale) {
		err = &codeError{code: exitHeld, err: err}
	}
	if err != nil {
		return opts, bundles.Status{Source: source.Name}, err
	}
	return opts, status, nil
}

// warnOfKept says, whatever is quiet, that the policies are not the published ones.
func (a *app) warnOfKept(s bundles.Status) {
	if s.StandsIn == nil {
		return
	}
	fmt.Fprintf(a.err, "shelflife: WARNING: the policy bundle %s can't be used: %v\nshelflife: WARNING: going on with the last good one, revision %s, confirmed %s ago\n",
		s.Source, s.StandsIn, s.Revision, bundles.Days(s.Age))
}

// bundleSource is where the configured bundle is published.
func bundleSource(ctx context.Context, p config.Policies, store bundles.Store, now func() time.Time) (bundles.Source, error) {
	out := bundles.Source{Name: p.Bundle, Store: store, MaxAge: p.BundleMaxAge, Now: now}
	if strings.HasPrefix(p.Bundle, "s3://") {
		aws, err := awsconfig.LoadDefaultConfig(ctx)
		if err != nil {
			return out, fmt.Errorf("sign in to AWS: %w", err)
		}
		out.Getter, err = awsbundle.NewGetter(s3.NewFromConfig(aws, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }), p.Bundle, policy.MaxBundleBytes)
		return out, err
	}
	getter, err := bundles.NewHTTP(p.Bundle, policy.MaxBundleBytes, nil)
	if err != nil {
		return out, err
	}
	out.Name, out.Getter = getter.Name(), getter
	return out, nil
}

// verificationKey reads the configured key: a file, or the ARN of a KMS key.
func verificationKey(ctx context.Context, p config.Policies) (policy.VerificationKey, error) {
	key := policy.VerificationKey{ID: p.VerificationKeyID, Scope: p.VerificationScope}
	if p.VerificationKey == "" {
		return key, nil
	}
	var err error
	if strings.HasPrefix(p.VerificationKey, "arn:") {
		aws, awsErr := awsconfig.LoadDefaultConfig(ctx)
		if awsErr != nil {
			return key, fmt.Errorf("policies.verification_key: sign in to AWS: %w", awsErr)
		}
		key.PEM, err = awsbundle.PublicKey(ctx, kms.NewFromConfig(aws), p.VerificationKey)
	} else {
		key.PEM, err = readAtMost(p.VerificationKey, maxKeyBytes)
	}
	if err == nil && key.IsZero() {
		err = fmt.Errorf("%s is empty", p.VerificationKey) // never: no key, nothing to verify
	}
	if err == nil {
		err = key.Check()
	}
	if err != nil {
		return key, fmt.Errorf("policies.verification_key: %w", err)
	}
	return key, nil
}

// readAtMost reads a file that may have so many bytes.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s is larger than %s; is this the right file?", path, sizeOf(limit))
	}
	return data, nil
}

func sizeOf(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// forgets is the store of a command that opens no state file.
type forgets struct{}

func (forgets) Bundle(context.Context, string) (bundles.Kept, bool, error) {
	return bundles.Kept{}, false, nil
}
func (forgets) KeepBundle(context.Context, bundles.Kept) error { return nil }
