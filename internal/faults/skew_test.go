package faults

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
)

const appOwner = `owners: [{login: acme, types: [container, npm], credentials: {kind: app, app_id: 4711, installation_id: 71, private_key_file: ./app.pem}}]`

// skewed has a machine whose clock is up to a quarter of an hour off GitHub's sign in
// as an App: a JWT that GitHub does not take, or a clock that makes everything look
// older than it is, must delete nothing, and with the right clock all is done.
func skewed(t *testing.T, ws *workshop) func(*Case) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	private := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(t, err)
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return func(c *Case) {
		w := newWorld(c, draw(c.Seed%variants), roomy(), func(s *githubsim.Seed) {
			s.Apps = []githubsim.App{{AppID: 4711, Slug: "shelflife", Owner: owner, PublicKeyPEM: public, Installations: []githubsim.Installation{
				{ID: 71, Owner: owner, Permissions: map[string]string{"packages": "write", "metadata": "read"}},
			}}}
		})
		w.extra = appOwner
		w.configure()
		w.write("app.pem", private)
		skew := time.Duration(c.Rand.Int64N(int64(30*time.Minute))) - 15*time.Minute
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
		effects := w.evidence.all()
		for i := range effects { // told by GitHub's clock, which the intents' is off from
			effects[i].At = effects[i].At.Add(max(0, -skew))
		}
		w.Found("with the clock right", checkIntents(effects))
		w.Found("with the clock right", checkAllowed(effects, w.doomed))
		w.ledger(func(l *ledger.Ledger) {
			w.Found("with the clock right", checkChain(w.Context(), l, effects))
			w.Found("with the clock right", checkAgrees(w.Context(), l, w.sim.State(), effects, false))
		})
	}
}
