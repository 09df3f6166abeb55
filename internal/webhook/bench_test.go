package webhook_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

// BenchmarkHandle measures one delivery of 20 KB, the size of a live container
// event: verify, decode, look up, enqueue, mark, log.
func BenchmarkHandle(b *testing.B) {
	body := push("package", func(_, _, v doc) { v["body"] = filler() })
	if len(body) < 20_000 || len(body) > 22_000 {
		b.Fatalf("a body of %d bytes", len(body))
	}
	q := &sent{items: make([]retention.WorkItem, 0, 1)}
	s := newStand(b, func(c *webhook.Config) { c.Log, c.Queue = slog.New(slog.DiscardHandler), q })
	genuine, forged := request("package", guid, body), request("package", guid, body)
	forged.Headers["x-hub-signature-256"] = vectorSignature
	b.Run("queued", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			q.items = q.items[:0]
			s.clock.Advance(webhook.DefaultSeenFor) // or it would be a redelivery
			if got := s.Handle(b.Context(), genuine); got.Status != 202 || len(q.items) != 1 {
				b.Fatalf("%+v", got)
			}
		}
	})
	b.Run("bad signature", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got := s.Handle(b.Context(), forged); got.Status != 401 {
				b.Fatalf("%+v", got)
			}
		}
	})
}

// filler is as nested as the body of a live event.
func filler() doc {
	out := doc{}
	for i := range 100 {
		out[fmt.Sprintf("key_%d", i)] = doc{"url": "https://api.github.com/" + strings.Repeat("x", 80), "id": i, "list": []any{i, true, nil}, "text": "a \"quoted\" text of some length here"}
	}
	return out
}
