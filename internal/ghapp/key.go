package ghapp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v4"

	"github.com/shelflife-dev/shelflife/internal/bounded"
)

// PrivateKey is a GitHub App's private key in PEM form, and where it came from.
type PrivateKey struct {
	Secret
	from string
}

// NewPrivateKey hides a key. from names its origin for error messages, such as
// a file or the name of an environment variable.
func NewPrivateKey(pem, from string) PrivateKey {
	return PrivateKey{Secret: NewSecret(pem), from: from}
}

// maxKeyFile bounds a key file; an RSA key of 16,384 bits is smaller.
const maxKeyFile = 64 << 10

// ReadPrivateKey reads a key file.
func ReadPrivateKey(path string) (PrivateKey, error) {
	pem, err := bounded.ReadFile(path, maxKeyFile)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("read the App's private key: %w; set the path of the .pem file that GitHub gave out for the App", err)
	}
	return NewPrivateKey(string(pem), path), nil
}

// signer parses the key. The parser's own error is not passed on: it says
// nothing that helps, and nobody knows what a later version might quote.
func (k PrivateKey) signer() (crypto.Signer, error) {
	from := k.from
	if from == "" {
		from = "the App's private key"
	}
	if k.IsZero() {
		return nil, fmt.Errorf("%s is empty; it must hold the PEM file that GitHub gave out for the App", from)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(strings.TrimSpace(k.Reveal())))
	if err != nil {
		return nil, fmt.Errorf("%s is not an RSA private key in PEM form (PKCS#1 or PKCS#8: its first line says RSA PRIVATE KEY or PRIVATE KEY); %s",
			from, keyHint(k.Reveal()))
	}
	return key, nil
}

func keyHint(text string) string {
	switch {
	case strings.Contains(text, `\n`):
		return `it holds a literal \n where lines should end: store it with real line breaks`
	case strings.Contains(text, "ENCRYPTED"):
		return "it is encrypted: store it without a passphrase, as GitHub gave it out"
	case strings.Contains(text, "OPENSSH"):
		return "it is an OpenSSH key: use the App's own key, from its settings page"
	case strings.Contains(text, "CERTIFICATE"), strings.Contains(text, "PUBLIC KEY"):
		return "it is not the private half: use the .pem file from the App's settings page"
	case !strings.Contains(text, "-----BEGIN"):
		return "its BEGIN and END lines are missing: use the .pem file as it is, not in base64"
	}
	return "generate a new key on the App's settings page and use the .pem file as it is"
}

// jwtSigner signs App JWTs with any RSA key, whether it is in memory or in a key
// management service (a crypto.MessageSigner).
type jwtSigner struct{ key crypto.Signer }

func newJWTSigner(key crypto.Signer) (*jwtSigner, error) {
	if _, ok := key.Public().(*rsa.PublicKey); !ok {
		return nil, errors.New("the App's signer has no RSA key; GitHub Apps sign with RSA (RS256)")
	}
	return &jwtSigner{key: key}, nil
}

// Sign implements ghinstallation.Signer.
func (s *jwtSigner) Sign(claims jwt.Claims) (string, error) {
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SigningString()
	if err != nil {
		return "", err
	}
	// A key in KMS takes the whole message, one in memory its digest.
	signature, err := crypto.SignMessage(s.key, rand.Reader, []byte(text), crypto.SHA256)
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
