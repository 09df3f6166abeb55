package webhook_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

func seedPayloads(f *testing.F, add func(event string, body []byte)) {
	for name, body := range sharedPayloads(f) {
		event, _, _ := strings.Cut(name, ".")
		add(event, body)
	}
	for _, event := range []string{"package", "registry_package"} {
		add(event, push(event))
		add(event, push(event, func(b, p, _ doc) { delete(b, "installation"); delete(p, "package_version") }))
	}
	add("ping", []byte(`{"zen":"x"}`))
	add("package", []byte(`{"action":"published","package":null}`))
}

func FuzzDecode(f *testing.F) {
	seedPayloads(f, func(event string, body []byte) { f.Add(event, body) })
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		ev, err := webhook.Decode(event, body)
		if err != nil {
			if ev != (webhook.Event{}) {
				t.Errorf("%+v beside the error %v", ev, err)
			}
			return
		}
		if ev.Name != event {
			t.Errorf("event %q became %q", event, ev.Name)
		}
		if ev.Kind == webhook.KindPackage {
			if _, err := retention.EncodeWorkItem(ev.WorkItem("d")); err != nil {
				t.Errorf("%+v can't be queued: %v", ev, err)
			}
		}
	})
}

// documented are the statuses that GitHub, and the operator, may see.
var documented = []int{202, 400, 401, 405, 413, 500}

func FuzzHandle(f *testing.F) {
	seedPayloads(f, func(event string, body []byte) {
		f.Add("POST", event, guid, "application/json", sign(hookSecret, body), body, true)
		f.Add("POST", event, guid, "application/json", sign(hookSecret, body), body, false)
	})
	f.Add("GET", "package", "", "", "", []byte{}, false)
	f.Fuzz(func(t *testing.T, method, event, delivery, contentType, signature string, body []byte, signed bool) {
		clk, q := newClock(), &sent{}
		h, err := webhook.NewHandler(webhook.Config{
			Verifier: webhook.NewVerifier(webhook.StaticSecrets{secret.New(hookSecret)}), Owners: owners{"acme": 71, "codertocat": 0}, Queue: q,
			Deliveries: webhook.NewMemoryDeliveries(clk.Now), Log: slog.New(slog.DiscardHandler), Now: clk.Now, MaxBody: 1 << 16,
		})
		if err != nil {
			t.Fatal(err)
		}
		right := sign(hookSecret, body)
		if signed {
			signature = right
		}
		got := h.Handle(context.Background(), webhook.Request{Method: method, Body: body, Headers: map[string]string{
			"x-github-event": event, "x-github-delivery": delivery, "content-type": contentType, "x-hub-signature-256": signature,
		}})
		if !slices.Contains(documented, got.Status) {
			t.Errorf("status %d", got.Status)
		}
		if !strings.EqualFold(signature, right) && (got.Status == 202 || len(q.items) > 0) {
			t.Errorf("a bad signature: status %d, %d items queued", got.Status, len(q.items))
		}
		if len(q.items) > 0 && got.Status != 202 {
			t.Errorf("queued, yet status %d", got.Status)
		}
		for _, w := range q.items {
			if err := w.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}
