package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/operator"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

// publisher puts bundles where the configuration looks for them.
type publisher struct {
	t       *testing.T
	env     *awstest.Env
	bucket  string
	private []byte
	public  string // a file
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &publisher{t: t, env: awstest.Start(t), public: filepath.Join(t.TempDir(), "policies.pem")}
	p.bucket = p.env.Bucket(t)
	p.private = p.encode("PRIVATE KEY")(x509.MarshalPKCS8PrivateKey(priv))
	if err := os.WriteFile(p.public, p.encode("PUBLIC KEY")(x509.MarshalPKIXPublicKey(pub)), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *publisher) encode(kind string) func(der []byte, err error) []byte {
	return func(der []byte, err error) []byte {
		p.t.Helper()
		if err != nil {
			p.t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
}

// settings replaces the policies of the configuration.
func (p *publisher) settings() []string {
	return []string{"builtin: true", `bundle: "s3://` + p.bucket + `/policies.tar.gz", verification_key: "` + p.public + `"`}
}

// bundle is one of the shipped policies.
func (p *publisher) bundle(revision string, signed bool) []byte {
	p.t.Helper()
	o := policy.BuildOptions{Options: policy.Options{Builtin: true}, Revision: revision}
	if signed {
		o.Sign = &policy.SigningKey{PEM: p.private, Algorithm: "EdDSA"}
	}
	b, _, err := policy.BuildBundle(p.t.Context(), policies.FS, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func (p *publisher) publish(b []byte) {
	p.t.Helper()
	key := "policies.tar.gz"
	if _, err := p.env.S3().PutObject(p.t.Context(), &s3.PutObjectInput{Bucket: &p.bucket, Key: &key, Body: bytes.NewReader(b)}); err != nil {
		p.t.Fatal(err)
	}
}

// again lets the schedule come due once more.
func (w *world) again() {
	w.t.Helper()
	w.back = -2 * time.Minute
	w.mustInvoke(`{"kind":"tick"}`)
	w.back = 0
	w.drain()
}

func TestABundleDecidesOnlyWhileItsSignatureHolds(t *testing.T) {
	p := newPublisher(t)
	p.publish(p.bundle("unsigned", false))
	w := newWorld(t, p.settings()...)
	w.sweep()
	w.expect(whole)
	if log := w.log.String(); !strings.Contains(log, "the policy bundle is refused or missing") || !strings.Contains(log, "there are no policies") {
		t.Errorf("nobody is told that there are no policies\n%s", log)
	}
	w.status() // somebody has to be able to look

	p.publish(p.bundle("v1", true))
	w.again()
	w.expect(swept)
	if log := w.log.String(); !strings.Contains(log, `"revision":"v1"`) {
		t.Errorf("the revision is in no line\n%s", log)
	}
}

func TestTheLastGoodBundleStandsIn(t *testing.T) {
	p := newPublisher(t)
	p.publish(p.bundle("v1", true))
	w := newWorld(t, p.settings()...)
	w.status() // fetches and keeps it
	p.publish([]byte("no archive"))
	w.boot()
	w.sweep()
	w.expect(swept)
	if log := w.log.String(); !strings.Contains(log, "the last good policy bundle stands in") {
		t.Errorf("nobody is told\n%s", log)
	}
}

func TestTheFunctionStartsWithoutItsBundle(t *testing.T) {
	p := newPublisher(t) // publishes nothing
	w := newWorld(t, p.settings()...)
	if out := w.mustInvoke(`{"kind":"status"}`); !strings.Contains(out, `"owner`) {
		t.Errorf("status: %s", out)
	}
	w.sweep()
	w.expect(whole)
}

// TestAPlanIsNotCarriedOutUnderPoliciesThatAreRefused has the bundle go bad between
// the plan and its first delete.
func TestAPlanIsNotCarriedOutUnderPoliciesThatAreRefused(t *testing.T) {
	p := newPublisher(t)
	p.publish(p.bundle("v1", true))
	w := newWorld(t, p.settings()...)
	var planned operator.Planned
	w.must(json.Unmarshal([]byte(w.mustInvoke(`{"kind":"plan","owner":"acme"}`)), &planned))
	if planned.Summary.Delete != 4 {
		t.Fatalf("planned %+v", planned.Summary)
	}
	if err := w.f.use(noPolicies{errors.New("its signature does not hold")}, guard.Bundle{Revision: "none"}); err != nil {
		t.Fatal(err)
	}
	out, err := w.invoke(fmt.Sprintf(`{"kind":"apply","owner":"acme","run":%q}`, planned.Run))
	if err == nil {
		t.Errorf("it was carried out: %s", out)
	}
	w.expect(whole)
}
