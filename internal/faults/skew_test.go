package faults

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

const appOwner = `owners: [{login: acme, types: [container, npm], credentials: {kind: app, app_id: 4711, installation_id: 71, private_key_file: ./app.pem}}]`

const (
	appID          = 4711
	installationID = 71
)

// appKey makes an App's key, as PEM.
func appKey(t *testing.T) (private, public string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(t, err)
	private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	return private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// withApp has the App of a key installed.
func withApp(public string) func(*githubsim.Seed) {
	return func(s *githubsim.Seed) {
		s.Apps = []githubsim.App{{AppID: appID, Slug: "shelflife", Owner: owner, PublicKeyPEM: public, Installations: []githubsim.Installation{
			{ID: installationID, Owner: owner, Permissions: map[string]string{"packages": "write", "metadata": "read"}},
		}}}
	}
}

// skewed has a machine whose clock is up to a quarter of an hour off GitHub's sign in
// as an App: a JWT that GitHub does not take, or a clock that makes everything look
// older than it is, must delete nothing, and with the right clock all is done.
func skewed(t *testing.T, ws *workshop) func(*Case) {
	private, public := appKey(t)
	return func(c *Case) {
		w := newWorld(c, draw(c.Seed%variants), roomy(), withApp(public))
		w.extra = appOwner
		w.configure()
		w.write("app.pem", private)
		skew := time.Duration(c.Rand.Int64N(int64(30*time.Minute))) - 15*time.Minute
		if c.Rand.IntN(3) == 0 { // so little that GitHub may let it in
			skew /= 10
		}
		w.ahead.Store(int64(skew))
		code := w.run(ws, []int{0, 1, 4}, "run", "--yes")
		went := gone(w.evidence.start, w.sim.State())
		switch {
		case code == 0:
			c.Count("let in")
			w.Found("with the clock off", checkFinal(w.evidence.start, w.sim.State(), w.doomed))
		case len(went) > 0:
			w.Errorf("it ended with %d, and %v is gone", code, went)
		default:
			c.Count("refused")
		}
		if skew < -10*time.Minute && len(went) > 0 {
			w.Errorf("the clock is %s ahead of GitHub's, and %v is gone", -skew, went)
		}
		w.ahead.Store(0)
		w.run(ws, []int{0}, "run", "--yes")
		w.Found("with the clock right", checkFinal(w.evidence.start, w.sim.State(), w.doomed))
		w.evidence.later(max(0, -skew)) // told by GitHub's clock, which the intents' is off from
		w.check("with the clock right", false)
		before, writes := w.sim.State(), w.sim.CallCounts().Mutating
		w.run(ws, []int{0}, "run", "--yes")
		if n := w.sim.CallCounts().Mutating - writes; n != 0 {
			w.Errorf("a run after the end makes %d writing calls", n)
		}
		w.Found("a run after the end", checkSame(before, w.sim.State()))
	}
}

// later moves what was seen so far by d.
func (ev *evidence) later(d time.Duration) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for i := range ev.effects {
		ev.effects[i].At = ev.effects[i].At.Add(d)
	}
}
