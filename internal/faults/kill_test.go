package faults

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// variants is how many different owners the kill campaigns are played on: each
// is first played undisturbed.
const variants = 8

// calm is what an undisturbed run of an owner took and left.
type calm struct {
	calls    int // requests of the command that is to be killed
	writes   int // those of them that delete
	duration time.Duration
	gone     []string
}

// calms plays each owner undisturbed once; cases of other owners need not wait.
type calms struct {
	mu   sync.Mutex
	kept map[string]*calmOnce
}

type calmOnce struct {
	mu   sync.Mutex
	done bool // false after a play that did not get to its end
	calm calm
}

func newCalms() *calms { return &calms{kept: map[string]*calmOnce{}} }

func (cs *calms) of(key string, play func() calm) calm {
	cs.mu.Lock()
	once, ok := cs.kept[key]
	if !ok {
		once = &calmOnce{}
		cs.kept[key] = once
	}
	cs.mu.Unlock()
	once.mu.Lock()
	defer once.mu.Unlock()
	if !once.done {
		once.calm = play()
		once.done = true
	}
	return once.calm
}

// killed starts a command, has it killed at a random point, and reports whether
// it was still running then.
func (w *world) killed(ws *workshop, usual calm, args ...string) bool {
	var p *process
	alive := false
	w.strike(usual, func() { p = w.start(ws, args...) }, func() (<-chan struct{}, func()) {
		return p.over, func() {
			p.kill()
			alive = !p.cmd.ProcessState.Exited()
		}
	})
	return alive
}

// strike runs something that can be ended from outside and ends it at a random
// point: while it waits for the answer to its n-th request, which then takes
// effect, took effect before, or never does; in the first moments after an
// answer; or at any time.
func (w *world) strike(usual calm, start func(), running func() (over <-chan struct{}, end func())) {
	r := w.Rand
	match, skip := "* /**", r.IntN(max(1, usual.calls))
	if r.IntN(2) == 0 {
		match, skip = "DELETE /**", r.IntN(max(1, usual.writes))
	}
	how := r.IntN(5)
	wait := time.Duration(r.Int64N(int64(usual.duration) + 1))
	soon := time.Duration(r.Int64N(int64(5 * time.Millisecond)))
	if how == 0 {
		start()
		over, end := running()
		w.sleep(wait, over)
		end()
		return
	}
	held, err := w.sim.Hold(githubsim.Hold{Match: match, Skip: skip, AfterEffect: how >= 3})
	w.Must(err)
	w.Cleanup(held.Release)
	start()
	over, end := running()
	select {
	case <-held.Reached():
		w.Count("killed in a call")
	case <-over:
	case <-w.Context().Done():
	}
	if how == 4 { // the answer gets through, and perhaps what comes next
		held.Release()
		w.sleep(soon, over)
		end()
		return
	}
	end()
	if how == 2 {
		held.Drop()
		return
	}
	held.Release()
}

// sleep is the random moment itself: it waits for nothing but the clock.
func (w *world) sleep(d time.Duration, over <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
	case <-w.Context().Done():
	}
}

// killCLI is the campaign against commands of the real binary: SIGKILL, then the
// same command again.
func killCLI(name string) func(*testing.T, *workshop) func(*Case) {
	return func(_ *testing.T, ws *workshop) func(*Case) {
		undisturbed := newCalms()
		return func(c *Case) { c.killCLI(name, ws, undisturbed) }
	}
}

func (c *Case) killCLI(name string, ws *workshop, undisturbed *calms) {
	variant, budget := c.Seed%variants, 0
	if c.Rand.IntN(4) == 0 {
		budget = 1 + c.Rand.IntN(3)
	}
	l := draw(variant)
	usual := undisturbed.of(fmt.Sprint(variant, " ", budget), func() calm { return c.calmCLI(name, l, budget, ws) })
	w := newWorld(c, l, perDay(budget))
	w.extra = oneOwner
	w.configure()
	args := w.prepareCLI(ws, name)
	for range 1 + c.Rand.IntN(2) {
		if w.killed(ws, usual, args...) {
			c.Count("killed alive")
		}
		w.check("after the kill", true)
	}
	w.finishCLI(ws, name, usual, budget, args)
	if w.ahead.Load() == 0 && c.Rand.IntN(4) == 0 {
		w.undoAll(ws)
	}
}

// perDay is a budget of n deletions a day, or one that holds nothing back.
func perDay(n int) retention.Limits {
	l := roomy()
	if n > 0 {
		l.DeletesPerDay = n
	}
	return l
}

