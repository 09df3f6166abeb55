package faults

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/inventory/inventorytest"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
)

// hourglass has an installation's token run out at GitHub while one of the calls is
// on its way. The hour is over for that call alone: JWTs are signed by the machine's
// clock, which cannot be moved here.
type hourglass struct {
	next   http.RoundTripper
	clock  *clock
	method string
	later  *atomic.Int64 // nanoseconds that GitHub is ahead of all clocks

	mu   sync.Mutex
	left int // calls of the method until then, one at least
}

func (h *hourglass) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Method != h.method || !strings.HasPrefix(r.URL.Path, "/api/v3/orgs/") {
		return h.next.RoundTrip(r)
	}
	h.left--
	switch h.left {
	case 0: // the next one; a token minted just now would not be minted again
		defer h.clock.Advance(65 * time.Second)
	case -1:
		h.later.Store(int64(time.Hour))
		defer h.later.Store(0)
	}
	return h.next.RoundTrip(r)
}

// expiring has the token of an App's installation run out in the middle of a run,
// at a call that reads or deletes: the run must get another and go on.
func expiring(t *testing.T, _ *workshop) func(*Case) {
	private, public := appKey(t)
	key := ghapp.NewPrivateKey(private, "the campaign")
	return func(c *Case) {
		var later atomic.Int64
		store := ledgertest.NewMemory()
		w := &world{Case: c, layout: draw(c.Rand.Uint64N(layouts)), limits: roomy(), dir: c.Dir, evidence: &evidence{}}
		w.on(store)
		seed := w.seed()
		withApp(public)(&seed)
		w.serve(seed, githubsim.WithClock(func() time.Time { return w.now().Add(time.Duration(later.Load())) }))
		line := newLine(w, store, inventorytest.NewSnapshots(), 0)
		line.judge, line.app = marks{}, &key
		plan, err := line.plan()
		w.Must(err)
		w.sim.ResetCalls()
		plain := line.transport
		glass := &hourglass{next: plain, clock: line.clock, later: &later, method: http.MethodDelete, left: 1 + c.Rand.IntN(len(w.doomed)-1)}
		if c.Rand.IntN(3) == 0 {
			glass.method = http.MethodGet
		}
		line.transport = glass
		w.applied(line, plan)
		line.transport = plain
		w.tallyMinted()
		w.check("when the token has run out", false)
		w.Found("when the token has run out", checkFinal(w.evidence.start, w.sim.State(), w.doomed))
		w.settle(line)
	}
}

// tallyMinted counts what the calls of an apply say about its tokens.
func (w *world) tallyMinted() {
	minted, refused := 0, false
	for _, call := range w.sim.Calls() {
		if call.Kind == githubsim.KindApp && strings.HasSuffix(call.Path, "/access_tokens") {
			minted++
		}
		refused = refused || call.Status == http.StatusUnauthorized
	}
	if refused {
		w.Count("refused")
	}
	if minted > 2 { // one to read with, one to delete with
		w.Count("minted again")
	}
}
