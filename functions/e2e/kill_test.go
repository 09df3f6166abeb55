package e2e

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// shortKills is how many seeds make test takes; make test-aws-kills takes 200.
const shortKills = 5

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// killPackages has two kinds of package, with 6 deletions in all.
func killPackages() []githubsim.Package { return append(stale(2, 3), image("api")) }

func killed() []string {
	return []string{"api alone", "api expired", "p0 v0", "p0 v1", "p1 v0", "p1 v1"}
}

// A worker is killed by SIGKILL at a random call to AWS or GitHub, before it arrives or
// after it was carried out, one to three times in a sweep. What comes again takes it
// to the same end.
func TestASliceThatIsKilledAtRandomIsResumed(t *testing.T) {
	t.Parallel()
	count, first := setting(t, "SHELFLIFE_KILLS", shortKills), setting(t, "SHELFLIFE_SEED", int(time.Now().Unix()%1_000_000)*1000)
	t.Logf("seeds %d to %d; SHELFLIFE_SEED=n SHELFLIFE_KILLS=1 repeats one", first, first+count-1)
	calls := undisturbed(t)
	together := make(chan struct{}, 6) // most of the time is waiting for GitHub's pace
	for n := range count {
		seed := first + n
		t.Run("seed "+strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			together <- struct{}{}
			defer func() { <-together }()
			killedAtRandom(t, seed, calls)
		})
	}
}

// undisturbed counts the calls that a sweep makes when nobody kills it.
func undisturbed(t *testing.T) int {
	t.Helper()
	w := newWorld(t, spec{owners: []githubsim.Owner{{Login: owner, Packages: killPackages()}}})
	n := 0
	var mu sync.Mutex
	w.due(owner)
	w.tick()
	w.taps.set(func(string) tap {
		mu.Lock()
		defer mu.Unlock()
		n++
		return tap{}
	})
	w.work()
	diff(t, "gone without a kill", killed(), sorted(w.gone()))
	w.clean(owner)
	return n
}

func killedAtRandom(t *testing.T, seed, calls int) {
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	w := newWorld(t, spec{owners: []githubsim.Owner{{Login: owner, Packages: killPackages()}}})
	w.due(owner)
	w.tick()
	var mu sync.Mutex
	kills, left, at := 0, 1+random.IntN(3), 1+random.IntN(calls)
	seen := 0
	w.taps.set(func(call string) tap {
		mu.Lock()
		defer mu.Unlock()
		if seen++; left == 0 || seen != at {
			return tap{}
		}
		left, kills, at = left-1, kills+1, seen+1+random.IntN(calls)
		after := random.IntN(2) == 1
		t.Logf("seed %d: killed at call %d, %s, after it was carried out: %t", seed, seen, call, after)
		return tap{drop: !after, lose: after, then: func() { w.enforcer.Kill() }}
	})
	w.work()
	w.recorded(owner)
	w.enforcer.Recycle()
	w.must(w.expire(t.Context()))
	w.tick() // what a kill has left undone is started again by the next one
	w.work()
	if kills == 0 {
		t.Error("nobody was killed")
	}
	s := w.state(owner)
	diff(t, "phase", sweep.Done, s.Phase)
	diff(t, "gone in the end", killed(), sorted(w.gone()))
	if w.deletions() > len(killed())+kills {
		t.Errorf("%d calls that delete for %d deletions and %d kills", w.deletions(), len(killed()), kills)
	}
	for _, body := range w.deadBodies() {
		if !strings.Contains(body, "sweep") {
			t.Errorf("a dead letter that is no slice: %s", body)
		}
	}
	w.clean(owner)
	passed(t)
}
