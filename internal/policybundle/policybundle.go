// Package policybundle gets the policy bundle that a configuration names, verified
// and in the form in which policies are loaded. The command line and the functions
// use it alike, so that both decide by the same bundle and report the same one.
//
// It never lets a bundle through that the configured key does not verify, and
// never takes a key that is empty for none.
package policybundle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/bundles/awsbundle"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

// MaxKeyBytes bounds a key file; an RSA key of 16,384 bits is smaller.
const MaxKeyBytes = 64 << 10

// ErrSetup marks what the configuration is to blame for: a key or a file that
// can't be read.
var ErrSetup = errors.New("policies")

// Sources are what it takes to get a bundle from anywhere. S3 and KMS are asked
// for clients only when a bundle or key is there.
type Sources struct {
	Store bundles.Store // keeps the last good one
	Now   func() time.Time
	S3    func(context.Context) (awsbundle.S3, error)
	KMS   func(context.Context) (awsbundle.KMS, error)
	HTTP  http.RoundTripper // for https addresses; nil means one of its own
}

// Options adds the configured bundle and its key to what is loaded; without one it
// changes nothing. Errors are policy.ErrUnverified, policy.ErrBundleArchive,
// policy.Findings, bundles.ErrUnavailable, bundles.ErrStale or ErrSetup. The status
// says whether the last good one stands in, which has to be told to somebody.
func (s Sources) Options(ctx context.Context, p config.Policies, o policy.Options) (policy.Options, bundles.Status, error) {
	if p.Bundle == "" {
		return o, bundles.Status{}, nil
	}
	var err error
	if o.Key, err = s.key(ctx, p); err != nil {
		return o, bundles.Status{}, fmt.Errorf("%w.verification_key: %w", ErrSetup, err)
	}
	if !strings.Contains(p.Bundle, "://") {
		// A file is its own copy: nothing stands in for one that is refused.
		if o.Bundle, err = bounded.ReadFile(p.Bundle, policy.MaxBundleBytes); err != nil {
			return o, bundles.Status{}, fmt.Errorf("%w.bundle: %w", ErrSetup, err)
		}
		return o, bundles.Status{Source: p.Bundle, Digest: bundles.Digest(o.Bundle)}, nil
	}
	source, err := s.source(ctx, p)
	if err != nil {
		return o, bundles.Status{}, fmt.Errorf("%w.bundle: %w", ErrSetup, err)
	}
	var status bundles.Status
	o.Bundle, status, err = bundles.Load(ctx, source, func(ctx context.Context, archive []byte) ([]byte, string, error) {
		// With nothing of the configuration: a wrong parameter is no fault of the bundle.
		e, err := policy.Load(ctx, policies.FS, policy.Options{Bundle: archive, Key: o.Key})
		if err != nil {
			return nil, "", err
		}
		return archive, e.Bundle().Revision, nil
	})
	return o, status, err
}

// source is where the bundle is published.
func (s Sources) source(ctx context.Context, p config.Policies) (bundles.Source, error) {
	out := bundles.Source{Name: p.Bundle, Store: s.Store, MaxAge: p.BundleMaxAge, Now: s.Now}
	if strings.HasPrefix(p.Bundle, "s3://") {
		client, err := s.S3(ctx)
		if err != nil {
			return out, fmt.Errorf("sign in to AWS: %w", err)
		}
		out.Getter, err = awsbundle.NewGetter(client, p.Bundle, policy.MaxBundleBytes)
		return out, err
	}
	getter, err := bundles.NewHTTP(p.Bundle, policy.MaxBundleBytes, s.HTTP)
	if err != nil {
		return out, err
	}
	out.Name, out.Key, out.Getter = getter.Name(), getter.Key(), getter
	return out, nil
}

// key reads the configured key: a file, or the ARN of a KMS key.
func (s Sources) key(ctx context.Context, p config.Policies) (policy.VerificationKey, error) {
	key := policy.VerificationKey{ID: p.VerificationKeyID, Scope: p.VerificationScope}
	if p.VerificationKey == "" {
		return key, nil
	}
	var err error
	if strings.HasPrefix(p.VerificationKey, "arn:") {
		client, kmsErr := s.KMS(ctx)
		if kmsErr != nil {
			return key, fmt.Errorf("sign in to AWS: %w", kmsErr)
		}
		key.PEM, err = awsbundle.PublicKey(ctx, client, p.VerificationKey)
	} else {
		key.PEM, err = bounded.ReadFile(p.VerificationKey, MaxKeyBytes)
	}
	switch {
	case err != nil:
		return key, err
	case key.IsZero():
		return key, fmt.Errorf("%s is empty; write the public key there", p.VerificationKey)
	}
	return key, key.Check()
}

// Forgets is a store that keeps nothing, for those that have none.
type Forgets struct{}

// Bundle finds nothing.
func (Forgets) Bundle(context.Context, string) (bundles.Kept, bool, error) {
	return bundles.Kept{}, false, nil
}

// KeepBundle keeps nothing.
func (Forgets) KeepBundle(context.Context, bundles.Kept) error { return nil }
