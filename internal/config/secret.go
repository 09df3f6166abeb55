package config

import (
	"crypto/subtle"
	"log/slog"
)

// Secret is a credential that shows itself only to Reveal. Printing, logging
// and marshalling it give a placeholder. The value is behind a pointer because
// fmt prints unexported fields of other structs without asking their methods.
type Secret struct{ value *string }

const redacted = "[redacted]"

// NewSecret wraps a credential.
func NewSecret(s string) Secret { return Secret{value: &s} }

// Reveal returns the credential itself, "" for the zero Secret.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a credential.
func (s Secret) IsSet() bool { return s.Reveal() != "" }

// Equal compares two credentials in constant time.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// String returns a placeholder, or "" when there is no credential.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return redacted
}

// GoString returns the same placeholder for %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue returns the same placeholder for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the same placeholder for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
