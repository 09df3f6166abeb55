package kmskeys

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// SignAPI is what of KMS a Signer uses. *kms.Client of the SDK is one.
type SignAPI interface {
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
	Sign(context.Context, *kms.SignInput, ...func(*kms.Options)) (*kms.SignOutput, error)
}

// signTime bounds one signature: the interface of crypto has no context.
const signTime = 10 * time.Second

// Signer signs with an RSA key of KMS, in the form that the crypto package
// defines. It is safe for concurrent use.
type Signer struct {
	client SignAPI
	id     string
	public *rsa.PublicKey
}

var _ crypto.MessageSigner = (*Signer)(nil)

// NewSigner asks KMS for the public half of the key, which must be an RSA key for
// signing.
func NewSigner(ctx context.Context, client SignAPI, id string) (*Signer, error) {
	out, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &id})
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", id, err)
	}
	key, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", id, err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok || out.KeyUsage != types.KeyUsageTypeSignVerify {
		return nil, fmt.Errorf("key %s is of kind %s for %s; GitHub Apps need RSA_2048 for SIGN_VERIFY", id, out.KeySpec, out.KeyUsage)
	}
	return &Signer{client: client, id: id, public: public}, nil
}

// Public returns the *rsa.PublicKey.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// SignMessage signs a message of at most 4,096 bytes with
// RSASSA_PKCS1_V1_5_SHA_256; KMS hashes it.
func (s *Signer) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 {
		return nil, fmt.Errorf("sign with key %s: only SHA-256 is used, not %s", s.id, opts.HashFunc())
	}
	ctx, cancel := context.WithTimeout(context.Background(), signTime)
	defer cancel()
	out, err := s.client.Sign(ctx, &kms.SignInput{
		KeyId: &s.id, Message: message, MessageType: types.MessageTypeRaw, SigningAlgorithm: types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	})
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", s.id, err)
	}
	return out.Signature, nil
}

// Sign refuses: what is signed here is whole messages.
func (s *Signer) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("a KMS key signs whole messages here, not digests; call crypto.SignMessage")
}
