package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// ErrSignature says that no configured secret explains the signature.
var ErrSignature = errors.New("bad signature")

// Verifier checks X-Hub-Signature-256, HMAC-SHA-256 of the raw body in hex. It
// does not take the older SHA-1 header.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
type Verifier struct{ secrets Secrets }

// NewVerifier checks against the given secrets.
func NewVerifier(s Secrets) *Verifier { return &Verifier{secrets: s} }

// Verify returns nil when one of the secrets gives the signature, an error that
// is ErrSignature when none does, and another when the secrets can't be had.
// Digests are compared in time that does not tell where they differ.
func (v *Verifier) Verify(ctx context.Context, body []byte, header string) error {
	want, err := parseSignature(header)
	if err != nil {
		return err
	}
	secrets, err := v.secrets.Current(ctx)
	if err != nil {
		return fmt.Errorf("read webhook secrets: %w", err)
	}
	ok, err := matches(secrets, body, want)
	if ok || err != nil {
		return err
	}
	fresh, err := v.secrets.Refresh(ctx)
	if err != nil {
		return fmt.Errorf("read webhook secrets again: %w", err)
	}
	if slices.EqualFunc(fresh, secrets, secret.Secret.Equal) {
		return ErrSignature
	}
	if ok, err = matches(fresh, body, want); ok || err != nil {
		return err
	}
	return ErrSignature
}

// matches tries every secret, also after one has matched. An empty secret is
// never tried: anybody can sign with it.
func matches(secrets []secret.Secret, body, want []byte) (bool, error) {
	found, tried := false, false
	for _, s := range secrets {
		if s.IsZero() {
			continue
		}
		tried = true
		mac := hmac.New(sha256.New, []byte(s.Reveal()))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), want) {
			found = true
		}
	}
	if !tried {
		return false, ErrNoSecrets
	}
	return found, nil
}

func parseSignature(header string) ([]byte, error) {
	digits, ok := strings.CutPrefix(header, "sha256=")
	if !ok || len(digits) != 2*sha256.Size {
		return nil, fmt.Errorf("%w: X-Hub-Signature-256 is missing or malformed", ErrSignature)
	}
	sum, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("%w: X-Hub-Signature-256 is not in hex", ErrSignature)
	}
	return sum, nil
}
