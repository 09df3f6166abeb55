package ghapp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestKeysThatCannotBeUsedSayWhy(t *testing.T) {
	good := testPEM(t)
	for name, c := range map[string]struct{ key, want string }{
		"empty":             {"", "is empty"},
		"literal \\n":       {strings.ReplaceAll(good, "\n", `\n`), `literal \n`},
		"base64":            {base64.StdEncoding.EncodeToString([]byte(good)), "not in base64"},
		"garbage inside":    {"-----BEGIN RSA PRIVATE KEY-----\nabcd\n-----END RSA PRIVATE KEY-----", "generate a new key"},
		"public key":        {"-----BEGIN PUBLIC KEY-----\nabcd\n-----END PUBLIC KEY-----", "not the private half"},
		"OpenSSH":           {"-----BEGIN OPENSSH PRIVATE KEY-----\nabcd\n-----END OPENSSH PRIVATE KEY-----", "OpenSSH"},
		"with passphrase":   {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nabcd\n-----END ENCRYPTED PRIVATE KEY-----", "encrypted"},
		"cut in the middle": {good[:len(good)/2], "generate a new key"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeGitHub(t)
			_, err := NewApp(AppOptions{Owner: acme, AppID: 42, Key: NewPrivateKey(c.key, "/etc/key.pem"), Connection: f.connection(GovernorOptions{})})
			if err == nil {
				t.Fatal("accepted")
			}
			text := Redact(err.Error()) // as people see it
			if !strings.Contains(text, "/etc/key.pem") || !strings.Contains(text, "PEM") || !strings.Contains(text, c.want) {
				t.Errorf("error %q must name the file, the form and %q", text, c.want)
			}
			if len(c.key) > 200 && strings.Contains(text, c.key[100:140]) {
				t.Errorf("error %q quotes the key", text)
			}
		})
	}
}

func TestKeysOfBothForms(t *testing.T) {
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	pkcs8, err := ReadPrivateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*AppOptions){
		"PKCS#1": func(*AppOptions) {},
		"PKCS#8": func(o *AppOptions) { o.Key = pkcs8 },
		"signer": func(o *AppOptions) { o.Key, o.Signer = PrivateKey{}, testKey() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeGitHub(t) // verifies the signature
			if _, err := f.call(f.app(change), Planning, "GET", "/orgs/acme/packages"); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := ReadPrivateKey(path + ".missing"); err == nil || !strings.Contains(err.Error(), ".pem file that GitHub gave out") {
		t.Errorf("missing file: %v", err)
	}
}

func TestAppOptionsAreChecked(t *testing.T) {
	f := newFakeGitHub(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*AppOptions){
		"no App id":       func(o *AppOptions) { o.AppID = 0 },
		"no owner":        func(o *AppOptions) { o.Owner.Login = "" },
		"EC signer":       func(o *AppOptions) { o.Signer = ec },
		"no governor":     func(o *AppOptions) { o.Connection.Governor = nil },
		"no transport":    func(o *AppOptions) { o.Connection.Transport = nil },
		"no user agent":   func(o *AppOptions) { o.Connection.UserAgent = "" },
		"open http":       func(o *AppOptions) { o.Connection.BaseURL = "http://ghe.example/api/v3" },
		"address with pw": func(o *AppOptions) { o.Connection.BaseURL = "https://u:p@ghe.example/api/v3" },
		"no address":      func(o *AppOptions) { o.Connection.BaseURL = "ghe.example" },
	} {
		t.Run(name, func(t *testing.T) {
			opts := AppOptions{Owner: acme, AppID: 42, Key: NewPrivateKey(testPEM(t), "k"), Connection: f.connection(GovernorOptions{MaxWait: time.Second})}
			change(&opts)
			if _, err := NewApp(opts); err == nil || strings.Contains(err.Error(), "u:p") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := f.app(nil).HTTP(Phase(7), acme); err == nil || !strings.Contains(err.Error(), "invalid(7)") {
		t.Errorf("unknown phase: %v", err)
	}
}

func TestAnEndlessKeyFileIsNotReadWhole(t *testing.T) {
	if _, err := ReadPrivateKey("/dev/zero"); err == nil || !strings.Contains(err.Error(), "larger than 64 KiB") {
		t.Error(err)
	}
}

func TestAnEndlessAnswerToTheAppIsNotReadWhole(t *testing.T) {
	f := newFakeGitHub(t)
	f.handlers["GET /app"] = func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, `{"slug": "`)
		for part := strings.Repeat("a", 1<<20); err == nil; {
			_, err = io.WriteString(w, part) // until the reader hangs up
		}
	}
	if _, err := f.app(nil).AppInfo(t.Context()); err == nil || !strings.Contains(err.Error(), "longer than 32 MiB") {
		t.Error(err)
	}
}
