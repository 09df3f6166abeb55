package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// The headers that count, in lower case.
const (
	headerSignature = "x-hub-signature-256"
	headerEvent     = "x-github-event"
	headerDelivery  = "x-github-delivery"
)

// maxDeliveryID bounds X-GitHub-Delivery, a GUID of 36 characters.
const maxDeliveryID = 64

// finish writes the audit line and makes the response.
func (h *Handler) finish(ctx context.Context, req Request, start time.Time, a answer) Response {
	h.audit(ctx, req, a, h.cfg.Now().Sub(start))
	out := Response{
		Status: a.status, Body: a.outcome + "\n",
		Headers: map[string]string{"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"},
	}
	if a.status == http.StatusMethodNotAllowed {
		out.Headers["allow"] = http.MethodPost
	}
	return out
}

// audit writes one line per request: who announced what, and what became of it.
// Headers are not covered by the signature, so they are clipped; slog quotes
// whatever is in them. Body, signature and secrets never get here.
func (h *Handler) audit(ctx context.Context, req Request, a answer, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case a.status >= http.StatusInternalServerError:
		level = slog.LevelError
	case a.err != nil || a.status >= http.StatusBadRequest:
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("delivery", clip(req.Headers[headerDelivery], maxDeliveryID)),
		slog.String("event", clip(req.Headers[headerEvent], 64)),
		slog.String("action", clip(a.event.Action, 64)),
		slog.String("owner", clip(a.event.Owner, 100)),
		slog.Int("status", a.status),
		slog.String("outcome", a.outcome),
		slog.Duration("took", took),
	}
	if a.event.Kind == KindPackage {
		attrs = append(attrs,
			slog.String("package_type", string(a.event.Type)),
			slog.String("package", clip(a.event.Package, 512)),
			slog.String("version_id", a.event.VersionID.String()))
	}
	if a.event.InstallationID != 0 {
		attrs = append(attrs, slog.Int64("installation", a.event.InstallationID))
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("error", clip(a.err.Error(), 1024)))
	}
	h.cfg.Log.LogAttrs(ctx, level, "webhook", attrs...)
}

// deliveryID is X-GitHub-Delivery, or "" when it is not what GitHub sends: such
// a request is told apart by its content only.
func deliveryID(req Request) string {
	id := req.Headers[headerDelivery]
	other := func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF-", r) }
	if len(id) > maxDeliveryID || strings.ContainsFunc(id, other) {
		return ""
	}
	return id
}

// clip cuts s to n bytes and drops what is then no UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
