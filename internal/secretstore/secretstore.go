// Package secretstore reads secrets from AWS Secrets Manager by their name or ARN.
//
// It never writes, lists or logs one, and its errors name the secret's id, never
// its value. Whoever asks decides how long a value is kept.
package secretstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// API is what of Secrets Manager is used. *secretsmanager.Client of the SDK is one.
type API interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Store reads secrets. It is safe for concurrent use and keeps nothing.
type Store struct{ client API }

// New returns a store. It makes no call.
func New(client API) *Store { return &Store{client} }

// Get returns the current value of a secret without the white space around it,
// which pasting leaves. An empty one is an error.
func (s *Store) Get(ctx context.Context, id string) (secret.Secret, error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return secret.Secret{}, fmt.Errorf("read secret %s: %w", id, err)
	}
	value := string(out.SecretBinary)
	if out.SecretString != nil {
		value = *out.SecretString
	}
	if value = strings.TrimSpace(value); value == "" {
		return secret.Secret{}, fmt.Errorf("read secret %s: it is empty; put a value there", id)
	}
	return secret.New(value), nil
}

// List returns the values of a secret that holds one, or a JSON array of them
// while they are being rotated: ["new", "old"].
func (s *Store) List(ctx context.Context, id string) ([]secret.Secret, error) {
	value, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	var values []string
	if !strings.HasPrefix(value.Reveal(), "[") || json.Unmarshal([]byte(value.Reveal()), &values) != nil {
		return []secret.Secret{value}, nil // one that happens to begin with a bracket included
	}
	out := make([]secret.Secret, 0, len(values))
	for i, v := range values {
		if v = strings.TrimSpace(v); v == "" {
			return nil, fmt.Errorf("read secret %s: entry %d of its array is empty; anybody could sign with it, so take it out", id, i+1)
		}
		out = append(out, secret.New(v))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read secret %s: its array is empty; put the webhook's secret there", id)
	}
	return out, nil
}
