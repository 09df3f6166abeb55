package kmskeys_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/kmskeys"
)

func newKey(t *testing.T, client *kms.Client, spec types.KeySpec, usage types.KeyUsageType) string {
	t.Helper()
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	if err != nil {
		t.Fatal(err)
	}
	return *out.KeyMetadata.KeyId
}

func TestASignatureIsTheOneThatGitHubChecks(t *testing.T) {
	client := kms.NewFromConfig(awstest.Start(t).Config)
	signer, err := kmskeys.NewSigner(t.Context(), client, newKey(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify))
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("header.claims")
	signature, err := crypto.SignMessage(signer, rand.Reader, message, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(message)
	if err := rsa.VerifyPKCS1v15(signer.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
	if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err == nil {
		t.Error("signed a digest as if it were a message")
	}
	if _, err := signer.SignMessage(rand.Reader, message, crypto.SHA512); err == nil {
		t.Error("signed with another hash than was asked for")
	}
}

func TestOnlyAnRSAKeyForSigningIsTaken(t *testing.T) {
	client := kms.NewFromConfig(awstest.Start(t).Config)
	for name, id := range map[string]string{
		"an elliptic curve":  newKey(t, client, types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify),
		"one for encrypting": newKey(t, client, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt),
		"none":               "00000000-0000-0000-0000-000000000000",
	} {
		if _, err := kmskeys.NewSigner(t.Context(), client, id); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("%s: %v, want an error that names the key", name, err)
		}
	}
}

func TestASealedPlanIsOpenedByItsKeyOnly(t *testing.T) {
	client := kms.NewFromConfig(awstest.Start(t).Config)
	mine := kmskeys.NewSealer(client, newKey(t, client, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac))
	other := kmskeys.NewSealer(client, newKey(t, client, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac))
	now := time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)
	p := guard.Assemble(guard.Header{ID: "p1", CreatedAt: now, ExpiresAt: now.Add(time.Hour), EvaluatedAt: now}, nil)
	sealed := seal(t, p, mine)
	got, err := guard.Open(t.Context(), bytes.NewReader(sealed), mine, now)
	if err != nil || got.ID() != "p1" {
		t.Errorf("%q %v", got.ID(), err)
	}
	changed := bytes.Replace(sealed, []byte(`"p1"`), []byte(`"p2"`), 1)
	unsealed := bytes.Replace(sealed, []byte(mine.Alg()), []byte("HS256"), 1)
	for name, tc := range map[string]struct {
		plan   []byte
		sealer guard.Sealer
	}{
		"changed":                {changed, mine},
		"sealed by another key":  {sealed, other},
		"of another algorithm":   {unsealed, mine},
		"opened on one machine":  {sealed, guard.HMACKey(make([]byte, 32))},
		"with the seal cut off":  {bytes.Replace(sealed, []byte(`"value": "`), []byte(`"value": "AAAA`), 1), mine},
		"sealed by one machine ": {seal(t, p, guard.HMACKey(make([]byte, 32))), mine},
	} {
		if _, err := guard.Open(t.Context(), bytes.NewReader(tc.plan), tc.sealer, now); !errors.Is(err, guard.ErrTampered) {
			t.Errorf("%s: %v, want that it was tampered with", name, err)
		}
	}
}

func seal(t *testing.T, p guard.Plan, s guard.Sealer) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Seal(t.Context(), &b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// payload is what is signed.
type payload []byte

func (p payload) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(p)
	return int64(n), err
}

func TestAKeyThatCantBeAskedIsNoVerdict(t *testing.T) {
	client := kms.NewFromConfig(awstest.Start(t).Config)
	gone := kmskeys.NewSealer(client, "00000000-0000-0000-0000-000000000000")
	if _, err := gone.Seal(t.Context(), payload("x")); err == nil {
		t.Error("sealed without a key")
	}
	if err := gone.Check(t.Context(), payload("x"), []byte("y")); err == nil || errors.Is(err, guard.ErrTampered) {
		t.Errorf("%v: that KMS can't be asked says nothing of the plan", err)
	}
	if err := gone.Check(t.Context(), payload("x"), nil); !errors.Is(err, guard.ErrTampered) {
		t.Errorf("no signature at all: %v", err)
	}
}

func TestAPlanLargerThanAMessageOfKMSIsSealed(t *testing.T) {
	client := kms.NewFromConfig(awstest.Start(t).Config)
	s := kmskeys.NewSealer(client, newKey(t, client, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac))
	large := payload(bytes.Repeat([]byte("x"), 1<<20))
	mac, err := s.Seal(t.Context(), large)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), large, mac); err != nil {
		t.Error(err)
	}
	large[1<<19] = 'y'
	if err := s.Check(t.Context(), large, mac); !errors.Is(err, guard.ErrTampered) {
		t.Errorf("%v, want that it was tampered with", err)
	}
}
