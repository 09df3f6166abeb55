package ghapp

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Secret is a value that no way of printing shows: fmt, slog, JSON and text
// encoding all give "[redacted]". The value sits behind a pointer because fmt
// reads unexported fields of a surrounding struct without asking for their
// methods; it then prints an address. The zero Secret is empty.
type Secret struct{ value *string }

// NewSecret hides a value.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the value. It is the only way to it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal compares two secrets in time that does not depend on where they differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format prints "[redacted]" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) {
	// A fmt.State has nowhere to report a failed write to; fmt ignores it too.
	_, _ = io.WriteString(f, redacted)
}

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns "[redacted]" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Token is a GitHub token: an installation token or a personal access token.
type Token struct{ Secret }

// NewToken hides a token. White space around it, as files and pasted
// environment variables have, is no part of it.
func NewToken(value string) Token { return Token{NewSecret(strings.TrimSpace(value))} }
