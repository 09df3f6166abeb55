package faults

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/peakmem"
	"github.com/shelflife-dev/shelflife/internal/policy"
)

// mostMemory is what the real program may take over a policy that loops or explodes.
// Measured are about 90 MiB on average; five times that would be a policy that is
// not cut, or one whose values are kept.
const mostMemory = 512 << 20

// roomForTheRest is what everything else of a plan may take on a busy machine: the
// program's start, the compiling of the policies, and its calls.
const roomForTheRest = 15 * time.Second

// badPoliciesInProcess plays the policies that use up time and memory through the
// real program, where both can be measured.
func badPoliciesInProcess(_ *testing.T, ws *workshop) func(*Case) {
	names := []string{"loops", "explodes"}
	return func(c *Case) {
		name := names[int(c.Seed)%len(names)]
		l := draw(c.Rand.Uint64N(64))
		w := newWorld(c, l, roomy())
		w.extra = oneOwner
		w.configure()
		config, err := os.ReadFile(w.path("shelflife.yaml"))
		w.Must(err)
		w.write("shelflife.yaml", strings.Replace(string(config), "only: [", "only: [hostile, ", 1))
		w.write("policies/hostile.rego", fmt.Sprintf(policyHead, name)+hostile()[name])
		_, err = ws.shelflife() // built before the time is taken
		w.Must(err)
		started := time.Now()
		w.within(ws, []int{0, 5}, "plan", "--out", "plan.json")
		// The plan judges each package, and once more what it would leave of it.
		took := time.Since(started)
		c.CountN("ms for the plans in sum", int(took.Milliseconds()))
		if took > 2*policy.DefaultTimeLimit+roomForTheRest {
			w.Errorf("%s: the plan took %s", name, took)
		}
		w.within(ws, []int{0, 4, 5}, "run", "--yes")
		w.check(name, false)
		spared := slices.DeleteFunc(slices.Clone(l.doomed), func(n string) bool { return packageOf(n) == "web" })
		w.Found(name, checkFinal(w.evidence.start, w.sim.State(), spared))
		c.Count(name)
	}
}

// within runs a command in the memory that a policy may make it take.
func (w *world) within(ws *workshop, codes []int, args ...string) {
	p := w.start(ws, args...)
	stop := peakmem.Watch(p.cmd.Process.Pid)
	code := w.wait(p)
	peak := stop()
	if !slices.Contains(codes, code) {
		w.Fatalf("shelflife %s ended with %d:\n%s%s", strings.Join(args, " "), code, p.out.String(), p.err.String())
	}
	if peak == 0 {
		w.Fatalf("this system does not tell what a process used")
	}
	w.Count("commands")
	w.CountN("MiB at their peaks in sum", int(peak>>20))
	if peak > mostMemory {
		w.Errorf("shelflife %s took %d MiB, at most %d", strings.Join(args, " "), peak>>20, mostMemory>>20)
	}
}
