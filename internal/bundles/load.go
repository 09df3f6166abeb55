package bundles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// DefaultMaxAge is how long a kept bundle may stand in for its source, where
// nothing else is configured.
const DefaultMaxAge = 7 * 24 * time.Hour

const (
	// confirmEvery bounds how often it is written down that a bundle is current.
	confirmEvery = 10 * time.Minute
	// ahead is how far in the future a confirmation may lie: clocks differ.
	ahead = 10 * time.Minute
)

// ErrStale says that the source gives no good bundle, and that the kept one is too
// old, or too little is known of its age, to stand in for it.
var ErrStale = errors.New("the kept policy bundle is stale")

// ErrUnavailable says that the source gives no bundle at all.
var ErrUnavailable = errors.New("the policy bundle can't be fetched")

// Fetched is what a source answers.
type Fetched struct {
	Body        []byte
	ETag        string // of the body; "" when the source knows none
	NotModified bool   // the body is the one that the given ETag stands for
}

// Getter fetches a bundle from where it is published. etag is that of the kept
// bundle, "" for none. It gives back at most as many bytes as a bundle may have.
type Getter interface {
	Get(ctx context.Context, etag string) (Fetched, error)
}

// Kept is a bundle that was good.
type Kept struct {
	Source      string    `json:"source"` // the source's key, without what is secret in it
	Body        []byte    `json:"body"`
	ETag        string    `json:"etag,omitempty"`
	Digest      string    `json:"digest"` // sha256:… of the body
	Revision    string    `json:"revision"`
	ConfirmedAt time.Time `json:"confirmed_at"` // when the source last gave this one, or said that it still holds
}

// Store keeps one bundle for each source.
type Store interface {
	// Bundle returns the kept bundle of a source; false when there is none.
	Bundle(ctx context.Context, source string) (Kept, bool, error)
	// KeepBundle puts a bundle in the place of the source's former one.
	KeepBundle(ctx context.Context, k Kept) error
}

// Source is a place that bundles come from, with what it takes to do without it
// for a while.
type Source struct {
	Name   string // for people: an address without secrets
	Key    string // in the store, without secrets too; "" means Name
	Getter Getter
	Store  Store
	MaxAge time.Duration // of a kept bundle that stands in; zero means DefaultMaxAge
	Now    func() time.Time
}

// Status says which bundle is in use, and whether it is the source's own.
type Status struct {
	Source      string
	Digest      string // sha256:… of the archive: the same wherever this bundle is loaded
	Revision    string
	ConfirmedAt time.Time
	Age         time.Duration // since ConfirmedAt
	StandsIn    error         // nil when the source gave or confirmed the bundle; else why the kept one is used
}

// Open verifies and opens an archive and says its revision.
type Open[T any] func(ctx context.Context, archive []byte) (opened T, revision string, err error)

// Load gives the source's bundle, opened. Where the source can't be reached or its
// bundle is refused, it is the last one that was good, as long as that was
// confirmed less than MaxAge ago: Status.StandsIn says why, and has to be told to
// somebody. Without one, or with one that is too old (ErrStale), Load fails, and
// the error holds what is wrong with the source. The context's end is never
// answered with a kept bundle.
func Load[T any](ctx context.Context, s Source, open Open[T]) (T, Status, error) {
	l := loader[T]{Source: s, open: open, now: s.Now()}
	if l.Key == "" {
		l.Key = l.Name
	}
	if l.MaxAge == 0 {
		l.MaxAge = DefaultMaxAge
	}
	opened, status, err := l.load(ctx)
	if err != nil {
		return *new(T), Status{Source: s.Name}, fmt.Errorf("policy bundle %s: %w", s.Name, err)
	}
	return opened, status, nil
}

type loader[T any] struct {
	Source
	open Open[T]
	now  time.Time
}

