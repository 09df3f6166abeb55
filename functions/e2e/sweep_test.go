package e2e

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/lambdatest"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

func TestATickStartsADueSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{owners: []githubsim.Owner{{Login: owner, Packages: append(stale(1, 3), image("api"))}}})
	w.tick()
	diff(t, "the first tick notes the owner", sweep.Waiting, w.state(owner).Phase)
	diff(t, "what is queued before it is due", 0, len(w.queued()))

	w.due(owner)
	w.tick()
	w.tick() // the same item again: the queue drops it
	diff(t, "what is queued", 1, len(w.queued()))
	w.work()
	diff(t, "phase", sweep.Done, w.state(owner).Phase)
	diff(t, "gone", []string{"api alone", "api expired", "p0 v0", "p0 v1"}, sorted(w.gone()))
	w.clean(owner)

	asked := len(w.sim.Calls())
	w.tick()
	w.work()
	diff(t, "calls when nothing is due", asked, len(w.sim.Calls()))
	passed(t)
}

func TestASweepIsWorkedInSlicesUntilItIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{owners: []githubsim.Owner{{Login: owner, Packages: stale(4, 3)}}, slice: time.Second, latency: 50 * time.Millisecond})
	w.due(owner)
	w.tick()
	w.work()
	s := w.state(owner)
	if s.Phase != sweep.Done || s.Cursor < 2 {
		t.Errorf("%+v, want it done in several slices", s)
	}
	diff(t, "gone", swept(4, 3), sorted(w.gone()))
	diff(t, "deletions", 8, w.deletions())
	w.clean(owner)
	passed(t)
}

// A webhook waits for one slice, not for the sweep.
func TestAWebhookOvertakesALongSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{owners: []githubsim.Owner{{Login: owner, Packages: stale(4, 3)}}, slice: time.Second, latency: 50 * time.Millisecond})
	var order []string
	w.source.Batches = func(b lambdatest.Batch) { order = append(order, kinds(b)...) }
	w.due(owner)
	w.tick()
	push := sync.OnceFunc(func() { w.publish("p9", "9.0.0") })
	w.taps.set(func(call string) tap {
		if strings.HasPrefix(call, "GitHub DELETE") {
			go push() // its answer does not wait for this call
		}
		return tap{}
	})
	w.work()
	looked, last := slices.Index(order, "package p9"), len(order)-1
	if looked < 1 || looked > 3 || looked == last || !strings.HasPrefix(order[last], "sweep#") {
		t.Errorf("worked in the order %v, want the package after the slice that was under way", order)
	}
	diff(t, "phase", sweep.Done, w.state(owner).Phase)
	w.clean(owner)
	passed(t)
}

func TestARateLimitPausesAndTheTickResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{owners: []githubsim.Owner{{Login: owner, Packages: stale(3, 3)}}})
	w.must(w.sim.SetFaults([]githubsim.Fault{{Match: "GET /orgs/acme/packages/npm/p1/**", Kind: githubsim.FaultPrimary, RetryAfter: 300, Times: 1}}))
	w.due(owner)
	w.tick()
	w.work()
	s := w.state(owner)
	if !s.Unfinished() || !s.PausedUntil.After(time.Now().Add(30*time.Second)) || s.Failures != 0 {
		t.Errorf("%+v, want it paused", s)
	}
	diff(t, "messages during the pause", 0, len(w.queued()))
	asked := len(w.sim.Calls())
	w.publish("p9", "9.0.0") // kept, not lost
	w.work()
	w.tick()
	w.work()
	diff(t, "calls during the pause", asked, len(w.sim.Calls()))
	diff(t, "put off", 1, len(w.state(owner).Deferred))
	diff(t, "dead letters", 0, len(w.deadBodies()))

	w.change(owner, func(s *sweep.State) { s.PausedUntil = time.Now().Add(-time.Second).UTC() })
	w.enforcer.Recycle() // an hour later it is another sandbox
	w.aws.forget()
	w.tick()
	w.work()
	diff(t, "phase", sweep.Done, w.state(owner).Phase)
	diff(t, "put off in the end", 0, len(w.state(owner).Deferred))
	diff(t, "gone", swept(3, 3), sorted(w.gone()))
	w.clean(owner)
	passed(t)
}

// publish pushes a version, which GitHub announces to the webhook.
func (w *world) publish(pkg, version string) []githubsim.Published {
	w.t.Helper()
	out, err := w.sim.Publish(w.t.Context(), githubsim.Publication{
		Owner: owner, Type: retention.NPM, Package: pkg, Sender: "jane", Versions: []githubsim.Version{{Name: version}},
	})
	if err != nil {
		w.t.Error(err)
	}
	return out
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

// passed counts a case that came to its end.
func passed(t testing.TB) {
	if !t.Failed() {
		total.passed.Add(1)
	}
}
