// Package redact removes from free text whatever looks like a GitHub credential.
// It knows no secret by its value and imports nothing but the standard library
// and the placeholder, so that every log can pass it.
package redact

import (
	"encoding/base64"
	"regexp"
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

// Text removes from text whatever looks like a GitHub credential: tokens by
// their prefix, JWTs, Authorization values, PEM blocks, user information and
// secret parameters of URLs. It is for free text that leaves the process, such
// as errors and logs; a secret of unusual form needs ghapp.Redactor, which knows it.
func Text(text string) string {
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
