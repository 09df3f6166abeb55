package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/util"
)

// SigningKey is what a bundle is signed with.
type SigningKey struct {
	PEM       []byte // private key
	Algorithm string // one of SigningAlgorithms
	ID        string // key id; "" means DefaultKeyID
}

// SigningAlgorithms are those that bundles are signed with.
func SigningAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// BuildOptions say what a bundle is made of.
type BuildOptions struct {
	Options
	Revision string      // "" means the digest of its content
	Sign     *SigningKey // nil makes an unsigned bundle
}

// BuildBundle checks the policies and writes them as an OPA bundle: the modules
// without their tests, the library, and the documents that the stock opa sees
// with them (the parameters' defaults). The same input gives the same bytes,
// except for signatures that are random by nature (PS…, ES…).
func BuildBundle(ctx context.Context, shipped fs.FS, o BuildOptions) ([]byte, Bundle, error) {
	f, err := filesOf(shipped, o.Options)
	if err != nil {
		return nil, Bundle{}, fmt.Errorf("build a bundle: %w", err)
	}
	if found := check(ctx, f, o.Options); len(found) > 0 {
		return nil, Bundle{}, fmt.Errorf("build a bundle: %w", Findings(found))
	}
	b, err := o.bundle(ctx, f)
	if err != nil {
		return nil, Bundle{}, fmt.Errorf("build a bundle: %w", err)
	}
	if o.Sign != nil {
		if err := o.Sign.sign(&b); err != nil {
			return nil, Bundle{}, fmt.Errorf("sign the bundle: %w", err)
		}
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).UseModulePath(true).DisableFormat(true).Write(b); err != nil {
		return nil, Bundle{}, fmt.Errorf("write the bundle: %w", err)
	}
	// What can't be loaded again is not handed out.
	engine, err := Load(ctx, shipped, Options{Bundle: out.Bytes(), Only: o.Only, Data: o.Data})
	if err != nil {
		return nil, Bundle{}, fmt.Errorf("read back the bundle: %w", err)
	}
	return out.Bytes(), engine.Bundle(), nil
}

func (o BuildOptions) bundle(ctx context.Context, f files) (bundle.Bundle, error) {
	s, found, err := readSet(ctx, f, o.Options)
	if err := errors.Join(err, asFindings(found)); err != nil {
		return bundle.Bundle{}, err
	}
	identity, err := newBundle(s.files, s.layers, o.Options)
	if err != nil {
		return bundle.Bundle{}, err
	}
	b := bundle.Bundle{Manifest: bundle.Manifest{Revision: o.Revision}}
	if o.Revision == "" {
		b.Manifest.Revision = identity.Revision
	}
	b.Manifest.Init()
	b.Manifest.SetRegoVersion(ast.RegoV1)
	if b.Data, err = dataOf(f.data, s.policies); err != nil {
		return bundle.Bundle{}, err
	}
	for _, src := range s.files.sources {
		if !src.isTest() {
			name := bundlePath(src)
			b.Modules = append(b.Modules, bundle.ModuleFile{URL: name, Path: name, RelativePath: name, Raw: src.text, Parsed: src.module})
		}
	}
	_, err = revisionOf(b)
	return b, err
}

// bundlePath puts the shipped files and the user's side by side, each set below
// a folder of its own, so that no two have the same path.
func bundlePath(s source) string {
	_, rel, _ := strings.Cut(s.key, "/")
	if s.shipped {
		return path.Join("/shipped", rel)
	}
	return path.Join("/policies", rel)
}

// dataOf is the shipped data document with the parameters' defaults of these
// policies, and no other's: so the stock opa evaluates the bundle as it is.
func dataOf(shipped []byte, policies []Policy) (map[string]any, error) {
	data := map[string]any{}
	if len(shipped) > 0 {
		if err := json.Unmarshal(shipped, &data); err != nil {
			return nil, fmt.Errorf("read %s: %w", dataFile, err)
		}
	}
	params := map[string]any{}
	for _, p := range policies {
		params[p.Name] = p.Params
	}
	data["params"] = params
	text, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("write the data document: %w", err)
	}
	var out map[string]any
	if err := util.UnmarshalJSON(text, &out); err != nil { // numbers as OPA signs them
		return nil, fmt.Errorf("write the data document: %w", err)
	}
	return out, nil
}

func (k SigningKey) sign(b *bundle.Bundle) error {
	text := strings.TrimSpace(string(k.PEM))
	switch {
	case !strings.HasPrefix(text, "-----BEGIN"):
		return errors.New("the key is no PEM file; write a private key, as openssl genpkey does")
	case !strings.Contains(text, "PRIVATE KEY-----"):
		return errors.New("the key is no private key; the public one verifies, the private one signs")
	case !slices.Contains(SigningAlgorithms(), k.Algorithm):
		return fmt.Errorf("there is no signature algorithm %q; use one of %s", k.Algorithm, strings.Join(SigningAlgorithms(), ", "))
	}
	id := k.ID
	if id == "" {
		id = DefaultKeyID
	}
	config := bundle.NewSigningConfig(text, k.Algorithm, "")
	if err := b.GenerateSignature(config, id, true); err != nil {
		return fmt.Errorf("with %s: %w; the kind of key and the algorithm have to go together", k.Algorithm, err)
	}
	b.Signatures.Plugin = "" // the default one; the stock opa names none either
	return nil
}
