package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/shelflife-dev/shelflife/internal/awstest"
)

// appKey is the App's private key: where the enforcer has it, and what GitHub knows.
type appKey struct {
	variable string // of the enforcer
	public   string // PEM
}

// Keys take long to make, so that all worlds share them.
var (
	kmsKeys = onceEach(func(env *awstest.Env) (keys struct{ app, public, seal string }, err error) {
		client, ctx := kms.NewFromConfig(env.Config), context.Background()
		app, err := client.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
		if err != nil {
			return keys, err
		}
		public, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: app.KeyMetadata.KeyId})
		if err != nil {
			return keys, err
		}
		seal, err := client.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac})
		if err != nil {
			return keys, err
		}
		keys.app, keys.seal = *app.KeyMetadata.Arn, *seal.KeyMetadata.Arn
		keys.public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public.PublicKey}))
		return keys, nil
	})
	rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
)

// onceEach is sync.OnceValues of a function whose argument is always the same.
func onceEach[A, R any](f func(A) (R, error)) func(A) (R, error) {
	var once sync.Once
	var r R
	var err error
	return func(a A) (R, error) {
		once.Do(func() { r, err = f(a) })
		return r, err
	}
}

func (w *world) appKey(inSecretsManager bool) appKey {
	w.t.Helper()
	if !inSecretsManager {
		keys, err := kmsKeys(w.env)
		w.must(err)
		return appKey{"SHELFLIFE_APP_KEY_ID=" + keys.app, keys.public}
	}
	key, err := rsaKey()
	w.must(err)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	w.must(err)
	return appKey{
		"SHELFLIFE_APP_KEY_SECRET=" + w.secret("the App's private key", string(private)),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	}
}

func sealKey(t testing.TB, env *awstest.Env) string {
	t.Helper()
	keys, err := kmsKeys(env)
	if err != nil {
		t.Fatal(err)
	}
	return keys.seal
}
