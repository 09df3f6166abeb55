package e2e

import "testing"

// What is not to be in a log is looked for in every world when it ends; this shows
// that it would be found. The delivery's id, which is no secret, stands in for one.
func TestASecretInALogLineIsFound(t *testing.T) {
	t.Parallel()
	w := quarantined(t, "enforce")
	w.publish("tool", "2.0.0")
	w.work()
	if leaks := w.secrets.leaks(w.log.Lines()); len(leaks) != 0 {
		t.Fatalf("%q", leaks)
	}
	// The world's own secrets are known, those that came up included.
	for _, what := range []string{"the webhook's secret", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "a credential sent to GitHub", "a token from GitHub"} {
		found := false
		for _, known := range w.secrets.secrets {
			found = found || known == what
		}
		if !found {
			t.Errorf("%s is not looked for", what)
		}
	}
	var planted secrecy
	planted.add("a planted secret", w.sim.Deliveries()[0].GUID)
	if leaks := planted.leaks(w.log.Lines()); len(leaks) == 0 {
		t.Error("a planted secret is not found")
	}
	passed(t)
}
