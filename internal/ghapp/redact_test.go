package ghapp

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRedact(t *testing.T) {
	body := strings.Repeat("aB3", 12)
	basic := base64.StdEncoding.EncodeToString([]byte("u:p"))
	for name, c := range map[string]struct{ in, want string }{
		"classic token":            {"with ghp_" + body + " here", "with [redacted] here"},
		"oauth token":              {"gho_" + body, "[redacted]"},
		"user token":               {"ghu_" + body, "[redacted]"},
		"refresh token":            {"ghr_" + body, "[redacted]"},
		"installation token":       {"ghs_" + body, "[redacted]"},
		"long installation token":  {"x ghs_12345_eyJhbGciOi.eyJpc3Mi-_x.c2lnbmF0dXJl y", "x [redacted] y"},
		"fine-grained token":       {"github_pat_11ABCDEFG0_" + body, "[redacted]"},
		"bare JWT":                 {"jwt eyJhbGciOi.eyJpc3Mi.c2ln-_x!", "jwt [redacted]!"},
		"bearer":                   {"Bearer abc123def", "Bearer [redacted]"},
		"basic":                    {"basic " + basic + " x", "basic [redacted] x"},
		"token scheme":             {"token 0123456789abcdef0123456789abcdef01234567", "token [redacted]"},
		"header dump":              {"map[Authorization:[Bearer abc] Accept:[x]]", "map[Authorization:[[redacted]] Accept:[x]]"},
		"header line":              {"Authorization: x y z\nAccept: a", "Authorization: [redacted]\nAccept: a"},
		"JSON header":              {`{"authorization":"abc def"}`, `{"authorization":"[redacted]"}`},
		"JSON token":               {`{"token": "abc", "n": 1}`, `{"token": "[redacted]", "n": 1}`},
		"PEM":                      {"a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a [redacted] b"},
		"cut PEM":                  {"a -----BEGIN PRIVATE KEY-----\nMIIE\nabc", "a [redacted]"},
		"userinfo":                 {"proxy http://me:pw@proxy:3128/x", "proxy http://[redacted]@proxy:3128/x"},
		"query":                    {"https://h/restore?token=abc&x=1", "https://h/restore?token=[redacted]&x=1"},
		"second query parameter":   {"https://h/?x=1&access_token=abc#f", "https://h/?x=1&access_token=[redacted]#f"},
		"signed URL":               {"https://h/?se=1&sig=a%2Bb", "https://h/?se=1&sig=[redacted]"},
		"sentences stay":           {"the token expired; basic rules; bearer of news", "the token expired; basic rules; bearer of news"},
		"challenge stays":          {`Bearer realm="https://ghcr.io/token",service="ghcr.io"`, `Bearer realm="https://ghcr.io/token",service="ghcr.io"`},
		"digest and commit stay":   {"sha256:" + strings.Repeat("ab12", 16) + " 0123456789abcdef0123456789abcdef01234567", "sha256:" + strings.Repeat("ab12", 16) + " 0123456789abcdef0123456789abcdef01234567"},
		"package reference stays":  {"acme/container/team/api@1.2.3", "acme/container/team/api@1.2.3"},
		"mail address in a reason": {"ask ops@acme.example", "ask ops@acme.example"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Redact(c.in); got != c.want {
				t.Errorf("Redact(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
		})
	}
}

func word(min, max int) *rapid.Generator[string] {
	return rapid.StringMatching(fmt.Sprintf(`[A-Za-z0-9]{%d,%d}`, min, max))
}

func TestNoCredentialSurvivesRedact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		core := word(30, 60).Draw(t, "core")
		form := rapid.SampledFrom([]string{
			"ghp_%s", "gho_%s", "ghu_%s", "ghs_%s", "ghr_%s", "github_pat_%s", "ghs_77_eyJa.%s.b",
			"Bearer %s", "basic %s", "token %s", "Authorization: token %s", "https://u:%s@h/", "https://h/?token=%s",
			"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----", `"token":"%s"`,
		}).Draw(t, "form")
		before := rapid.StringMatching(`[ -~\n]{0,40}[ \n]`).Draw(t, "before")
		after := rapid.StringMatching(`[ \n][ -~\n]{0,40}`).Draw(t, "after")
		got := Redact(before + fmt.Sprintf(form, core) + after)
		if strings.Contains(got, core) {
			t.Fatalf("%q survived in %q", core, got)
		}
		if again := Redact(got); strings.Contains(again, core) {
			t.Fatalf("%q came back in %q", core, again)
		}
	})
}

func TestNoRegisteredSecretSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[A-Za-z0-9+/=%"&~.\-]{6,40}`), 1, 4).Draw(t, "secrets")
		var secrets []interface{ Reveal() string }
		for _, v := range values {
			secrets = append(secrets, NewSecret(v))
		}
		r := NewRedactor(secrets...)
		secret := rapid.SampledFrom(values).Draw(t, "secret")
		disguise := rapid.SampledFrom([]func(string) string{
			func(s string) string { return s },
			url.QueryEscape, url.PathEscape,
			func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
			func(s string) string { return fmt.Sprintf("%s %s", s, s) },
		}).Draw(t, "disguise")
		before, after := rapid.StringMatching(`[ -~]{0,20} `).Draw(t, "before"), rapid.StringMatching(` [ -~]{0,20}`).Draw(t, "after")
		if got := r.Redact(before + disguise(secret) + after); strings.Contains(got, disguise(secret)) || strings.Contains(got, " "+secret+" ") {
			t.Fatalf("%q survived in %q", secret, got)
		}
	})
}

func TestRedactorHidesKeysLineByLine(t *testing.T) {
	key := testPEM(t)
	lines := strings.Split(strings.TrimSpace(key), "\n")
	got := NewRedactor(NewPrivateKey(key, "k")).Redact("line two is " + lines[1] + ", all is " + strings.ReplaceAll(key, "\n", `\n`))
	for _, line := range lines[1 : len(lines)-1] {
		if strings.Contains(got, line) {
			t.Errorf("a line of the key survived in %q", got)
		}
	}
}

func TestRedactedErrorKeepsWhatCallersBranchOn(t *testing.T) {
	secret := NewSecret(hidden)
	inner := &url.Error{Op: "Get", URL: "https://h/?token=" + hidden, Err: context.DeadlineExceeded}
	err := NewRedactor(secret).Error(inner)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("errors.Is must still see the cause")
	}
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Error("a timeout must still be one")
	}
	var leak *url.Error
	if errors.As(err, &leak) {
		t.Error("errors.As must not reach the error that holds the secret")
	}
	plain := errors.New("nothing to hide")
	if got := NewRedactor(secret).Error(plain); got != plain {
		t.Errorf("an error without a secret must stay as it is, got %v", got)
	}
	if NewRedactor(secret).Error(nil) != nil {
		t.Error("no error must stay none")
	}
}
