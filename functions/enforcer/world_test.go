package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/funcenv"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// world is the wired function on moto, with a simulated GitHub. Clocks are real,
// since GitHub's and this machine's have to agree; only the function's can be set
// back, to see it start.
type world struct {
	t       *testing.T
	env     *awstest.Env
	sim     *simtest.Running
	vars    map[string]string
	queue   string
	back    time.Duration
	metrics buffer
	log     buffer
	f       *function
}

// buffer is written by several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const settings = `
version: 1
mode: enforce
owners:
  - login: acme
    types: [npm]
    schedule: "* * * * *"
    credentials: {kind: app, installation_id: 71}
policies: {builtin: true, only: [expire_prereleases]}
params: {expire_prereleases: {older_than_days: 30}}
limits: {deletes_per_run: 100, deletes_per_day: 100, percent_of_package: 100, percent_of_owner: 100}
`

func newWorld(t *testing.T, replace ...string) *world {
	t.Helper()
	w := &world{t: t, env: awstest.Start(t)}
	keys := kms.NewFromConfig(w.env.Config)
	appKey, public := w.appKey(keys)
	seal, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecHmac256, KeyUsage: kmstypes.KeyUsageTypeGenerateVerifyMac})
	w.must(err)
	var pkgs []githubsim.Package
	for _, name := range []string{"@acme/a", "@acme/b"} {
		pkg := githubsim.Package{Name: name, Type: retention.NPM}
		for _, v := range []string{"1.0.0-rc.1", "1.0.0-rc.2", "1.0.0", "1.1.0"} {
			pkg.Versions = append(pkg.Versions, githubsim.Version{Name: v, CreatedAt: githubsim.Ago(90 * 24 * time.Hour)})
		}
		pkgs = append(pkgs, pkg)
	}
	w.sim = simtest.Start(t, githubsim.Seed{
		Owners: []githubsim.Owner{{Login: "acme", Packages: pkgs}},
		Apps: []githubsim.App{{AppID: 7, Owner: "acme", PublicKeyPEM: public, Installations: []githubsim.Installation{
			{ID: 71, Owner: "acme", Permissions: map[string]string{"packages": "write", "metadata": "read"}},
		}}},
	})
	file := filepath.Join(t.TempDir(), "shelflife.yaml")
	w.must(os.WriteFile(file, []byte(strings.NewReplacer(replace...).Replace(settings)), 0o600))
	queue, err := sqs.NewFromConfig(w.env.Config).CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(awstest.Unique("work") + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"},
	})
	w.must(err)
	w.queue = *queue.QueueUrl
	w.vars = map[string]string{
		funcenv.Table: w.env.Table(t, dynamodb.Definition("")), funcenv.Bucket: w.env.Bucket(t), funcenv.QueueURL: w.queue,
		funcenv.ConfigFile: file, funcenv.Mode: "enforce", funcenv.AppID: "7", funcenv.AppKeyID: appKey, funcenv.SealKeyID: *seal.KeyMetadata.KeyId,
		"GITHUB_API_URL": w.sim.URL, "SHELFLIFE_REGISTRY_URL": w.sim.URL,
	}
	for _, v := range w.env.Environ() {
		name, value, _ := strings.Cut(v, "=")
		w.vars[name] = value
	}
	w.boot()
	return w
}

// boot starts the function anew, as after a crash.
func (w *world) boot() {
	w.t.Helper()
	var err error
	w.f, err = wire(func(name string) string { return w.vars[name] }, &w.metrics, jsonlog.New(&w.log), func() time.Time { return time.Now().Add(-w.back) })
	w.must(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.log.String())
	}
}

// appKey makes an RSA key in KMS and returns its id and its public half.
func (w *world) appKey(keys *kms.Client) (id, public string) {
	w.t.Helper()
	key, err := keys.CreateKey(w.t.Context(), &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecRsa2048, KeyUsage: kmstypes.KeyUsageTypeSignVerify})
	w.must(err)
	half, err := keys.GetPublicKey(w.t.Context(), &kms.GetPublicKeyInput{KeyId: key.KeyMetadata.KeyId})
	w.must(err)
	if _, err := x509.ParsePKIXPublicKey(half.PublicKey); err != nil {
		w.t.Fatal(err)
	}
	return *key.KeyMetadata.KeyId, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: half.PublicKey}))
}

// invoke hands over an event and returns the answer as JSON.
func (w *world) invoke(event string) (string, error) {
	w.t.Helper()
	out, err := w.f.Invoke(w.t.Context(), json.RawMessage(event))
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(out)
	w.must(err)
	return string(b), nil
}

func (w *world) mustInvoke(event string) string {
	w.t.Helper()
	out, err := w.invoke(event)
	w.must(err)
	return out
}

// drain works the queue as the event source does until it is empty, and returns
// how many messages that were.
func (w *world) drain() (n int) {
	w.t.Helper()
	client := sqs.NewFromConfig(w.env.Config)
	for {
		got, err := client.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &w.queue, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"},
		})
		w.must(err)
		if len(got.Messages) == 0 {
			return n
		}
		type record map[string]any
		var records []record
		for _, m := range got.Messages {
			records = append(records, record{"messageId": *m.MessageId, "body": *m.Body, "attributes": m.Attributes, "eventSource": "aws:sqs"})
		}
		event, err := json.Marshal(map[string]any{"Records": records})
		w.must(err)
		if answer := w.mustInvoke(string(event)); answer != `{"batchItemFailures":[]}` {
			w.t.Fatalf("items failed: %s\n%s", answer, w.log.String())
		}
		for _, m := range got.Messages {
			_, err := client.DeleteMessage(context.Background(), &sqs.DeleteMessageInput{QueueUrl: &w.queue, ReceiptHandle: m.ReceiptHandle})
			w.must(err)
		}
		n += len(got.Messages)
	}
}

// sweep lets the schedule come due and works what it sends.
func (w *world) sweep() {
	w.t.Helper()
	w.back = 2 * time.Minute
	w.mustInvoke(`{"kind":"tick"}`) // sees the owner for the first time
	w.back = 0
	w.mustInvoke(`{"kind":"tick"}`)
	if w.drain() == 0 {
		w.t.Fatalf("nothing was queued\n%s", w.log.String())
	}
}

// active lists the active versions that GitHub has, by package.
func (w *world) active() map[string][]string {
	out := map[string][]string{}
	for _, o := range w.sim.Server.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if v.DeletedAt.IsZero() {
					out[p.Name] = append(out[p.Name], v.Name)
				}
			}
		}
	}
	return out
}
