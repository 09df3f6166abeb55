package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

var ignoreChange = cmpopts.IgnoreFields(retention.WorkItem{}, "Change")

func TestHandleAnswers(t *testing.T) {
	with := func(change func(payload, pkg, version doc)) webhook.Request {
		return request("package", guid, push("package", change))
	}
	edit := func(change func(*webhook.Request)) webhook.Request {
		r := request("package", guid, push("package"))
		change(&r)
		return r
	}
	queued := func(event string) []retention.WorkItem { return []retention.WorkItem{work(event)} }
	other := func(event, body string) webhook.Request { return request(event, guid, []byte(body)) }
	tests := []struct {
		name   string
		req    webhook.Request
		status int
		body   string
		queued []retention.WorkItem
	}{
		{"a package event", request("package", guid, push("package")), 202, "queued\n", queued("package")},
		{"a registry_package event", request("registry_package", guid, push("registry_package")), 202, "queued\n", queued("registry_package")},
		{"no delivery id", request("package", "", push("package")), 202, "queued\n", queued("package")},
		{"a delivery id that is none", request("package", "x\ny", push("package")), 202, "queued\n", queued("package")},
		{"another method", edit(func(r *webhook.Request) { r.Method = "GET" }), 405, "only POST\n", nil},
		{"no signature", edit(func(r *webhook.Request) { delete(r.Headers, "x-hub-signature-256") }), 401, "bad signature\n", nil},
		{"another secret's signature", edit(func(r *webhook.Request) { r.Headers["x-hub-signature-256"] = sign("x", r.Body) }), 401, "bad signature\n", nil},
		{"a tampered body", edit(func(r *webhook.Request) { r.Body = append(r.Body, ' ') }), 401, "bad signature\n", nil},
		{"an unsigned body that is no JSON", edit(func(r *webhook.Request) { r.Body = []byte("{") }), 401, "bad signature\n", nil},
		{"a body over the limit", request("package", guid, make([]byte, 1<<20+1)), 413, "body too large\n", nil},
		{"a signed body that is no JSON", other("package", "{"), 400, "payload could not be read\n", nil},
		{"deep JSON", other("package", strings.Repeat("[", 1<<19)), 400, "payload could not be read\n", nil},
		{"no event header", edit(func(r *webhook.Request) { delete(r.Headers, "x-github-event") }), 400, "no X-GitHub-Event header\n", nil},
		{"a form", edit(func(r *webhook.Request) { r.Headers["content-type"] = "application/x-www-form-urlencoded" }), 400,
			"set the webhook's content type to application/json\n", nil},
		{"ping", other("ping", `{"zen":"x"}`), 202, "pong\n", nil},
		{"installation", other("installation", `{"action":"created"}`), 202, "noted\n", nil},
		{"installation_repositories", other("installation_repositories", `{"action":"added"}`), 202, "noted\n", nil},
		{"an event that is not ours", other("push", `{}`), 202, "ignored: not a package event\n", nil},
		{"a package type that is not ours", with(func(_, p, v doc) { p["package_type"] = "actions"; delete(v, "container_metadata") }), 202,
			"ignored: not a package event\n", nil},
		{"an owner that is not ours", with(func(_, p, _ doc) { p["owner"] = doc{"login": "evil"} }), 202, "ignored: owner or installation not configured\n", nil},
		{"another installation of our owner", with(func(b, _, _ doc) { b["installation"] = doc{"id": 72} }), 202,
			"ignored: owner or installation not configured\n", nil},
		{"our owner without the installation", with(func(b, _, _ doc) { delete(b, "installation") }), 202,
			"ignored: owner or installation not configured\n", nil},
		{"our installation with another owner", with(func(_, p, _ doc) { p["owner"] = doc{"login": "mona"} }), 202,
			"ignored: owner or installation not configured\n", nil},
		{"an action that GitHub does not send", with(func(b, _, _ doc) { b["action"] = "deleted" }), 202, "ignored: action\n", nil},
		{"our own bot", with(func(b, _, _ doc) { b["sender"] = doc{"login": "Shelflife[bot]"} }), 202, "ignored: our own doing\n", nil},
		{"somebody else's bot", with(func(b, _, _ doc) { b["sender"] = doc{"login": "octocat"} }), 202, "queued\n", queued("package")},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, func(c *webhook.Config) { c.MaxBody = 1 << 20 })
			got := s.Handle(t.Context(), tc.req)
			want := webhook.Response{Status: tc.status, Body: tc.body, Headers: map[string]string{
				"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}}
			if tc.status == 405 {
				want.Headers["allow"] = "POST"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.queued, s.queue.items, ignoreChange); diff != "" {
				t.Error(diff)
			}
			if lines := s.lines(t); len(lines) != 1 || lines[0]["status"] != float64(tc.status) || lines[0]["outcome"] != strings.TrimSpace(tc.body) {
				t.Errorf("audit: %v", lines)
			}
		})
	}
}

