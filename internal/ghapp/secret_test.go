package ghapp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

const hidden = "s3cr3t-value-of-the-test"

// holder keeps its secrets in unexported fields, where fmt does not call methods.
type holder struct {
	secret Secret
	token  Token
	key    PrivateKey
	Public Token
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	values := map[string]any{
		"Secret":                   NewSecret(hidden),
		"Token":                    NewToken(hidden),
		"PrivateKey":               NewPrivateKey(hidden, "key.pem"),
		"pointer to a Token":       &Token{NewSecret(hidden)},
		"slice":                    []Token{NewToken(hidden)},
		"map":                      map[string]Secret{"a": NewSecret(hidden)},
		"unexported fields":        holder{NewSecret(hidden), NewToken(hidden), NewPrivateKey(hidden, "f"), NewToken(hidden)},
		"pointer to struct":        &holder{NewSecret(hidden), NewToken(hidden), NewPrivateKey(hidden, "f"), NewToken(hidden)},
		"token options":            TokenOptions{Token: NewToken(hidden)},
		"app options":              AppOptions{Key: NewPrivateKey(hidden, "f")},
		"secret.Placeholder error": NewRedactor(NewSecret(hidden)).Error(errors.New("went wrong with " + hidden)),
	}
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T"} {
				mustHide(t, verb, fmt.Sprintf(verb, v))
			}
			mustHide(t, "Errorf", fmt.Errorf("wrap: %v", v).Error())
			if raw, err := json.Marshal(v); err == nil { // options hold functions, which JSON refuses
				mustHide(t, "json", string(raw))
			}
			for _, log := range slogBoth(v) {
				mustHide(t, "slog", log)
			}
		})
	}
}

func mustHide(t *testing.T, how, text string) {
	t.Helper()
	hex := fmt.Sprintf("%x", hidden)
	if strings.Contains(text, hidden) || strings.Contains(strings.ToLower(text), hex) {
		t.Errorf("%s shows the secret: %s", how, text)
	}
}

func slogBoth(v any) []string {
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "k", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "k", v)
	return []string{text.String(), js.String()}
}

func TestSecretPrintsAsRedacted(t *testing.T) {
	s := NewToken(hidden)
	js, err := json.Marshal(map[string]any{"token": s})
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.String(), s.GoString(), fmt.Sprintf("%v|%#v|%q", s, s, s), string(js), string(text), s.LogValue().String()}
	want := []string{secret.Placeholder, secret.Placeholder, "[redacted]|[redacted]|[redacted]", `{"token":"[redacted]"}`, secret.Placeholder, secret.Placeholder}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("form %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestSecretReveals(t *testing.T) {
	if got := NewToken(" " + hidden + "\n").Reveal(); got != hidden {
		t.Errorf("Reveal of a token with white space around it = %q", got)
	}
	if !(Secret{}).IsZero() || (Secret{}).Reveal() != "" || NewSecret("a").IsZero() {
		t.Error("only the empty secret is zero")
	}
	if !NewSecret("abc").Equal(NewSecret("abc")) || NewSecret("abc").Equal(NewSecret("abd")) {
		t.Error("Equal must compare values")
	}
}
