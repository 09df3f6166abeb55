package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/secret"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

// The example of GitHub's documentation on validating deliveries.
const (
	vectorBody      = "Hello, World!"
	vectorSignature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
)

func TestVerify(t *testing.T) {
	bad, none := webhook.ErrSignature, webhook.ErrNoSecrets
	tests := []struct {
		name      string
		secrets   []string
		signature string
		want      error
	}{
		{"GitHub's own example", []string{hookSecret}, vectorSignature, nil},
		{"the second of two secrets", []string{"new", hookSecret}, vectorSignature, nil},
		{"the first of two secrets", []string{hookSecret, "new"}, vectorSignature, nil},
		{"capitals in the digest", []string{hookSecret}, "sha256=" + strings.ToUpper(vectorSignature[7:]), nil},
		{"an empty secret beside a real one", []string{"", hookSecret}, vectorSignature, nil},
		{"signed with the empty secret", []string{"", hookSecret}, sign("", []byte(vectorBody)), bad},
		{"another secret", []string{"other"}, vectorSignature, bad},
		{"no header", []string{hookSecret}, "", bad},
		{"SHA-1", []string{hookSecret}, "sha1=" + vectorSignature[7:47], bad},
		{"SHA-1's name on the right digest", []string{hookSecret}, "sha1=" + vectorSignature[7:], bad},
		{"no prefix", []string{hookSecret}, vectorSignature[7:], bad},
		{"half a digest", []string{hookSecret}, vectorSignature[:39], bad},
		{"more than a digest", []string{hookSecret}, vectorSignature + "00", bad},
		{"no hex", []string{hookSecret}, "sha256=" + strings.Repeat("zz", 32), bad},
		{"two signatures in one header", []string{hookSecret}, vectorSignature + "," + vectorSignature, bad},
		{"no secret at all", nil, vectorSignature, none},
		{"only empty secrets", []string{"", ""}, sign("", []byte(vectorBody)), none},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var secrets webhook.StaticSecrets
			for _, s := range tc.secrets {
				secrets = append(secrets, secret.New(s))
			}
			err := webhook.NewVerifier(secrets).Verify(t.Context(), []byte(vectorBody), tc.signature)
			if !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

func TestVerifyAgreesWithGoGitHub(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		key := rapid.StringN(1, 40, -1).Draw(t, "secret")
		signature := sign(key, body)
		if rapid.Bool().Draw(t, "tampered") {
			body = append(body, rapid.Byte().Draw(t, "more"))
		}
		theirs := github.ValidateSignature(signature, body, []byte(key))
		ours := webhook.NewVerifier(webhook.StaticSecrets{secret.New(key)}).Verify(context.Background(), body, signature)
		if (theirs == nil) != (ours == nil) {
			t.Errorf("go-github says %v, we say %v", theirs, ours)
		}
	})
}

// vault is a store of secrets that counts how often it is read.
type vault struct {
	mu    sync.Mutex
	value []secret.Secret
	err   error
	reads int
}

func (v *vault) set(err error, secrets ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err, v.value = err, nil
	for _, s := range secrets {
		v.value = append(v.value, secret.New(s))
	}
}

func (v *vault) read(context.Context) ([]secret.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reads++
	return v.value, v.err
}

func TestCachedSecretsFollowTheStore(t *testing.T) {
	body, down := []byte(vectorBody), errors.New("store is down")
	clk, v, log := newClock(), &vault{}, &bytes.Buffer{}
	v.set(nil, "old")
	verifier := webhook.NewVerifier(webhook.NewCachedSecrets(v.read, clk.Now, slog.New(slog.NewTextHandler(log, nil))))
	steps := []struct {
		name    string
		pass    time.Duration
		store   func()
		signed  string
		want    error
		reads   int // in all
		warning bool
	}{
		{name: "first use reads", signed: "old", reads: 1},
		{name: "then the cache answers", pass: 4 * time.Minute, signed: "old", reads: 1},
		{name: "a rotated secret is found by one more reading", store: func() { v.set(nil, "new", "old") }, signed: "new", reads: 2},
		{name: "a forgery right after reads nothing", pass: time.Second, signed: "forged", want: webhook.ErrSignature, reads: 2},
		{name: "nor does the next", pass: 8 * time.Second, signed: "forged", want: webhook.ErrSignature, reads: 2},
		{name: "ten seconds later it may", pass: time.Second, signed: "forged", want: webhook.ErrSignature, reads: 3},
		{name: "five minutes later it is read again", pass: 5 * time.Minute, signed: "old", reads: 4},
		{name: "a store that fails leaves the last ones in force", pass: 5 * time.Minute, store: func() { v.set(down) }, signed: "new", reads: 5, warning: true},
		{name: "and is left alone for a second", signed: "new", reads: 5},
		{name: "by forgeries for ten", pass: 500 * time.Millisecond, signed: "forged", want: webhook.ErrSignature, reads: 5},
		{name: "an empty answer is a failure too", pass: 10 * time.Second, store: func() { v.set(nil) }, signed: "old", reads: 6, warning: true},
		{name: "a clock set back reads again", pass: -time.Hour, store: func() { v.set(nil, "new") }, signed: "new", reads: 7},
		{name: "a secret taken away no longer counts", signed: "old", want: webhook.ErrSignature, reads: 7},
	}
	for _, s := range steps {
		log.Reset()
		clk.Advance(s.pass)
		if s.store != nil {
			s.store()
		}
		if err := verifier.Verify(t.Context(), body, sign(s.signed, body)); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %v", s.name, err, s.want)
		}
		if v.reads != s.reads {
			t.Errorf("%s: %d readings, want %d", s.name, v.reads, s.reads)
		}
		if got := strings.Contains(log.String(), "stay in force"); got != s.warning {
			t.Errorf("%s: log %q", s.name, log)
		}
	}
}

func TestCachedSecretsWithoutAnyReading(t *testing.T) {
	down := errors.New("store is down")
	clk, v := newClock(), &vault{}
	v.set(down)
	c := webhook.NewCachedSecrets(v.read, clk.Now, slog.New(slog.DiscardHandler))
	for range 3 {
		if _, err := c.Current(t.Context()); !errors.Is(err, down) {
			t.Errorf("error %v", err)
		}
	}
	if v.reads != 1 {
		t.Errorf("%d readings within a second", v.reads)
	}
	clk.Advance(time.Second)
	v.set(nil, "s")
	got, err := c.Current(t.Context())
	if err != nil || len(got) != 1 || got[0].Reveal() != "s" {
		t.Errorf("%d secrets, error %v", len(got), err)
	}
}

func TestAFloodOfForgeriesReadsOnce(t *testing.T) {
	clk, v := newClock(), &vault{}
	v.set(nil, "s")
	verifier := webhook.NewVerifier(webhook.NewCachedSecrets(v.read, clk.Now, slog.New(slog.DiscardHandler)))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := verifier.Verify(context.Background(), []byte("x"), vectorSignature); !errors.Is(err, webhook.ErrSignature) {
				t.Errorf("error %v", err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(1, v.reads); diff != "" {
		t.Error(diff)
	}
}
