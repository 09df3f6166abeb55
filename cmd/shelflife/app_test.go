package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdAppKey makes an App's private key and puts it where the seed says KEY:
// appkey FILE SEED.
func cmdAppKey(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
	quoted, err := json.Marshal(string(text))
	ts.Check(err)
	seed := strings.Replace(ts.ReadFile(args[1]), `"KEY"`, string(quoted), 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(seed), 0o600))
}