func (l *loader[T]) load(ctx context.Context) (T, Status, error) {
	kept, has, err := l.Store.Bundle(ctx, l.Key)
	if err != nil {
		return *new(T), Status{}, fmt.Errorf("look for the kept one: %w", err)
	}
	etag := ""
	var old T
	var keptErr error
	if has {
		// Opened before it is asked for: only of a bundle that still verifies is
		// "not modified" an answer.
		if old, keptErr = l.reopen(ctx, &kept); keptErr == nil {
			etag = kept.ETag
		}
	}
	if err := ctx.Err(); err != nil {
		return *new(T), Status{}, err
	}
	fetched, err := l.Getter.Get(ctx, etag)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err == nil && fetched.NotModified {
		if etag == "" {
			err = errors.New("it answers that nothing changed, and was not asked")
		} else {
			return old, l.status(kept, l.now, nil), l.confirm(ctx, kept)
		}
	}
	if err == nil {
		var opened T
		var fresh Kept
		if opened, fresh, err = l.take(ctx, fetched); err == nil {
			return opened, l.status(fresh, l.now, nil), l.Store.KeepBundle(ctx, fresh)
		}
	}
	switch {
	case ctx.Err() != nil:
		return *new(T), Status{}, ctx.Err()
	case !has:
		return *new(T), Status{}, fmt.Errorf("%w; there is no earlier one to go on with", err)
	case keptErr != nil:
		return *new(T), Status{}, fmt.Errorf("%w; the kept one is refused as well: %w", err, keptErr)
	}
	if staleErr := l.stale(kept); staleErr != nil {
		return *new(T), Status{}, fmt.Errorf("%w; the source: %w", staleErr, err)
	}
	return old, l.status(kept, kept.ConfirmedAt, err), nil
}

// take opens what the source gave.
func (l *loader[T]) take(ctx context.Context, f Fetched) (T, Kept, error) {
	opened, revision, err := l.open(ctx, f.Body)
	if err != nil {
		return opened, Kept{}, err
	}
	return opened, Kept{
		Source: l.Key, Body: f.Body, ETag: f.ETag, Digest: Digest(f.Body), Revision: revision, ConfirmedAt: l.now.UTC(),
	}, nil
}

// reopen opens a kept bundle as if it had just come: the store may have been
// written by somebody else, and the key may be another one by now.
func (l *loader[T]) reopen(ctx context.Context, k *Kept) (T, error) {
	if got := Digest(k.Body); got != k.Digest {
		return *new(T), fmt.Errorf("it is damaged: its digest is %s and was %s", got, k.Digest)
	}
	opened, revision, err := l.open(ctx, k.Body)
	k.Revision = revision
	return opened, err
}

func (l *loader[T]) confirm(ctx context.Context, k Kept) error {
	if age := l.now.Sub(k.ConfirmedAt); age >= 0 && age < confirmEvery {
		return nil
	}
	k.ConfirmedAt = l.now.UTC()
	return l.Store.KeepBundle(ctx, k)
}

func (l *loader[T]) stale(k Kept) error {
	age := l.now.Sub(k.ConfirmedAt)
	switch {
	case age < -ahead:
		return fmt.Errorf("%w: it was confirmed at %s, which is still to come, so nobody knows how old it is", ErrStale, k.ConfirmedAt.Format(time.RFC3339))
	case age > l.MaxAge:
		return fmt.Errorf("%w: revision %q was last confirmed %s ago, and %s is the most (policies.bundle_max_age)", ErrStale, k.Revision, Days(age), Days(l.MaxAge))
	}
	return nil
}

func (l *loader[T]) status(k Kept, confirmed time.Time, why error) Status {
	return Status{
		Source: l.Name, Digest: k.Digest, Revision: k.Revision, ConfirmedAt: confirmed,
		Age: max(0, l.now.Sub(confirmed)), StandsIn: why,
	}
}

// Digest is the identity of an archive.
func Digest(archive []byte) string {
	sum := sha256.Sum256(archive)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Days writes an age as people say it.
func Days(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	case d >= time.Hour:
		return fmt.Sprintf("%.1f hours", d.Hours())
	}
	return d.Round(time.Second).String()
}
