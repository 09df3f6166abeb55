package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

const hookSecret = "hook-secret"

// A sweep once a year: one is due at a start when the last one is long ago, and no
// other begins while a case is played.
const servedOwner = `owners: [{login: acme, types: [container, npm], schedule: "0 0 1 1 *"}]
serve: {listen: "127.0.0.1:0", webhook_secrets: [HOOK_SECRET]}`

// relay stands at the webhook's address, wherever the server is at the moment.
type relay struct {
	mu sync.Mutex
	to string
}

func (r *relay) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	if err != nil || to == "" {
		http.Error(rw, "nobody is there", http.StatusBadGateway)
		return
	}
	status, err := post(req.Context(), to, req.Header, body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	rw.WriteHeader(status)
}

// newServed is a world whose owner is swept and announced to a server.
func newServed(c *Case, l layout, hook *relay) *world {
	listener := httptest.NewServer(hook)
	c.Cleanup(listener.Close)
	w := newWorld(c, l, roomy(), func(s *githubsim.Seed) {
		s.Webhook = &githubsim.Webhook{URL: listener.URL, Secret: hookSecret, Events: []string{"package", "registry_package"}}
	})
	w.extra, w.env = servedOwner, []string{"HOOK_SECRET=" + hookSecret}
	w.configure()
	return w
}

// lastSweep sets back when the last sweep was, as if that time had passed.
func (w *world) lastSweep(years int) {
	db, err := sqlite.Open(w.path("state/shelflife.db"))
	w.Must(err)
	defer func() { w.Must(db.Close()) }()
	st, ok := w.sweepState(db)
	if !ok {
		st.Phase = sweep.Waiting
	}
	st.StartedAt = time.Now().AddDate(-years, 0, -1)
	b, err := json.Marshal(st)
	w.Must(err)
	w.Must(db.SaveSweep(w.Context(), owner, b))
}

func (w *world) sweepState(db *sqlite.DB) (st sweep.State, ok bool) {
	b, ok, err := db.LoadSweep(w.Context(), owner)
	w.Must(err)
	if ok {
		w.Must(json.Unmarshal(b, &st))
	}
	return st, ok
}

// startServer starts a server and tells the relay where it is.
func (w *world) startServer(ws *workshop, hook *relay) *process {
	p := w.start(ws, "serve")
	w.await("the server to listen", p, func() bool { return strings.Contains(p.out.String(), "\n") })
	hook.mu.Lock()
	defer hook.mu.Unlock()
	address, _, _ := strings.Cut(p.out.String(), "\n") // the dashboard's comes behind it
	hook.to = strings.TrimPrefix(address, "listening on ") + "/webhook"
	return p
}

// await asks until something is so; the process must not end meanwhile.
func (w *world) await(what string, p *process, so func() bool) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		select {
		case <-ticker.C:
		case <-p.over:
			w.Fatalf("waiting for %s, the server ended:\n%s%s", what, p.out.String(), p.err.String())
		case <-w.Context().Done():
			w.Fatalf("waited in vain for %s:\n%s", what, p.err.String())
		}
	}
}

// idle reports whether a sweep later than run is over and nothing was put off.
func (w *world) idle(run string) bool {
	store, done, err := w.onDisk()
	w.Must(err)
	defer done()
	st, ok := w.sweepState(store.(*sqlite.DB))
	return ok && st.Phase == sweep.Done && st.Run > run && len(st.Deferred) == 0 && !st.PausedUntil.After(time.Now())
}

// lookedAt reports whether no webhook waits any more.
func (w *world) lookedAt() bool {
	store, done, err := w.onDisk()
	w.Must(err)
	defer done()
	left, err := store.(*sqlite.DB).Work(w.Context())
	w.Must(err)
	return len(left) == 0
}

func (w *world) lastRun() string {
	store, done, err := w.onDisk()
	w.Must(err)
	defer done()
	st, _ := w.sweepState(store.(*sqlite.DB))
	return st.Run
}

// stopServer ends a server as an operator does; the item at hand is finished.
func (w *world) stopServer(p *process) {
	w.Must(p.cmd.Process.Signal(syscall.SIGTERM))
	if code := w.wait(p); code != 0 {
		w.Errorf("the server ended with %d:\n%s", code, p.err.String())
	}
}

