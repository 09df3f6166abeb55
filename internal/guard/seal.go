package guard

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxPlanBytes bounds a saved plan that is read back.
const MaxPlanBytes = 512 << 20

// Errors of Open. Each refuses the whole plan.
var (
	ErrTampered = errors.New("the plan's signature does not fit its content")
	ErrExpired  = errors.New("the plan has expired")
	ErrUnsigned = errors.New("the plan is not signed")
)

// Signature is over the whole plan but itself.
type Signature struct {
	Alg   string `json:"alg"`
	Value string `json:"value"` // base64
}

// Sealer signs plans and checks their signatures: an HMAC key on one machine,
// a key service elsewhere.
type Sealer interface {
	Alg() string
	Seal(ctx context.Context, payload []byte) ([]byte, error)
	Check(ctx context.Context, payload, signature []byte) error
}

// HMACKey seals with HMAC-SHA256 (alg HS256).
type HMACKey []byte

// Alg returns "HS256".
func (HMACKey) Alg() string { return "HS256" }

// Seal returns the MAC of payload.
func (k HMACKey) Seal(_ context.Context, payload []byte) ([]byte, error) {
	if len(k) < sha256.Size {
		return nil, fmt.Errorf("the plan key has %d bytes, it needs %d", len(k), sha256.Size)
	}
	m := hmac.New(sha256.New, k)
	m.Write(payload)
	return m.Sum(nil), nil
}

// Check returns ErrTampered unless signature is the MAC of payload.
func (k HMACKey) Check(ctx context.Context, payload, signature []byte) error {
	want, err := k.Seal(ctx, payload)
	if err != nil {
		return err
	}
	if !hmac.Equal(want, signature) {
		return ErrTampered
	}
	return nil
}

// payload is what is signed: the document without its signature.
func (d document) payload() ([]byte, error) {
	d.Signature = nil
	return json.Marshal(d)
}

// MarshalJSON writes the plan without a signature; Seal writes one that can be applied.
func (p Plan) MarshalJSON() ([]byte, error) { return json.Marshal(p.doc) }

// Seal returns the plan as indented JSON with its signature.
func (p Plan) Seal(ctx context.Context, s Sealer) ([]byte, error) {
	b, err := p.doc.payload()
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	mac, err := s.Seal(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("sign plan: %w", err)
	}
	doc := p.doc
	doc.Signature = &Signature{Alg: s.Alg(), Value: base64.StdEncoding.EncodeToString(mac)}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return out.Bytes(), nil
}

// readAtMost reads all of r, or fails when that is more than limit bytes.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("larger than %d MiB", limit>>20)
	}
	return b, nil
}

// Open reads a sealed plan back. It refuses one that is malformed, of another
// format, unsigned, changed since it was sealed, or past its expiry.
func Open(ctx context.Context, r io.Reader, s Sealer, now time.Time) (Plan, error) {
	b, err := readAtMost(r, MaxPlanBytes)
	if err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	var doc document
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return Plan{}, fmt.Errorf("read plan: not a %s document: %w", Schema, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Plan{}, fmt.Errorf("read plan: %w: there is something after its end", ErrTampered)
	}
	if doc.Schema != Schema {
		return Plan{}, fmt.Errorf("read plan: its schema is %q, this version reads %q", doc.Schema, Schema)
	}
	if doc.Signature == nil || doc.Signature.Value == "" {
		return Plan{}, fmt.Errorf("read plan: %w; save it with plan --out", ErrUnsigned)
	}
	mac, err := base64.StdEncoding.DecodeString(doc.Signature.Value)
	if err != nil || doc.Signature.Alg != s.Alg() {
		return Plan{}, fmt.Errorf("read plan: %w", ErrTampered)
	}
	payload, err := doc.payload()
	if err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	if err := s.Check(ctx, payload, mac); err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	if !now.Before(doc.ExpiresAt) {
		return Plan{}, fmt.Errorf("read plan: %w on %s; make a new one", ErrExpired, doc.ExpiresAt.Format(time.RFC3339))
	}
	doc.Signature = nil
	return Plan{doc: doc}, nil
}
