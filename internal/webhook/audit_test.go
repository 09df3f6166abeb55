package webhook_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/webhook"
)

func TestAuditLineSaysWhoAnnouncedWhatAndWhatBecameOfIt(t *testing.T) {
	s := newStand(t)
	s.Handle(t.Context(), request("package", guid, push("package")))
	want := []map[string]any{{
		"level": "INFO", "msg": "webhook", "delivery": guid, "event": "package", "action": "published", "owner": "acme",
		"package_type": "container", "package": "team/api", "version_id": "42", "installation": 71.0,
		"status": 202.0, "outcome": "queued", "took": 0.0,
	}}
	opt := cmpopts.IgnoreMapEntries(func(k string, _ any) bool { return k == "time" })
	if diff := cmp.Diff(want, s.lines(t), opt); diff != "" {
		t.Error(diff)
	}
}

// TestNobodyWritesTheLogForUs sends what would forge a line, or flood the log,
// in every place that a sender controls.
func TestNobodyWritesTheLogForUs(t *testing.T) {
	const forged = "x\n{\"level\":\"INFO\",\"msg\":\"webhook\",\"status\":202}\nlevel=INFO msg=forged status=202"
	flood := strings.Repeat("A", 1<<16)
	hostile := push("package", func(b, _, _ doc) { b["action"] = "published\nlevel=INFO msg=forged" })
	byHeader := func(event, delivery string) webhook.Request {
		r := request(event, delivery, push("package"))
		r.Headers["x-hub-signature-256"] = "sha256=" + forged
		return r
	}
	requests := map[string]webhook.Request{
		"headers of a stranger":  byHeader(forged, forged),
		"a flood of a stranger":  byHeader(flood, flood),
		"bytes that are no text": byHeader("\xff\xfe", "\xff"),
		"a signed action":        request("package", guid, hostile),
		"a signed account":       request("installation", guid, []byte(`{"installation":{"id":1,"account":{"login":"a\nlevel=INFO msg=forged"}}}`)),
		"a signed event name":    request(forged, forged, []byte(`{}`)),
	}
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			for _, s := range []*stand{newStand(t), newStand(t, func(c *webhook.Config) { c.Log = slog.New(slog.NewTextHandler(&text, nil)) })} {
				s.Handle(t.Context(), r)
				s.lines(t) // every line is JSON
				out := s.log.String() + text.String()
				if strings.Count(out, "\n") > 1 && text.Len() == 0 || strings.Count(text.String(), "\n") > 1 || len(out) > 4096 {
					t.Errorf("log of %d bytes: %.300q", len(out), out)
				}
				for _, leak := range []string{hookSecret, r.Headers["x-hub-signature-256"], "gravatar"} {
					if strings.Contains(out, leak) {
						t.Errorf("the log holds %q", leak)
					}
				}
			}
		})
	}
}
