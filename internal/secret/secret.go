// Package secret holds the one type for values that must never be printed. It
// never stores or fetches them.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Placeholder is what every way of printing shows instead.
const Placeholder = "[redacted]"

// Secret is a value that no way of printing shows: fmt, slog, JSON and text
// encoding all give Placeholder. The value sits behind a pointer because fmt
// reads unexported fields of a surrounding struct without asking for their
// methods; it then prints an address. The zero Secret is empty.
type Secret struct{ value *string }

// New hides a value.
func New(value string) Secret { return Secret{value: &value} }

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

// String returns Placeholder.
func (s Secret) String() string { return Placeholder }

// GoString returns Placeholder.
func (s Secret) GoString() string { return Placeholder }

// Format prints Placeholder for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) {
	// A fmt.State has nowhere to report a failed write to; fmt ignores it too.
	_, _ = io.WriteString(f, Placeholder)
}

// LogValue returns Placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Placeholder) }

// MarshalJSON returns Placeholder as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Placeholder + `"`), nil }

// MarshalText returns Placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Placeholder), nil }