func TestNothingIsQueuedTwice(t *testing.T) {
	const other = "00000000-cc78-11e3-81ab-4c9367dc0958"
	moved := func(_, p, _ doc) { p["updated_at"] = "2026-03-01T12:00:30Z" }
	timeless := func(_, p, _ doc) { p["updated_at"] = "0001-01-01T00:00:00Z" }
	tests := []struct {
		name string
		reqs []webhook.Request
		gap  time.Duration
		want int
	}{
		{"a redelivery", []webhook.Request{request("package", guid, push("package")), request("package", guid, push("package"))}, 0, 1},
		{"a redelivery after three days", []webhook.Request{request("package", guid, push("package")), request("package", guid, push("package"))}, 72 * time.Hour, 1},
		{"a replay under another delivery id", []webhook.Request{request("package", guid, push("package")), request("package", other, push("package"))}, 0, 1},
		{"both events of a push", []webhook.Request{request("package", guid, push("package")), request("registry_package", other, push("registry_package"))}, time.Minute, 1},
		{"both events in the other order", []webhook.Request{request("registry_package", other, push("registry_package")), request("package", guid, push("package"))}, time.Minute, 1},
		{"a later push of the same version", []webhook.Request{request("package", guid, push("package")), request("package", other, push("package", moved))}, 30 * time.Second, 2},
		{"the same again beyond the window", []webhook.Request{request("package", guid, push("package")), request("package", other, push("package"))}, 5 * time.Minute, 2},
		{"events without a time", []webhook.Request{request("package", guid, push("package", timeless)), request("package", other, push("package", timeless))}, 0, 2},
		{"a redelivery without a time", []webhook.Request{request("package", guid, push("package", timeless)), request("package", guid, push("package", timeless))}, time.Hour, 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t)
			for _, r := range tc.reqs {
				if got := s.Handle(t.Context(), r); got.Status != 202 {
					t.Errorf("status %d", got.Status)
				}
				s.clock.Advance(tc.gap)
			}
			if len(s.queue.items) != tc.want {
				t.Errorf("%d items queued, want %d", len(s.queue.items), tc.want)
			}
		})
	}
}

func TestWhatCouldNotBeQueuedIsTakenWhenRedelivered(t *testing.T) {
	s := newStand(t)
	s.queue.err = errors.New("throttled")
	req := request("package", guid, push("package"))
	if got := s.Handle(t.Context(), req); got.Status != 500 || got.Body != "could not be queued\n" {
		t.Errorf("%+v", got)
	}
	s.queue.err = nil
	if got := s.Handle(t.Context(), req); got.Status != 202 || got.Body != "queued\n" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]retention.WorkItem{work("package")}, s.queue.items, ignoreChange); diff != "" {
		t.Error(diff)
	}
	first := s.lines(t)[0]
	if first["level"] != "ERROR" || first["error"] != "queue acme/container/team/api: throttled" {
		t.Errorf("audit: %v", first)
	}
}

func TestAFailingStoreLosesNothing(t *testing.T) {
	down := errors.New("table is gone")
	tests := []struct {
		name       string
		seen, mark error
		want       int // items after two deliveries of one event
		logged     string
	}{
		{"look-ups fail", down, nil, 2, "look up delivery/" + guid + ": table is gone"},
		{"marks fail", nil, down, 2, "mark delivery/" + guid + ": table is gone"},
		{"both fail", down, down, 2, "table is gone"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t)
			s.store.seen, s.store.mark = tc.seen, tc.mark
			for range 2 {
				if got := s.Handle(t.Context(), request("package", guid, push("package"))); got.Status != 202 || got.Body != "queued\n" {
					t.Errorf("%+v", got)
				}
			}
			if len(s.queue.items) != tc.want {
				t.Fatalf("%d items", len(s.queue.items))
			}
			if a, b := s.queue.items[0].DeduplicationID(), s.queue.items[1].DeduplicationID(); a != b {
				t.Errorf("the queue can't tell that %s is %s", a, b)
			}
			for _, l := range s.lines(t) {
				if l["level"] != "WARN" || !strings.Contains(l["error"].(string), tc.logged) {
					t.Errorf("audit: %v", l)
				}
			}
		})
	}
}

// hanging is a store that answers when its caller gives up.
type hanging struct{}

func (hanging) Seen(ctx context.Context, _ string) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

func (hanging) Mark(ctx context.Context, _ string, _ time.Time) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAHangingStoreLeavesTimeForTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(c *webhook.Config) { c.Deliveries, c.Now = hanging{}, time.Now })
		start := time.Now()
		got := s.Handle(t.Context(), request("package", guid, push("package")))
		if got.Status != 202 || len(s.queue.items) != 1 {
			t.Errorf("%+v, %d items", got, len(s.queue.items))
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %s, want a second to look up and one to mark", took)
		}
	})
}

