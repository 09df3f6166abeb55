package ghapp

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/redact"
	"github.com/shelflife-dev/shelflife/internal/secret"
)

// Redact removes from text whatever looks like a GitHub credential: tokens by
// their prefix, JWTs, Authorization values, PEM blocks, user information and
// secret parameters of URLs. It is for free text that leaves the process, such
// as errors and logs; a secret of unusual form needs a Redactor that knows it.
func Redact(text string) string { return redact.Text(text) }

// minLiteral is the shortest value that a Redactor replaces: shorter ones would
// tear ordinary words apart, and no credential is that short.
const minLiteral = 6

// Redactor removes known values as well as whatever Redact finds. The zero
// Redactor knows none. It is safe for concurrent use.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor knows the given secrets, also URL-escaped, JSON-escaped, in
// base64, and line by line for a key. Values under six bytes are not known.
func NewRedactor(secrets ...interface{ Reveal() string }) Redactor {
	var forms []string
	for _, s := range secrets {
		forms = append(forms, literalForms(s.Reveal())...)
	}
	// The replacer prefers the earlier of two that match at one place.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range forms {
		pairs = append(pairs, f, secret.Placeholder)
	}
	return Redactor{replacer: strings.NewReplacer(pairs...)}
}

func literalForms(value string) []string {
	value = strings.TrimSpace(value)
	forms := []string{
		value,
		url.QueryEscape(value),
		url.PathEscape(value),
		base64.StdEncoding.EncodeToString([]byte(value)),
	}
	if quoted, err := json.Marshal(value); err == nil {
		forms = append(forms, strings.Trim(string(quoted), `"`))
	}
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); len(line) >= 16 {
			forms = append(forms, line)
		}
	}
	return slices.DeleteFunc(forms, func(f string) bool {
		return len(f) < minLiteral || strings.Contains(secret.Placeholder, f)
	})
}

// Redact returns text without the known values and without whatever looks like
// a GitHub credential.
func (r Redactor) Redact(text string) string {
	if r.replacer != nil {
		text = r.replacer.Replace(text)
	}
	return Redact(text)
}

// Error returns err itself when nothing in its text has to be hidden, otherwise
// an error with the redacted text. The latter still answers errors.Is, but has
// no Unwrap: what it wraps would print the secret.
func (r Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if clean := r.Redact(text); clean != text {
		return &redactedError{text: clean, cause: func() error { return err }}
	}
	return err
}
