package policy

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/bundle"
)

// ErrUnverified says that a key is configured and that the bundle is not what its
// holder signed: no signature, another key, other files.
var ErrUnverified = errors.New("the bundle's signature does not hold")

// DefaultKeyID is the key id of the stock opa, where none is named.
const DefaultKeyID = "default"

// VerificationKey is what a bundle has to be signed with. The zero value means
// that nothing is verified.
type VerificationKey struct {
	PEM   []byte // public key: RSA of 2048 bits or more, ECDSA, or Ed25519
	ID    string // the key id in the signature; "" means DefaultKeyID
	Scope string // the scope in the signature; "" means that it names none
}

// IsZero reports whether no key is configured.
func (k VerificationKey) IsZero() bool { return len(k.PEM) == 0 }

// Check reports what is wrong with the key itself.
func (k VerificationKey) Check() error {
	if k.IsZero() {
		return nil
	}
	_, err := k.algorithms()
	return err
}

// minRSABits is the least that RS256 asks for (RFC 7518, 3.3).
const minRSABits = 2048

// algorithms are the signature algorithms that go with the key. What the
// signature's own header says is only taken from among them, so that a public key
// can't be made to serve as a shared secret.
func (k VerificationKey) algorithms() ([]string, error) {
	block, rest := pem.Decode(k.PEM)
	if block == nil {
		return nil, errors.New("the verification key is no PEM file; write a public key, as openssl pkey -pubout does")
	}
	if strings.Contains(block.Type, "PRIVATE") {
		return nil, errors.New("the verification key is a private key; keep that where bundles are signed, and write its public half here (openssl pkey -pubout)")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("the verification key file holds more than one key; write one")
	}
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = cert.PublicKey
		}
	default:
		return nil, fmt.Errorf("the verification key is a %q block; write a PUBLIC KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("read the verification key: %w", err)
	}
	return algorithmsOf(public)
}

func algorithmsOf(public any) ([]string, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("the verification key has %d bits; an RSA key needs %d", key.N.BitLen(), minRSABits)
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, nil
	case *ecdsa.PublicKey:
		alg, ok := map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[key.Curve.Params().Name]
		if !ok {
			return nil, fmt.Errorf("the verification key is on the curve %s; use P-256, P-384 or P-521", key.Curve.Params().Name)
		}
		return []string{alg}, nil
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	}
	return nil, errors.New("the verification key is of a kind that signs no bundles; use RSA, ECDSA or Ed25519")
}

// strongHashes are those in which a signature may list the files. OPA takes MD5
// and SHA-1 too.
var strongHashes = []string{"SHA-256", "SHA-384", "SHA-512", "SHA-512-256"}

// config is the key as OPA's reader takes it, for the signature in the bundle.
func (k VerificationKey) config(signatures []byte) (*bundle.VerificationConfig, error) {
	able, err := k.algorithms()
	if err != nil {
		return nil, err
	}
	alg, err := declaredAlgorithm(signatures)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(able, alg) {
		return nil, fmt.Errorf("%w: it is signed with %q, and the verification key does %s", ErrUnverified, shortened(alg), strings.Join(able, ", "))
	}
	id := k.ID
	if id == "" {
		id = DefaultKeyID
	}
	// Not NewKeyConfig, which would take the key for the name of a file if there
	// is one.
	key := &bundle.KeyConfig{Key: string(k.PEM), Algorithm: alg, Scope: k.Scope}
	// Without an id of its own the reader goes by the signature's: another one
	// finds no key.
	return bundle.NewVerificationConfig(map[string]*bundle.KeyConfig{id: key}, "", k.Scope, nil), nil
}

// declaredAlgorithm reads what the signature says of itself. Nothing here is
// trusted: it only chooses among what the key can do.
func declaredAlgorithm(signatures []byte) (string, error) {
	var file bundle.SignaturesConfig
	if err := json.Unmarshal(signatures, &file); err != nil {
		return "", fmt.Errorf("%w: %s is not JSON (%w)", ErrUnverified, signaturesFile, err)
	}
	switch {
	case len(file.Signatures) != 1:
		return "", fmt.Errorf("%w: %s holds %d signatures and has to hold one", ErrUnverified, signaturesFile, len(file.Signatures))
	case file.Plugin != "" && file.Plugin != "_default":
		return "", fmt.Errorf("%w: it asks for the plugin %q", ErrUnverified, shortened(file.Plugin))
	}
	parts := strings.Split(file.Signatures[0], ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("%w: it is no JSON web token", ErrUnverified)
	}
	var header struct {
		Alg string `json:"alg"`
	}
	var payload struct {
		Files []bundle.FileInfo `json:"files"`
	}
	if err := errors.Join(decodePart(parts[0], &header), decodePart(parts[1], &payload)); err != nil {
		return "", fmt.Errorf("%w: it is no JSON web token (%w)", ErrUnverified, err)
	}
	seen := map[string]bool{}
	for _, f := range payload.Files {
		switch {
		case !slices.Contains(strongHashes, f.Algorithm):
			return "", fmt.Errorf("%w: %q is listed by its %q, which can be forged; sign with SHA-256", ErrUnverified, shortened(f.Name), shortened(f.Algorithm))
		case seen[f.Name]:
			return "", fmt.Errorf("%w: %q is listed twice", ErrUnverified, shortened(f.Name))
		}
		seen[f.Name] = true
	}
	return header.Alg, nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
