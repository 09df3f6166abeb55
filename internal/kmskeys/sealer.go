package kmskeys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/shelflife-dev/shelflife/internal/guard"
)

// MacAPI is what of KMS a Sealer uses. *kms.Client of the SDK is one.
type MacAPI interface {
	GenerateMac(context.Context, *kms.GenerateMacInput, ...func(*kms.Options)) (*kms.GenerateMacOutput, error)
	VerifyMac(context.Context, *kms.VerifyMacInput, ...func(*kms.Options)) (*kms.VerifyMacOutput, error)
}

// Sealer seals plans with an HMAC_256 key of KMS. It is safe for concurrent use.
type Sealer struct {
	client MacAPI
	id     string
}

var _ guard.Sealer = (*Sealer)(nil)

// NewSealer seals with the key of that id or ARN. It makes no call.
func NewSealer(client MacAPI, id string) *Sealer { return &Sealer{client, id} }

// Alg names the algorithm in plans: no HMAC key of one machine opens them.
func (*Sealer) Alg() string { return "KMS-HS256" }

// message is what the MAC is over. KMS takes at most 4,096 bytes, plans are
// larger; the words before the digest keep the key's MACs apart from those of
// any other use.
func message(payload []byte) []byte {
	sum := sha256.Sum256(payload)
	return []byte(guard.Schema + " sha256:" + hex.EncodeToString(sum[:]))
}

// Seal returns the MAC of the payload's digest.
func (s *Sealer) Seal(ctx context.Context, payload []byte) ([]byte, error) {
	out, err := s.client.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId: &s.id, MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: message(payload),
	})
	if err != nil {
		return nil, fmt.Errorf("seal with key %s: %w", s.id, err)
	}
	return out.Mac, nil
}

// Check returns guard.ErrTampered unless signature is the MAC. Any other error
// means that KMS could not be asked.
func (s *Sealer) Check(ctx context.Context, payload, signature []byte) error {
	if len(signature) == 0 {
		return guard.ErrTampered
	}
	out, err := s.client.VerifyMac(ctx, &kms.VerifyMacInput{
		KeyId: &s.id, MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: message(payload), Mac: signature,
	})
	var invalid *types.KMSInvalidMacException
	switch {
	case errors.As(err, &invalid), err == nil && !out.MacValid:
		return guard.ErrTampered
	case err != nil:
		return fmt.Errorf("check the seal with key %s: %w", s.id, err)
	}
	return nil
}