// prepareCLI makes the plan where there is one, and returns the command.
func (w *world) prepareCLI(ws *workshop, name string) []string {
	if name == "cli-run" {
		return []string{"run", "--yes"}
	}
	w.run(ws, []int{0}, "plan", "--out", "plan.json")
	return []string{"apply", "plan.json"}
}

func (c *Case) calmCLI(name string, l layout, budget int, ws *workshop) calm {
	w := newWorld(c, l, perDay(budget))
	w.extra = oneOwner
	w.dir = w.path("calm")
	w.configure()
	args := w.prepareCLI(ws, name)
	w.sim.ResetCalls()
	started := time.Now()
	w.run(ws, []int{0, 4}, args...)
	took := time.Since(started)
	n := w.sim.CallCounts()
	w.check("undisturbed", false)
	got := calm{calls: n.REST + n.Registry + n.Token, writes: n.Mutating, duration: took, gone: gone(w.evidence.start, w.sim.State())}
	if budget == 0 {
		w.Found("undisturbed", checkFinal(w.evidence.start, w.sim.State(), l.doomed))
	} else if len(got.gone) > budget {
		w.Errorf("undisturbed: %d gone with a budget of %d", len(got.gone), budget)
	}
	return got
}

// finishCLI runs the command to its end and once more.
func (w *world) finishCLI(ws *workshop, name string, usual calm, budget int, args []string) {
	w.run(ws, []int{0, 4, 5}, args...)
	w.check("after the end", name == "cli-run")
	if name == "cli-apply" {
		w.Found("after the end", checkFinal(w.evidence.start, w.sim.State(), usual.gone))
	} else {
		w.run(ws, []int{0, 4, 5}, args...)
		w.anHourLater()
		w.check("an hour later", false)
	}
	if budget > 0 {
		return // what killed runs have reserved stays reserved: less may go, never more
	}
	before := w.glance()
	w.run(ws, []int{0}, "run", "--yes")
	w.Found("a run after the end", checkQuiet(before, w.glance()))
	w.check("after a run after the end", false)
	if name == "cli-run" {
		w.leftovers()
	}
}

// leftovers: a run that plans anew may leave the signatures of an image that a
// killed run deleted, while that image can be restored. Nothing else may be left,
// and a month later nothing is.
func (w *world) leftovers() {
	left, wrong := checkLeftovers(w.doomed, gone(w.evidence.start, w.sim.State()))
	w.Found("after the end", wrong)
	if len(left) == 0 {
		return
	}
	w.Count("left a signature for a month")
	w.aMonthLater()
	w.Found("a month later", checkFinal(w.evidence.start, w.sim.State(), w.doomed))
	w.check("a month later", false)
}

// checkLeftovers: what is left of the doomed are signatures and attestations of
// what went.
func checkLeftovers(doomed, went []string) (left, wrong []string) {
	for _, name := range doomed {
		if slices.Contains(went, name) {
			continue
		}
		left = append(left, name)
		subject, _, referrer := strings.Cut(name, "-")
		if !referrer || !strings.HasSuffix(name, "-sig") && !strings.HasSuffix(name, "-att") || !slices.Contains(went, subject) {
			wrong = append(wrong, fmt.Sprintf("%s is left, and it is no signature of what is gone", name))
		}
	}
	return left, wrong
}

// undoAll undoes every run with the real binary.
func (w *world) undoAll(ws *workshop) {
	w.undoEach(func(run string) { w.run(ws, []int{0}, "undo", run, "--yes") })
	w.check("after the undo", true)
}

// anHourLater closes what killed runs left open, as any run does when they have
// been silent for an hour; only the clock is not the machine's.
func (w *world) anHourLater() {
	db, err := sqlite.Open(w.path("state/shelflife.db"))
	w.Must(err)
	defer func() { w.Must(db.Close()) }()
	l := newLine(w, db, db, 2*time.Hour)
	w.Must(l.enforcer().Reconcile(w.Context(), l.target()))
}

// aMonthLater runs the same policies once more when a month has passed, here and
// on GitHub.
func (w *world) aMonthLater() {
	const month = 31 * 24 * time.Hour
	w.ahead.Store(int64(month))
	db, err := sqlite.Open(w.path("state/shelflife.db"))
	w.Must(err)
	defer func() { w.Must(db.Close()) }()
	l := newLine(w, db, db, 0)
	l.judge, err = policy.Load(w.Context(), policies.FS, policy.Options{Builtin: true, Path: w.path("policies"), Only: onlyPolicies()})
	w.Must(err)
	p, err := l.plan()
	w.Must(err)
	res, err := l.apply(w.Context(), p)
	w.Must(err)
	w.Must(res.StoppedBy)
}
