package policybundle_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/bundles/awsbundle"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/policies"
)

func signed(t *testing.T, revision string, key []byte) []byte {
	t.Helper()
	archive, _, err := policy.BuildBundle(t.Context(), policies.FS, policy.BuildOptions{
		Options: policy.Options{Builtin: true}, Revision: revision, Sign: &policy.SigningKey{PEM: key, Algorithm: "RS256"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func pair(t *testing.T) (private, public []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
}

// TestABundleOnS3IsUsedKeptAndReplacedWhileItIsGone is a source on AWS from end to
// end: bundle and last good one on S3.
func TestABundleOnS3IsUsedKeptAndReplacedWhileItIsGone(t *testing.T) {
	env := awstest.Start(t)
	client, bucket, state := env.S3(), env.Bucket(t), env.Bucket(t)
	private, public := pair(t)
	dir := t.TempDir()
	key := filepath.Join(dir, "bundle.pub")
	if err := os.WriteFile(key, public, 0o600); err != nil {
		t.Fatal(err)
	}
	put := func(body []byte) {
		t.Helper()
		in := &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("b.tar.gz"), Body: strings.NewReader(string(body))}
		if _, err := client.PutObject(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	sources := policybundle.Sources{
		Store: awsbundle.NewStore(client, state), Now: time.Now,
		S3: func(context.Context) (awsbundle.S3, error) { return client, nil },
	}
	p := config.Policies{Bundle: "s3://" + bucket + "/b.tar.gz", VerificationKey: key}
	load := func() (bundles.Status, error) {
		o, status, err := sources.Options(t.Context(), p, policy.Options{})
		if err != nil {
			return status, err
		}
		_, err = policy.Load(t.Context(), policies.FS, o)
		return status, err
	}
	put(signed(t, "v1", private))
	if s, err := load(); err != nil || s.Revision != "v1" || s.StandsIn != nil {
		t.Fatalf("first: %+v, %v", s, err)
	}
	forger, _ := pair(t)
	put(signed(t, "v2", forger))
	if s, err := load(); err != nil || s.Revision != "v1" || !errors.Is(s.StandsIn, policy.ErrUnverified) {
		t.Errorf("forged: %+v, %v", s, err)
	}
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("b.tar.gz")}); err != nil {
		t.Fatal(err)
	}
	if s, err := load(); err != nil || s.Revision != "v1" || !errors.Is(s.StandsIn, bundles.ErrUnavailable) {
		t.Errorf("gone: %+v, %v", s, err)
	}
	put(signed(t, "v3", private))
	if s, err := load(); err != nil || s.Revision != "v3" || s.StandsIn != nil {
		t.Errorf("back: %+v, %v", s, err)
	}
}

func TestAKeyInKMSVerifies(t *testing.T) {
	env := awstest.Start(t)
	client := kms.NewFromConfig(env.Config)
	made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	private, _ := pair(t)
	path := filepath.Join(t.TempDir(), "b.tar.gz")
	if err := os.WriteFile(path, signed(t, "v1", private), 0o600); err != nil {
		t.Fatal(err)
	}
	sources := policybundle.Sources{
		Store: policybundle.Forgets{}, Now: time.Now,
		KMS: func(context.Context) (awsbundle.KMS, error) { return client, nil },
	}
	o, _, err := sources.Options(t.Context(), config.Policies{Bundle: path, VerificationKey: *made.KeyMetadata.Arn}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// KMS keeps its private key: what somebody else signed is what can be tried.
	if _, err := policy.Load(t.Context(), policies.FS, o); !errors.Is(err, policy.ErrUnverified) {
		t.Errorf("got %v, want ErrUnverified", err)
	}
}

func TestAnUnusableKeyIsNeverTakenForNone(t *testing.T) {
	dir := t.TempDir()
	private, _ := pair(t)
	for name, tc := range map[string]struct {
		key  []byte
		want string
	}{
		"empty":     {nil, "is empty"},
		"no PEM":    {[]byte("hello"), "no PEM file"},
		"private":   {private, "is a private key"},
		"too large": {make([]byte, policybundle.MaxKeyBytes+1), "larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, tc.key, 0o600); err != nil {
				t.Fatal(err)
			}
			sources := policybundle.Sources{Store: policybundle.Forgets{}, Now: time.Now}
			_, _, err := sources.Options(t.Context(), config.Policies{Bundle: path, VerificationKey: path}, policy.Options{})
			if !errors.Is(err, policybundle.ErrSetup) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want ErrSetup with %q", err, tc.want)
			}
		})
	}
}
