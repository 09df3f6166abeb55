package template

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeAWS answers as KMS would to the three calls of the import, and keeps what
// it is given. That AWS itself takes it is not shown by this.
const fakeAWS = `#!/bin/sh
echo "$*" >> "$KMS/calls"
case "$2" in
get-parameters-for-import) cat "$KMS/parameters" ;;
import-key-material)
	while [ $# -gt 0 ]; do
		case "$1" in
		--encrypted-key-material) cp "${2#fileb://}" "$KMS/material" ;;
		--import-token) cp "${2#fileb://}" "$KMS/token" ;;
		esac
		shift
	done ;;
get-public-key) cat "$KMS/public" ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
`

type kmsDouble struct {
	dir      string
	wrapping *rsa.PrivateKey
}

func newKMS(t *testing.T, public *rsa.PublicKey) kmsDouble {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is missing")
		}
		t.Skip("skipped: there is no openssl to wrap a key with")
	}
	wrapping, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		t.Fatal(err)
	}
	k := kmsDouble{dir: t.TempDir(), wrapping: wrapping}
	der := marshal(t, &wrapping.PublicKey)
	k.write(t, "parameters", base64.StdEncoding.EncodeToString(der)+"\t"+base64.StdEncoding.EncodeToString([]byte("the token"))+"\n")
	k.write(t, "public", base64.StdEncoding.EncodeToString(marshal(t, public))+"\n")
	k.write(t, "aws", fakeAWS)
	if err := os.Chmod(filepath.Join(k.dir, "aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	return k
}

func marshal(t *testing.T, key *rsa.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (k kmsDouble) write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(k.dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (k kmsDouble) run(file string) (string, error) {
	cmd := exec.Command("../../scripts/import-app-key.sh", "key-1", file)
	cmd.Env = append(os.Environ(), "KMS="+k.dir, "PATH="+k.dir+":"+os.Getenv("PATH"), "TMPDIR="+k.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// unwrap is AES key wrap with padding backwards (RFC 5649), so that openssl is
// not checked by itself.
func unwrap(key, in []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	n := len(in)/8 - 1
	if len(in)%8 != 0 || n < 2 {
		return nil, errors.New("no multiple of 8 bytes")
	}
	out, buf := bytes.Clone(in[8:]), make([]byte, 16)
	a := binary.BigEndian.Uint64(in)
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			binary.BigEndian.PutUint64(buf, a^uint64(n*j+i))
			copy(buf[8:], out[(i-1)*8:i*8])
			block.Decrypt(buf, buf)
			a = binary.BigEndian.Uint64(buf)
			copy(out[(i-1)*8:], buf[8:])
		}
	}
	size := int(a & 0xffffffff)
	if a>>32 != 0xa65959a6 || size > len(out) || size <= len(out)-8 {
		return nil, errors.New("the check value is wrong")
	}
	return out[:size], nil
}

func TestTheAppsKeyArrivesWrappedAndWhole(t *testing.T) {
	app, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k := newKMS(t, &app.PublicKey)
	file := k.write(t, "app.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(app)})))
	if out, err := k.run(file); err != nil || !strings.Contains(out, "imported: key-1") {
		t.Fatalf("%v\n%s", err, out)
	}
	material, err := os.ReadFile(filepath.Join(k.dir, "material"))
	if err != nil {
		t.Fatal(err)
	}
	aesKey, err := rsa.DecryptOAEP(sha256.New(), nil, k.wrapping, material[:512], nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := unwrap(aesKey, material[512:])
	if err != nil {
		t.Fatal(err)
	}
	got, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil || !app.Equal(got) {
		t.Errorf("another key arrived: %v", err)
	}
	if token, err := os.ReadFile(filepath.Join(k.dir, "token")); err != nil || string(token) != "the token" {
		t.Errorf("token %q, %v", token, err)
	}
	calls, err := os.ReadFile(filepath.Join(k.dir, "calls"))
	if err != nil || !strings.Contains(string(calls), "RSA_AES_KEY_WRAP_SHA_256 --wrapping-key-spec RSA_4096") ||
		!strings.Contains(string(calls), "KEY_MATERIAL_DOES_NOT_EXPIRE") {
		t.Errorf("%v\n%s", err, calls)
	}
	if left, err := filepath.Glob(filepath.Join(k.dir, "tmp.*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestAKeyThatIsNotTheAppsIsRefused(t *testing.T) {
	app, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k := newKMS(t, &app.PublicKey)
	key := func(bits int) string {
		other, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(other)}))
	}
	for _, c := range []struct{ name, content, want string }{
		{"garbage", "no key", "holds no private key"},
		{"3,072 bits", key(3072), "no RSA key of 2,048 bits"},
		{"what KMS got is another", key(2048), "KMS now has another key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := k.run(k.write(t, "app.pem", c.content))
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%v, want %q:\n%s", err, c.want, out)
			}
		})
	}
}