// killServe is the campaign against the server: SIGKILL while it sweeps and reacts
// to a push, then a new one on the same state file.
func killServe(_ *testing.T, ws *workshop) func(*Case) {
	undisturbed := newCalms()
	return func(c *Case) {
		l := draw(c.Seed % variants)
		usual := undisturbed.of(fmt.Sprint(c.Seed%variants), func() calm { return c.calmServe(l, ws) })
		hook := &relay{}
		w := newServed(c, l, hook)
		w.doomed = append(slices.Clone(w.doomed), "web hooked")
		w.lastSweep(3)
		pushAt := c.Rand.IntN(3) // before the kill, while nobody listens, after it
		for i := range 1 + c.Rand.IntN(2) {
			w.killServer(ws, hook, usual, i == 0 && pushAt == 0)
			w.check("after the kill", true)
		}
		if pushAt == 1 {
			w.push()
		}
		p := w.startServer(ws, hook)
		if pushAt == 2 {
			w.push()
		}
		w.await("the sweep to end", p, func() bool { return w.idle("") })
		w.await("the webhooks to be looked at", p, w.lookedAt)
		w.check("after the end", true)
		if w.accepted() && w.there("web hooked") {
			w.Errorf("a webhook was answered with 202 and never looked at")
		}
		w.stopServer(p)
		w.sweepAgain(ws, hook, 2)
		if w.there("web hooked") {
			w.Errorf("what was pushed is still there after the next sweep")
		}
		w.Found("after the next sweep", checkFinal(w.evidence.start, w.sim.State(), usual.gone))
		before := w.glance()
		w.sweepAgain(ws, hook, 1)
		w.Found("a sweep after the end", checkQuiet(before, w.glance()))
		w.anHourLater()
		w.check("an hour later", false)
	}
}

// push publishes what must go as soon as somebody looks.
func (w *world) push() {
	_, err := w.sim.Publish(w.Context(), githubsim.Publication{
		Owner: owner, Type: retention.Container, Package: "web", Versions: []githubsim.Version{{Key: "hooked", Tags: []string{"pr-hooked"}}},
	})
	w.Must(err)
}

// accepted reports whether the server took an announcement of the push upon itself.
func (w *world) accepted() bool {
	return slices.ContainsFunc(w.sim.Deliveries(), func(d githubsim.Delivery) bool { return d.StatusCode == http.StatusAccepted })
}

func (w *world) there(name string) (there bool) {
	each(w.sim.State(), func(p githubsim.PackageState, v githubsim.VersionState) {
		there = there || p.Name+" "+v.Key == name && v.State == retention.Active
	})
	return there
}

// killServer starts a server on what there is and kills it at a random point.
func (w *world) killServer(ws *workshop, hook *relay, usual calm, push bool) {
	var p *process
	pushed := make(chan struct{})
	w.strike(usual, func() {
		p = w.startServer(ws, hook)
		go func() {
			defer close(pushed)
			if push {
				w.push()
			}
		}()
	}, func() (<-chan struct{}, func()) {
		quiet := make(chan struct{})
		go func() {
			defer close(quiet)
			<-pushed
			w.untilQuiet(p, 2*usual.duration+time.Second)
		}()
		return quiet, func() {
			p.kill()
			<-quiet
			if !p.cmd.ProcessState.Exited() {
				w.Count("killed alive")
			}
		}
	})
	hook.mu.Lock()
	hook.to = ""
	hook.mu.Unlock()
}

// untilQuiet returns when the sweep is over or the process is, and after a while
// in any case: there may be no sweep left.
func (w *world) untilQuiet(p *process, longest time.Duration) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timer := time.NewTimer(longest)
	defer timer.Stop()
	for !strings.Contains(p.err.String(), `"msg":"sweep ends"`) {
		select {
		case <-ticker.C:
		case <-timer.C:
			return
		case <-p.over:
			return
		case <-w.Context().Done():
			return
		}
	}
}

// sweepAgain sweeps the owner once more, from start to stop.
func (w *world) sweepAgain(ws *workshop, hook *relay, years int) {
	run := w.lastRun()
	w.lastSweep(years)
	p := w.startServer(ws, hook)
	w.await("another sweep to end", p, func() bool { return w.idle(run) })
	w.stopServer(p)
}

func (c *Case) calmServe(l layout, ws *workshop) calm {
	hook := &relay{}
	w := newServed(c, l, hook)
	w.dir = w.path("calm")
	w.configure()
	w.lastSweep(3)
	w.sim.ResetCalls()
	started := time.Now()
	p := w.startServer(ws, hook)
	w.await("the sweep to end", p, func() bool { return w.idle("") })
	took := time.Since(started)
	n := w.sim.CallCounts()
	w.stopServer(p)
	w.check("undisturbed", false)
	w.Found("undisturbed", checkFinal(w.evidence.start, w.sim.State(), l.doomed))
	return calm{calls: n.REST + n.Registry + n.Token, writes: n.Mutating, duration: took, gone: gone(w.evidence.start, w.sim.State())}
}

func post(ctx context.Context, to string, header http.Header, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
