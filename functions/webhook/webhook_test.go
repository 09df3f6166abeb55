package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/funcenv"
	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const payload = `{"action":"published","package":{"name":"api","package_type":"CONTAINER","owner":{"login":"acme"},"updated_at":"2031-05-06T12:00:00Z",
"package_version":{"id":1042,"version":"sha256:aa","container_metadata":{"tag":{"name":"pr-7"}}}},"organization":{"login":"acme"},"sender":{"login":"jane"}}`

// world is the wired function on moto.
type world struct {
	t            *testing.T
	env          *awstest.Env
	vars         map[string]string
	now          time.Time
	queue        string
	metrics, log bytes.Buffer
	f            *function
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, env: awstest.Start(t), now: time.Now()}
	queue, err := sqs.NewFromConfig(w.env.Config).CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(awstest.Unique("work") + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"},
	})
	w.must(err)
	w.queue = *queue.QueueUrl
	file := filepath.Join(t.TempDir(), "shelflife.yaml")
	w.must(os.WriteFile(file, []byte("version: 1\nowners: [{login: acme, timezone: Europe/Oslo, schedule: '0 3 * * *'}]\n"), 0o600))
	secret := awstest.Unique("webhook")
	_, err = secretsmanager.NewFromConfig(w.env.Config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &secret, SecretString: aws.String(`["new","old"]`)})
	w.must(err)
	w.vars = map[string]string{
		funcenv.Table: w.env.Table(t, dynamodb.Definition("")), funcenv.QueueURL: w.queue, funcenv.ConfigFile: file, funcenv.WebhookSecret: secret,
	}
	for _, v := range w.env.Environ() {
		name, value, _ := strings.Cut(v, "=")
		w.vars[name] = value
	}
	w.f, err = wire(func(name string) string { return w.vars[name] }, &w.metrics, jsonlog.New(&w.log), func() time.Time { return w.now })
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.log.String())
	}
}

// post is what the HTTP API makes of a delivery of GitHub's.
func post(t *testing.T, body, secret, delivery string, change ...func(map[string]any)) request {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	ev := map[string]any{
		"version": "2.0", "routeKey": "POST /webhook", "rawPath": "/webhook", "isBase64Encoded": false, "body": body,
		"headers": map[string]string{
			"content-type": "application/json", "x-github-event": "package", "x-github-delivery": delivery,
			"x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
		},
		"requestContext": map[string]any{"http": map[string]any{"method": "POST", "path": "/webhook"}},
	}
	for _, f := range change {
		f(ev)
	}
	b, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	var out request
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) queued() []retention.WorkItem {
	w.t.Helper()
	client := sqs.NewFromConfig(w.env.Config)
	var out []retention.WorkItem
	for {
		got, err := client.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.queue, MaxNumberOfMessages: 10})
		w.must(err)
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			item, err := retention.DecodeWorkItem([]byte(*m.Body))
			w.must(err)
			out = append(out, item)
			_, err = client.DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &w.queue, ReceiptHandle: m.ReceiptHandle})
			w.must(err)
		}
	}
}

func TestADeliveryIsQueuedOnceWithTheBuildsRevision(t *testing.T) {
	w := newWorld(t)
	ev := post(t, payload, "old", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	encoded := post(t, payload, "new", "72d3162e-cc78-11e3-81ab-4c9367dc0959", func(ev map[string]any) {
		ev["body"], ev["isBase64Encoded"] = base64.StdEncoding.EncodeToString([]byte(payload)), true
	})
	for _, ev := range []request{ev, ev, encoded} {
		if got := w.f.answer(t.Context(), ev); got.Status != 202 {
			t.Fatalf("%+v\n%s", got, w.log.String())
		}
	}
	got := w.queued()
	if len(got) != 1 {
		t.Fatalf("%d items are queued, want 1", len(got))
	}
	if item := got[0]; item.Owner != "acme" || item.Name != "api" || item.Trigger.VersionID != 1042 || !strings.HasPrefix(item.Revision, "dev-") {
		t.Errorf("queued %+v", item)
	}
	if n := strings.Count(w.metrics.String(), `"Deliveries2xx":1`); n != 3 {
		t.Errorf("%d deliveries are counted, want 3:\n%s", n, w.metrics.String())
	}
}

func TestStatusesAreWhatGitHubActsOn(t *testing.T) {
	w := newWorld(t)
	const id = "72d3162e-cc78-11e3-81ab-4c9367dc0960"
	for name, tc := range map[string]struct {
		ev   request
		want int
	}{
		"forged":        {post(t, payload, "guess", id), 401},
		"an empty body": {post(t, "", "old", id), 400},
		"no JSON":       {post(t, "{", "old", id), 400},
		"too large":     {post(t, strings.Repeat("x", 10<<20+1), "old", id), 413},
		"of no concern": {post(t, `{"action":"created"}`, "old", id, func(ev map[string]any) { ev["headers"].(map[string]string)["x-github-event"] = "star" }), 202},
		"not a POST": {post(t, payload, "old", id, func(ev map[string]any) {
			ev["requestContext"] = map[string]any{"http": map[string]any{"method": "GET"}}
		}), 405},
		"another owner":  {post(t, strings.ReplaceAll(payload, `"acme"`, `"mallory"`), "old", id), 202},
		"an empty event": {request{}, 405},
	} {
		if got := w.f.answer(t.Context(), tc.ev); got.Status != tc.want {
			t.Errorf("%s: %d, want %d", name, got.Status, tc.want)
		}
	}
	if got := w.queued(); len(got) != 0 {
		t.Errorf("queued %+v", got)
	}
	for _, secret := range []string{"guess", `"old"`, `"new"`, "sha256="} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

func TestWhatCantBeQueuedIsAnsweredWith500(t *testing.T) {
	w := newWorld(t)
	_, err := sqs.NewFromConfig(w.env.Config).DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &w.queue})
	w.must(err)
	if got := w.f.answer(t.Context(), post(t, payload, "old", "72d3162e-cc78-11e3-81ab-4c9367dc0961")); got.Status != 500 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(w.metrics.String(), `"QueuePutFailures":1`) || !strings.Contains(w.metrics.String(), `"Deliveries5xx":1`) {
		t.Errorf("metrics\n%s", w.metrics.String())
	}
}

func TestAStrangerCantHammerTheSecret(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		w.f.answer(t.Context(), post(t, payload, "guess", "72d3162e-cc78-11e3-81ab-4c9367dc0962"))
	}
	name := w.vars[funcenv.WebhookSecret]
	_, err := secretsmanager.NewFromConfig(w.env.Config).PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: aws.String("rotated")})
	w.must(err)
	rotated := post(t, payload, "rotated", "72d3162e-cc78-11e3-81ab-4c9367dc0963")
	if got := w.f.answer(t.Context(), rotated); got.Status != 401 {
		t.Errorf("right behind a reading: %d, want 401 from memory", got.Status)
	}
	w.now = w.now.Add(11 * time.Second)
	if got := w.f.answer(t.Context(), rotated); got.Status != 202 {
		t.Errorf("a little later: %d, want that the new secret is read", got.Status)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	_, err := wire(func(string) string { return "" }, &bytes.Buffer{}, jsonlog.New(&bytes.Buffer{}), time.Now)
	for _, name := range []string{funcenv.Table, funcenv.QueueURL, funcenv.WebhookSecret, "shelflife.yaml"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
