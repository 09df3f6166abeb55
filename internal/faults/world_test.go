package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// world is one case under way: a simulated GitHub with an observer, and a folder
// with the configuration and the state file of what is disturbed.
type world struct {
	*Case
	layout
	sim      *githubsim.Server
	url      string
	evidence *evidence
	limits   retention.Limits
	dir      string       // of the configuration and the state file
	ahead    atomic.Int64 // nanoseconds that GitHub's clock is ahead of this machine's
	extra    string       // further lines of the configuration
	env      []string
}

func roomy() retention.Limits {
	return retention.Limits{DeletesPerRun: 1000, DeletesPerDay: 1000, PercentOfPackage: 100, PercentOfOwner: 100, MinAge: 24 * time.Hour}
}

// newWorld serves the layout's owner; change adds to the simulator's seed.
func newWorld(c *Case, l layout, limits retention.Limits, change ...func(*githubsim.Seed)) *world {
	w := &world{Case: c, layout: l, limits: limits, dir: c.Dir, evidence: &evidence{}}
	w.evidence.look = w.onDisk
	seed := l.seed()
	for _, f := range change {
		f(&seed)
	}
	w.serve(seed)
	return w
}

func (w *world) serve(seed githubsim.Seed, opts ...githubsim.Option) {
	var err error
	w.sim, err = githubsim.New(seed, append([]githubsim.Option{githubsim.WithClock(w.now), githubsim.WithEffects(w.evidence.observe)}, opts...)...)
	w.Must(err)
	listener := httptest.NewServer(w.sim.Handler())
	w.url = listener.URL
	w.evidence.start = w.sim.State()
	w.Cleanup(listener.Close)
}

// now is GitHub's clock.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.Must(os.MkdirAll(filepath.Dir(w.path(name)), 0o700))
	w.Must(os.WriteFile(w.path(name), []byte(text), 0o600))
}

// onlyPolicies are the policies that the worlds are run with: the layout's own, and
// the shipped ones that clear up what an interruption leaves.
func onlyPolicies() []string { return []string{"doom", "expire_untagged", "expire_orphan_referrers"} }

// configure writes shelflife.yaml and the policy.
func (w *world) configure() {
	w.write("policies/doom.rego", doomPolicy)
	w.write("shelflife.yaml", fmt.Sprintf(`version: 1
mode: enforce
policies: {builtin: true, path: ./policies, only: [%s]}
limits: {deletes_per_run: %d, deletes_per_day: %d, percent_of_package: 100, percent_of_owner: 100}
%s
`, strings.Join(onlyPolicies(), ", "), w.limits.DeletesPerRun, w.limits.DeletesPerDay, w.extra))
}

const oneOwner = `owners: [{login: acme, types: [container, npm]}]`

// onDisk looks into the state file, with a handle of its own that is closed
// again: what the killed process leaves must stand for itself.
func (w *world) onDisk() (ledger.Store, func(), error) {
	db, err := sqlite.Open(w.path("state/shelflife.db"))
	if err != nil {
		return nil, nil, err
	}
	return db, func() {
		if err := db.Close(); err != nil {
			w.Errorf("close the state file: %v", err)
		}
	}, nil
}

// ledger hands the ledger to f, as it is now.
func (w *world) ledger(f func(*ledger.Ledger)) {
	store, done, err := w.evidence.look()
	w.Must(err)
	defer done()
	f(ledger.New(store, time.Now))
}

// check holds what there is by now against all that must hold at any moment.
// open says that intents may still have no outcome.
func (w *world) check(when string, open bool) {
	effects := w.evidence.all()
	w.ledger(func(l *ledger.Ledger) {
		ctx := w.Context()
		w.Found(when, checkIntents(effects))
		w.Found(when, checkAllowed(effects, w.doomed))
		w.Found(when, checkBudget(ctx, l, effects, w.limits))
		w.Found(when, checkClosed(w.evidence.start, effects, w.children))
		w.Found(when, checkChain(ctx, l, effects))
		may, err := restorable(ctx, l, effects)
		w.Must(err)
		w.Found(when, checkRestored(effects, may))
		w.Found(when, checkAgrees(ctx, l, w.sim.State(), effects, open))
	})
}

// hand makes a call that nobody planned, as somebody else would.
func (w *world) hand(method, path string) {
	if status := w.call(method, path); status != http.StatusNoContent {
		w.Fatalf("%s %s by hand: %d", method, path, status)
	}
}

// call makes a call of somebody else and returns what it is answered with.
func (w *world) call(method, path string) int {
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, nil)
	w.Must(err)
	req.Header.Set("Authorization", "Bearer somebody")
	resp, err := http.DefaultClient.Do(req)
	w.Must(err)
	w.Must(resp.Body.Close())
	return resp.StatusCode
}