func TestSecretsThatCannotBeReadAreOurFault(t *testing.T) {
	v := &vault{}
	v.set(errors.New("vault is sealed"))
	s := newStand(t, func(c *webhook.Config) {
		c.Verifier = webhook.NewVerifier(webhook.NewCachedSecrets(v.read, c.Now, slog.New(slog.DiscardHandler)))
	})
	got := s.Handle(t.Context(), request("package", guid, push("package")))
	if got.Status != 500 || got.Body != "signature could not be checked\n" || len(s.queue.items) != 0 {
		t.Errorf("%+v, %d items", got, len(s.queue.items))
	}
}

func TestStrangersNeverReachTheStore(t *testing.T) {
	s := newStand(t)
	r := request("package", guid, push("package"))
	r.Headers["x-hub-signature-256"] = sign("x", r.Body)
	s.Handle(t.Context(), r)
	s.Handle(t.Context(), request("package", guid, push("package", func(_, p, _ doc) { p["owner"] = doc{"login": "evil"} })))
	if n := s.store.asked.Load(); n != 0 {
		t.Errorf("the store was asked %d times", n)
	}
}

func TestNewHandlerNamesWhatIsMissing(t *testing.T) {
	full := func() webhook.Config {
		clk := newClock()
		return webhook.Config{
			Verifier: webhook.NewVerifier(webhook.StaticSecrets{secret.New("s")}), Owners: owners{}, Queue: &sent{},
			Deliveries: webhook.NewMemoryDeliveries(clk.Now), Log: slog.New(slog.DiscardHandler), Now: clk.Now,
		}
	}
	for name, drop := range map[string]func(*webhook.Config){
		"Verifier": func(c *webhook.Config) { c.Verifier = nil }, "Owners": func(c *webhook.Config) { c.Owners = nil },
		"Queue": func(c *webhook.Config) { c.Queue = nil }, "Deliveries": func(c *webhook.Config) { c.Deliveries = nil },
		"Log": func(c *webhook.Config) { c.Log = nil }, "Now": func(c *webhook.Config) { c.Now = nil },
	} {
		cfg := full()
		drop(&cfg)
		if _, err := webhook.NewHandler(cfg); err == nil || err.Error() != "webhook handler: "+name+" is missing" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestGatewayRequests(t *testing.T) {
	body := push("package")
	headers := map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "package", "X-GitHub-Delivery": guid, "X-Hub-Signature-256": sign(hookSecret, body),
	}
	twice := maps.Clone(headers)
	twice["x-hub-signature-256"] = sign("x", body)
	tests := []struct {
		name     string
		method   string
		headers  map[string]string
		body     string
		isBase64 bool
		status   int
		queued   int
	}{
		{"text", "POST", headers, string(body), false, 202, 1},
		{"base64", "POST", headers, encode(body), true, 202, 1},
		{"base64 taken for text", "POST", headers, encode(body), false, 401, 0},
		{"text taken for base64", "POST", headers, string(body), true, 400, 0},
		{"two signatures under two spellings", "POST", twice, string(body), false, 401, 0},
		{"another method", "DELETE", headers, "", false, 405, 0},
		{"a body over the limit", "POST", headers, strings.Repeat("a", 1<<20+1), false, 413, 0},
		{"a base64 body over the limit", "POST", headers, encode(make([]byte, 1<<20+3)), true, 413, 0},
		{"a base64 body of the limit is read", "POST", headers, encode(make([]byte, 1<<20)), true, 401, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, func(c *webhook.Config) { c.MaxBody = 1 << 20 })
			got := s.HandleGateway(t.Context(), tc.method, tc.headers, tc.body, tc.isBase64)
			if got.Status != tc.status || len(s.queue.items) != tc.queued {
				t.Errorf("%+v, %d items", got, len(s.queue.items))
			}
			if n := len(s.lines(t)); n != 1 {
				t.Errorf("%d audit lines", n)
			}
		})
	}
}

// Where the queue drops the second event of a pair, the store is asked about
// deliveries alone.
func TestAPairIsLeftToAQueueThatDeduplicates(t *testing.T) {
	s := newStand(t, func(c *webhook.Config) { c.PairWindow = -1 })
	for _, r := range []webhook.Request{
		request("package", guid, push("package")), request("registry_package", "another-delivery", push("registry_package")), request("package", guid, push("package")),
	} {
		if got := s.Handle(t.Context(), r); got.Status != 202 {
			t.Errorf("status %d", got.Status)
		}
	}
	if len(s.queue.items) != 2 || s.queue.items[0].DeduplicationID() != s.queue.items[1].DeduplicationID() {
		t.Errorf("queued %+v, want both events under one id, and the redelivery not", s.queue.items)
	}
}
