package guard

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/jsonlist"
	"github.com/shelflife-dev/shelflife/internal/retention"
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
// a key service elsewhere. A payload may be written any number of times, the
// same each time.
type Sealer interface {
	Alg() string
	Seal(ctx context.Context, payload io.WriterTo) ([]byte, error)
	Check(ctx context.Context, payload io.WriterTo, signature []byte) error
}

// HMACKey seals with HMAC-SHA256 (alg HS256).
type HMACKey []byte

// Alg returns "HS256".
func (HMACKey) Alg() string { return "HS256" }

// Seal returns the MAC of payload.
func (k HMACKey) Seal(_ context.Context, payload io.WriterTo) ([]byte, error) {
	if len(k) < sha256.Size {
		return nil, fmt.Errorf("the plan key has %d bytes, it needs %d", len(k), sha256.Size)
	}
	m := hmac.New(sha256.New, k)
	if _, err := payload.WriteTo(m); err != nil {
		return nil, err
	}
	return m.Sum(nil), nil
}

// Check returns ErrTampered unless signature is the MAC of payload.
func (k HMACKey) Check(ctx context.Context, payload io.WriterTo, signature []byte) error {
	want, err := k.Seal(ctx, payload)
	if err != nil {
		return err
	}
	if !hmac.Equal(want, signature) {
		return ErrTampered
	}
	return nil
}

// payload is what is signed: the document without its signature, compact.
type payload document

// WriteTo writes the payload an item at a time.
func (p payload) WriteTo(w io.Writer) (int64, error) {
	n := &counted{w: w}
	d := document(p)
	d.Signature = nil
	err := d.write(n, jsonlist.Style{EscapeHTML: true})
	return n.n, err
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func (d document) write(w io.Writer, s jsonlist.Style) error {
	items := d.Items
	d.Items = []retention.Item{}
	return jsonlist.Write(w, d, "items", slices.Values(items), s)
}

// MarshalJSON writes the plan without a signature; Seal writes one that can be applied.
func (p Plan) MarshalJSON() ([]byte, error) { return json.Marshal(p.doc) }

// WriteJSON writes what MarshalJSON does, indented and an item at a time.
func (p Plan) WriteJSON(w io.Writer) error { return p.doc.write(w, jsonlist.Style{Indent: true}) }

// Seal writes the plan as indented JSON with its signature, an item at a time.
func (p Plan) Seal(ctx context.Context, w io.Writer, s Sealer) error {
	mac, err := s.Seal(ctx, payload(p.doc))
	if err != nil {
		return fmt.Errorf("sign plan: %w", err)
	}
	doc := p.doc
	doc.Signature = &Signature{Alg: s.Alg(), Value: base64.StdEncoding.EncodeToString(mac)}
	if err := doc.write(w, jsonlist.Style{Indent: true}); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// Open reads a sealed plan back. It refuses one that is malformed, of another
// format, unsigned, changed since it was sealed, or past its expiry.
func Open(ctx context.Context, r io.Reader, s Sealer, now time.Time) (Plan, error) {
	return open(ctx, r, s, now, MaxPlanBytes)
}

// open reads a plan of so many bytes at most.
func open(ctx context.Context, r io.Reader, s Sealer, now time.Time, limit int64) (Plan, error) {
	doc := document{Items: []retention.Item{}}
	bounded := &io.LimitedReader{R: r, N: limit + 1}
	err := jsonlist.Read(bounded, &doc, "items", func(it retention.Item) error {
		doc.Items = append(doc.Items, it)
		return nil
	})
	switch {
	case bounded.N == 0:
		return Plan{}, fmt.Errorf("read plan: larger than %d MiB", limit>>20)
	case errors.Is(err, jsonlist.ErrTrailing):
		return Plan{}, fmt.Errorf("read plan: %w: there is something after its end", ErrTampered)
	case err != nil:
		return Plan{}, fmt.Errorf("read plan: not a %s document: %w", Schema, err)
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
	if err := s.Check(ctx, payload(doc), mac); err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	if !now.Before(doc.ExpiresAt) {
		return Plan{}, fmt.Errorf("read plan: %w on %s; make a new one", ErrExpired, doc.ExpiresAt.Format(time.RFC3339))
	}
	doc.Signature = nil
	return Plan{doc: doc}, nil
}
