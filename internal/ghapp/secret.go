package ghapp

import (
	"strings"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// Secret is a value that is never printed.
type Secret = secret.Secret

// NewSecret hides a value.
func NewSecret(value string) Secret { return secret.New(value) }

// Token is a GitHub token: an installation token or a personal access token.
type Token struct{ Secret }

// NewToken hides a token. White space around it, as files and pasted
// environment variables have, is no part of it.
func NewToken(value string) Token { return Token{NewSecret(strings.TrimSpace(value))} }
