package policy_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

// keyPair is a key in the files' form, private and public.
type keyPair struct{ private, public []byte }

func newKeyPair(t testing.TB, key crypto.Signer) keyPair {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{
		private: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		public:  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	}
}

func rsaPair(t testing.TB) keyPair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return newKeyPair(t, key)
}

func ecPair(t testing.TB, curve elliptic.Curve) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newKeyPair(t, key)
}

func edPair(t testing.TB) keyPair {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newKeyPair(t, key)
}

// onePolicy is the smallest set that deletes something, with a call of the library.
func onePolicy(t testing.TB) string {
	t.Helper()
	return folder(t, map[string]string{
		"expire_all/expire_all.rego": withMetadata("expire_all", "#   mode: enforce\n#   params: {older_than_days: 3}\n", `import data.lib.params

decisions contains {"action": "delete", "version": v.id, "reason": "old"} if {
	some v in input.versions
	v.age_days > params.of("expire_all").older_than_days
}
`),
		"expire_all/expire_all_test.rego": "package retention.expire_all_test\n\ntest_true if true\n",
	})
}

// build makes a bundle of the folder, signed when there is an algorithm.
func build(t testing.TB, dir, revision, alg string, key []byte) []byte {
	t.Helper()
	o := policy.BuildOptions{Options: policy.Options{Path: dir}, Revision: revision}
	if alg != "" {
		o.Sign = &policy.SigningKey{PEM: key, Algorithm: alg}
	}
	archive, _, err := policy.BuildBundle(context.Background(), policies.FS, o)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func loadBundle(archive []byte, key policy.VerificationKey) (*policy.Engine, error) {
	return policy.Load(context.Background(), policies.FS, policy.Options{Bundle: archive, Key: key})
}

// entry is one entry of an archive.
type entry struct {
	tar.Header
	data []byte
}

// entries reads an archive as it is.
func entries(t testing.TB, archive []byte) []entry {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var out []entry
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, entry{*h, data})
	}
}

// pack writes an archive of any entries, whatever they are.
func pack(t testing.TB, list ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	w := tar.NewWriter(gz)
	for _, e := range list {
		e.Header.Size = int64(len(e.data))
		if e.Header.Mode == 0 {
			e.Header.Mode = 0o600
		}
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func file(name, data string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeReg}, []byte(data)}
}

// opa runs the stock opa in a folder and returns what it prints.
func opa(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"-C", root, "tool", "-modfile=tools/go.mod", "opa"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
