package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// enforced is the shipped quarantine_publish with teeth, as docs/serve.md says to make
// one: it only observes by itself.
func enforced(t testing.TB) string {
	t.Helper()
	text, err := policies.FS.ReadFile("retention/quarantine_publish/quarantine_publish.rego")
	if err != nil {
		t.Fatal(err)
	}
	out := strings.Replace(string(text), "mode: observe", "mode: enforce", 1)
	if out == string(text) {
		t.Fatal("the shipped policy does not observe any more")
	}
	return out
}

// answers are the status codes that the webhook gave to GitHub.
func (w *world) answers() []int {
	var out []int
	for _, d := range w.sim.Deliveries() {
		out = append(out, d.StatusCode)
	}
	return out
}

// deliver sends a delivery by hand, as GitHub would.
func (w *world) deliver(d githubsim.Delivery, secret string) int {
	w.t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(d.Payload)
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.hook, bytes.NewReader(d.Payload))
	w.must(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", d.Event)
	req.Header.Set("X-GitHub-Delivery", d.GUID)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	_, err = io.Copy(io.Discard, resp.Body)
	w.must(err)
	w.must(resp.Body.Close())
	return resp.StatusCode
}

func quarantined(t testing.TB, mode string) *world {
	pkg := githubsim.Package{Name: "tool", Type: retention.NPM, Versions: []githubsim.Version{
		{Name: "1.0.0", CreatedAt: githubsim.Ago(20 * day)}, {Name: "1.1.0", CreatedAt: githubsim.Ago(10 * day)},
	}}
	return newWorld(t, spec{
		owners:   []githubsim.Owner{{Login: owner, Packages: []githubsim.Package{pkg}}},
		policies: "{builtin: false, path: ./policies}", rego: enforced(t), params: "{quarantine_publish: {require_repository: true}}", mode: mode,
	})
}

func TestAQuarantinedPublishFromPushToUndo(t *testing.T) {
	t.Parallel()
	w := quarantined(t, "enforce")
	w.publish("tool", "2.0.0")
	diff(t, "answers to both events", []int{202, 202}, w.answers())
	diff(t, "queued", 1, len(w.queued()))
	w.work()
	diff(t, "gone", []string{"tool 2.0.0"}, w.gone())
	w.clean(owner)

	runs, err := w.ledger().Runs(t.Context(), owner, 0)
	w.must(err)
	if len(runs) != 1 || runs[0].Trigger.Kind != retention.TriggerWebhook || runs[0].Outcomes[retention.OutcomeDone] != 1 {
		t.Fatalf("recorded: %+v", runs)
	}
	w.call(command("undo", runs[0].ID))
	diff(t, "gone after the undo", 0, len(w.gone()))
	w.clean(owner)
	diff(t, "whole", true, w.call(`{"kind":"verify"}`)["whole"] == true)
	passed(t)
}

func TestModeObserveDeletesNothing(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]string{"said": "SHELFLIFE_MODE=observe", "not said": ""} {
		t.Run(name, func(t *testing.T) {
			w := quarantined(t, "enforce") // shelflife.yaml enforces; the function does not
			w.enforcer.Env = replaced(w.enforcerEnv, "SHELFLIFE_MODE", mode)
			w.publish("tool", "2.0.0")
			w.work()
			w.due(owner)
			w.tick()
			w.work()
			diff(t, "gone", 0, len(w.gone()))
			diff(t, "calls that delete", 0, w.deletions())
			if w.aws.count("S3.PUT") == 0 {
				t.Error("nothing is recorded of what would have been done")
			}
			passed(t)
		})
	}
}

func TestDuplicateAndReplayedDeliveriesActOnce(t *testing.T) {
	t.Parallel()
	w := quarantined(t, "enforce")
	w.publish("tool", "2.0.0")
	first := w.sim.Deliveries()
	for _, d := range first {
		diff(t, "a replay", 202, w.deliver(d, w.hookSecret))
		diff(t, "a forged one", 401, w.deliver(d, "another secret"))
	}
	diff(t, "queued", 1, len(w.queued()))
	w.work()
	diff(t, "gone", []string{"tool 2.0.0"}, w.gone())
	asked, runs := w.deletions(), w.runs()
	w.aws.forget() // hours later
	for _, d := range first {
		diff(t, "a late replay", 202, w.deliver(d, w.hookSecret))
	}
	w.work()
	diff(t, "calls that delete", asked, w.deletions())
	diff(t, "runs", runs, w.runs())
	w.clean(owner)
	passed(t)
}

func TestAnEventThatCouldNotBeQueuedIsDeliveredAgainByTheTick(t *testing.T) {
	t.Parallel()
	w := quarantined(t, "enforce")
	w.aws.fail("AmazonSQS.SendMessage", 0)
	w.publish("tool", "2.0.0")
	diff(t, "answers while the queue is down", []int{500, 500}, w.answers())
	diff(t, "deliveries marked", 0, w.aws.count("DynamoDB_20120810.PutItem"))
	if w.aws.heal("AmazonSQS.SendMessage") == 0 {
		t.Error("the queue was not asked")
	}
	diff(t, "queued", 0, len(w.queued()))
	w.tick()
	w.eventually("both are delivered again", func() bool {
		got := w.answers()
		return len(got) >= 4 && got[2] == 202 && got[3] == 202
	})
	w.work()
	diff(t, "gone", []string{"tool 2.0.0"}, w.gone())
	w.clean(owner)
	w.tick()
	diff(t, "attempts after one more tick", 4, len(w.answers()))
	passed(t)
}

func (w *world) runs() int {
	w.t.Helper()
	runs, err := w.ledger().Runs(w.t.Context(), owner, 0)
	w.must(err)
	return len(runs)
}
