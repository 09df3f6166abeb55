package ghapp

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// What GitHub credentials look like in free text. Over-redaction is harmless,
// so the patterns are wide; only package versions and git hashes have to stay
// readable, which is why a bare run of hex digits is left alone.
var (
	pemBlock = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]*-----|\z)`)
	// Installation tokens may also be ghs_APPID_JWT, with dots and dashes.
	prefixedToken = regexp.MustCompile(`(?:gh[pousr]_|github_pat_)[A-Za-z0-9_.\-]{16,}`)
	jwtToken      = regexp.MustCompile(`eyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)?`)
	userinfo      = regexp.MustCompile(`://[^/\s?#"]+@`)
	assignment    = regexp.MustCompile(`(?i)((?:token|secret|password|passwd|signature|[?&]sig)=)[^&\s"'#]+`)
	jsonField     = regexp.MustCompile(`(?i)("[a-z_]*(?:token|secret|password)"\s*:\s*")[^"]+`)
	authHeader    = regexp.MustCompile(`(?i)(authorization["']?\s*[:=]\s*[\["']*)[^\r\n"'\]]+`)
	schemeWord    = regexp.MustCompile(`(?i)\b(bearer|basic|token)(\s+)([A-Za-z0-9_.~+/=\-]+)`)
)

// Redact removes from text whatever looks like a GitHub credential: tokens by
// their prefix, JWTs, Authorization values, PEM blocks, user information and
// secret parameters of URLs. It is for free text that leaves the process, such
// as errors and logs; a secret of unusual form needs a Redactor that knows it.
func Redact(text string) string {
	text = pemBlock.ReplaceAllLiteralString(text, secret.Placeholder)
	text = userinfo.ReplaceAllLiteralString(text, "://"+secret.Placeholder+"@")
	text = assignment.ReplaceAllString(text, "${1}"+secret.Placeholder)
	text = jsonField.ReplaceAllString(text, "${1}"+secret.Placeholder)
	text = authHeader.ReplaceAllString(text, "${1}"+secret.Placeholder)
	text = prefixedToken.ReplaceAllLiteralString(text, secret.Placeholder)
	text = jwtToken.ReplaceAllLiteralString(text, secret.Placeholder)
	return schemeWord.ReplaceAllStringFunc(text, redactScheme)
}

// redactScheme hides the word behind an authorization scheme unless the scheme
// is only a word of a sentence ("token expired") or a challenge ("Bearer realm=").
func redactScheme(match string) string {
	m := schemeWord.FindStringSubmatch(match)
	scheme, gap, word := m[1], m[2], m[3]
	if strings.HasPrefix(strings.ToLower(word), "realm=") || !likelySecret(scheme, word) {
		return match
	}
	return scheme + gap + secret.Placeholder
}

func likelySecret(scheme, word string) bool {
	if len(word) >= 16 || len(word) >= 6 && strings.ContainsAny(word, "0123456789") {
		return true
	}
	if !strings.EqualFold(scheme, "basic") {
		return false
	}
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(word, "="))
	return err == nil && strings.Contains(string(plain), ":")
}

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
