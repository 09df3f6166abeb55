package awsbundle

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// KMS is what of KMS is used. *kms.Client of the SDK is one.
type KMS interface {
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
}

// PublicKey reads the public half of a signing key as PEM.
func PublicKey(ctx context.Context, client KMS, arn string) ([]byte, error) {
	out, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &arn})
	if err != nil {
		return nil, fmt.Errorf("read the verification key %s: %w", arn, err)
	}
	if out.KeyUsage != types.KeyUsageTypeSignVerify {
		return nil, fmt.Errorf("read the verification key %s: %w", arn, errors.New("it is not for signing; name a key of usage SIGN_VERIFY"))
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: out.PublicKey}), nil
}
