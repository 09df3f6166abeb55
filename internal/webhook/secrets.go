package webhook

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// ErrNoSecrets says that there is nothing to check a signature with.
var ErrNoSecrets = errors.New("no webhook secret is configured; set one here and in the App's webhook settings")

// Secrets gives the webhook secrets that are valid now: one, or two while they
// are being rotated.
type Secrets interface {
	Current(ctx context.Context) ([]secret.Secret, error)
	// Refresh is asked after a signature that no current secret explains. It
	// may answer from memory to spare its store.
	Refresh(ctx context.Context) ([]secret.Secret, error)
}

// StaticSecrets are secrets that don't change while the process lives.
type StaticSecrets []secret.Secret

// Current returns the secrets.
func (s StaticSecrets) Current(context.Context) ([]secret.Secret, error) { return s, nil }

// Refresh returns the same secrets.
func (s StaticSecrets) Refresh(context.Context) ([]secret.Secret, error) { return s, nil }

const (
	secretsTTL      = 5 * time.Minute
	secretsSpacing  = 10 * time.Second // between readings that bad signatures cause
	secretsRetry    = time.Second      // after a reading that failed
	secretsPatience = 3 * time.Second  // for one reading
)

// CachedSecrets keeps what a store gave for five minutes. A bad signature makes
// it read early, but not within ten seconds of the reading before, so that
// nobody can hammer the store with forged requests. When the store fails, the
// last secrets stay in force and a warning is logged. Safe for concurrent use.
type CachedSecrets struct {
	fetch func(context.Context) ([]secret.Secret, error)
	now   func() time.Time
	log   *slog.Logger

	reading sync.Mutex // held over a reading, so that there is one at a time

	mu     sync.Mutex // guards what follows; never held over a reading
	kept   []secret.Secret
	readAt time.Time // of kept
	tried  time.Time // the last attempt
	failed error     // of the last attempt
}

// NewCachedSecrets caches fetch. It doesn't call it yet.
func NewCachedSecrets(fetch func(context.Context) ([]secret.Secret, error), now func() time.Time, log *slog.Logger) *CachedSecrets {
	return &CachedSecrets{fetch: fetch, now: now, log: log}
}

// Current returns the cached secrets, read anew when they are five minutes old.
// It fails only while no reading has ever succeeded.
func (c *CachedSecrets) Current(ctx context.Context) ([]secret.Secret, error) {
	return c.get(ctx, secretsTTL)
}

// Refresh reads the secrets early, unless that was done in the last ten seconds.
func (c *CachedSecrets) Refresh(ctx context.Context) ([]secret.Secret, error) {
	return c.get(ctx, secretsSpacing)
}

func (c *CachedSecrets) get(ctx context.Context, maxAge time.Duration) ([]secret.Secret, error) {
	if kept, err, ok := c.answer(maxAge); ok {
		return kept, err
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if kept, err, ok := c.answer(maxAge); ok { // somebody else has just read
		return kept, err
	}
	ctx, cancel := context.WithTimeout(ctx, secretsPatience)
	defer cancel()
	got, err := c.fetch(ctx)
	if err == nil && len(got) == 0 {
		err = ErrNoSecrets
	}
	return c.store(ctx, got, err)
}

// answer is what memory says, if it may: young enough, or a failure just now.
func (c *CachedSecrets) answer(maxAge time.Duration) (kept []secret.Secret, err error, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if len(c.kept) > 0 && within(now, c.readAt, maxAge) {
		return c.kept, nil, true
	}
	wait := secretsRetry
	if maxAge == secretsSpacing {
		wait = secretsSpacing
	}
	if c.failed != nil && within(now, c.tried, wait) {
		if len(c.kept) > 0 {
			return c.kept, nil, true
		}
		return nil, c.failed, true
	}
	return nil, nil, false
}

func (c *CachedSecrets) store(ctx context.Context, got []secret.Secret, err error) ([]secret.Secret, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried, c.failed = c.now(), err
	if err == nil {
		c.kept, c.readAt = got, c.tried
		return got, nil
	}
	if len(c.kept) == 0 {
		return nil, err
	}
	c.log.WarnContext(ctx, "webhook secrets could not be read again; the last ones stay in force", "read_at", c.readAt, "error", err)
	return c.kept, nil
}

// within reports whether at is at most d ago. A clock that was set back makes
// everything old, never young.
func within(now, at time.Time, d time.Duration) bool {
	age := now.Sub(at)
	return age >= 0 && age < d
}
