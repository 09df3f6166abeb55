package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
	"github.com/shelflife-dev/shelflife/internal/testclock"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

const hookSecret = "It's a Secret to Everybody"

func newClock() *testclock.Clock { return testclock.New(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) }

func sign(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// owners are logins with the installation that belongs to them.
type owners map[string]int64

func (o owners) Configured(login string, installation int64) bool {
	for l, id := range o {
		if retention.SameLogin(l, login) {
			return id == installation
		}
	}
	return false
}

// sent is a queue that keeps everything, or fails.
type sent struct {
	items []retention.WorkItem
	err   error
}

func (s *sent) Send(ctx context.Context, item retention.WorkItem) error {
	if err := errors.Join(s.err, ctx.Err()); err != nil {
		return err
	}
	s.items = append(s.items, item)
	return nil
}

// failing is a store that works until told otherwise.
type failing struct {
	webhook.Deliveries
	seen, mark error
	asked      atomic.Int64
}

func (f *failing) Seen(ctx context.Context, key string) (bool, error) {
	f.asked.Add(1)
	if f.seen != nil {
		return false, f.seen
	}
	return f.Deliveries.Seen(ctx, key)
}

func (f *failing) Mark(ctx context.Context, key string, until time.Time) error {
	if f.mark != nil {
		return f.mark
	}
	return f.Deliveries.Mark(ctx, key, until)
}

// stand is a handler with everything around it.
type stand struct {
	*webhook.Handler
	clock *testclock.Clock
	queue *sent
	store *failing
	log   *bytes.Buffer
}

func newStand(t testing.TB, change ...func(*webhook.Config)) *stand {
	t.Helper()
	s := &stand{clock: newClock(), queue: &sent{}, log: &bytes.Buffer{}}
	s.store = &failing{Deliveries: webhook.NewMemoryDeliveries(s.clock.Now)}
	cfg := webhook.Config{
		Verifier: webhook.NewVerifier(webhook.StaticSecrets{secret.New(hookSecret)}),
		Owners:   owners{"acme": 71, "mona": 0}, Queue: s.queue, Deliveries: s.store,
		Log: slog.New(slog.NewJSONHandler(s.log, nil)), Now: s.clock.Now,
		Self: []string{"shelflife[bot]"},
	}
	for _, c := range change {
		c(&cfg)
	}
	h, err := webhook.NewHandler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Handler = h
	return s
}

// lines are the audit lines so far.
func (s *stand) lines(t testing.TB) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range bytes.Lines(s.log.Bytes()) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		out = append(out, m)
	}
	return out
}

// doc is a JSON object.
type doc = map[string]any

// push is a package event as GitHub sends it live.
func push(event string, change ...func(payload, pkg, version doc)) []byte {
	version := doc{
		"id": 42, "version": "sha256:ab", "name": "sha256:ab", "metadata": []any{}, "body": doc{"info": doc{"type": "blob"}},
		"created_at": "0001-01-01T00:00:00Z", "updated_at": "0001-01-01T00:00:00Z",
		"container_metadata": doc{"tag": doc{"name": "v1", "digest": "sha256:ab"}, "manifest": doc{"digest": "sha256:ab"}},
	}
	pkg := doc{
		"id": 7, "name": "team/api", "namespace": "acme", "ecosystem": "CONTAINER", "package_type": "CONTAINER",
		"updated_at": "2026-03-01T11:59:58Z", "owner": doc{"login": "acme", "id": 1}, "package_version": version,
	}
	payload := doc{
		"action": "published", event: pkg, "organization": doc{"login": "acme"},
		"sender": doc{"login": "octocat", "type": "User"}, "installation": doc{"id": 71},
	}
	for _, c := range change {
		c(payload, pkg, version)
	}
	b, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return b
}

func request(event, delivery string, body []byte) webhook.Request {
	return webhook.Request{Method: "POST", Body: body, Headers: map[string]string{
		"content-type": "application/json", "x-github-event": event, "x-github-delivery": delivery,
		"x-hub-signature-256": sign(hookSecret, body),
	}}
}

// work is what push leads to; the change is up to the event.
func work(event string) retention.WorkItem {
	return retention.WorkItem{
		V: 1, Kind: retention.WorkPackage, Owner: "acme", Type: retention.Container, Name: "team/api",
		Trigger: retention.Trigger{Kind: retention.TriggerWebhook, Event: event, Action: "published", Sender: "octocat", VersionID: 42},
	}
}

// sharedPayloads are GitHub's example payloads by file name.
func sharedPayloads(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../shared/data/webhooks/*.json")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = b
	}
	return out
}
