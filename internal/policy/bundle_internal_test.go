package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/bundle"
)

// FuzzBundle feeds archives of any form. What is taken under a key is what its
// holder signed, to the byte; nothing else is. The key is always the same, since
// fuzzing runs in several processes.
func FuzzBundle(f *testing.F) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key, secret := VerificationKey{PEM: pemOf(f, "PUBLIC KEY", private.Public())}, pemOf(f, "PRIVATE KEY", private)
	signed := smallBundle(f, SigningKey{PEM: secret, Algorithm: "EdDSA"})
	want := contents(f, signed, key)
	plain := unzipped(f, signed)
	for _, seed := range [][]byte{plain, plain[:len(plain)/2], bytes.Replace(plain, []byte("keep"), []byte("kept"), 1), aliased(f, plain), nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tarball []byte) {
		// The tar is what is fuzzed: gzip's checksum would stop all else.
		var archive bytes.Buffer
		gz, err := gzip.NewWriterLevel(&archive, gzip.NoCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gz.Write(tarball); err != nil {
			t.Fatal(err)
		}
		if err := gz.Close(); err != nil {
			t.Fatal(err)
		}
		unpacked, err := unpack(archive.Bytes())
		if err != nil {
			return
		}
		if _, err := verified(unpacked, key); err == nil {
			if diff := cmp.Diff(want, contents(t, archive.Bytes(), key)); diff != "" {
				t.Errorf("something else than what was signed is taken (-signed +taken):\n%s", diff)
			}
		}
		if b, err := verified(unpacked, VerificationKey{}); err == nil { // need only not crash
			_, _ = revisionOf(b)
			_, _ = bundleData(b)
		}
	})
}

// aliased puts a document into a signed bundle that is small, packs to even less
// and would be gigabytes once its aliases are expanded.
func aliased(t testing.TB, tarball []byte) []byte {
	t.Helper()
	text := "a: &a \"" + strings.Repeat("x", 1<<20) + "\"\nb:\n" + strings.Repeat("- *a\n", 2000)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for r := tar.NewReader(bytes.NewReader(tarball)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content := io.Reader(r)
		if h.Name == "/data.json" {
			h.Size, content = int64(len(text)), strings.NewReader(text)
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// smallBundle is as small as can be, so that each byte of it gets its turn.
func smallBundle(t testing.TB, key SigningKey) []byte {
	t.Helper()
	raw := []byte("package retention.p\n\ndecisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \"x\"}\n")
	b := bundle.Bundle{
		Manifest: bundle.Manifest{Revision: "v1"}, Data: map[string]any{"deployed": map[string]any{"tags": []any{"v1"}}},
		Modules: []bundle.ModuleFile{{URL: "/p.rego", Path: "/p.rego", Raw: raw}},
	}
	b.Manifest.Init()
	if err := key.sign(&b); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).UseModulePath(true).DisableFormat(true).Write(b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pemOf(t testing.TB, kind string, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if kind == "PRIVATE KEY" {
		der, err = x509.MarshalPKCS8PrivateKey(key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// contents are what of a bundle decides: modules, documents, manifest.
func contents(t testing.TB, archive []byte, key VerificationKey) map[string]string {
	t.Helper()
	unpacked, err := unpack(archive)
	if err != nil {
		t.Fatal(err)
	}
	b, err := verified(unpacked, key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(b.Data)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"data": string(data), "revision": b.Manifest.Revision}
	for _, m := range b.Modules {
		out[m.RelativePath] = string(m.Raw)
	}
	return out
}

func unzipped(t testing.TB, archive []byte) []byte {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
