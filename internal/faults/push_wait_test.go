package faults

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// longWait tells a wait for GitHub's limits from one between two attempts.
const longWait = 10 * time.Second

// pushedMeanwhile has somebody push while a deletion waits for GitHub's limits: an
// index of images that were to go, or a tag on one of them. What is pushed is there in
// the end, whole; all else goes that would have gone.
func pushedMeanwhile(*testing.T, *workshop) func(*Case) {
	calm := newRehearsals()
	return func(c *Case) {
		l := draw(c.Rand.Uint64N(layouts))
		usual := calm.of(l, c)
		store := ledgertest.NewMemory()
		w := newWorld(c, l, roomy()).on(store)
		line := w.newLine(store)
		line.patience = 2 * time.Minute
		plan, err := line.plan()
		w.Must(err)
		var held []string
		line.clock.waited = func(d time.Duration) {
			if d >= longWait && held == nil {
				held = w.pushOver()
			}
		}
		limits := []githubsim.FaultKind{githubsim.FaultPrimary, githubsim.FaultSecondary}
		f := githubsim.Fault{
			Match: "DELETE /orgs/acme/packages/container/" + escaped("team/api") + "/versions/*",
			Kind:  limits[c.Rand.IntN(2)], Status: 403, RetryAfter: 11 + c.Rand.IntN(90), Times: 1 + c.Rand.IntN(2),
		}
		f.Skip = c.Rand.IntN(hits(f.Match, usual.apply))
		w.Must(w.sim.SetFaults([]githubsim.Fault{f}))
		w.applied(line, plan)
		w.check("while GitHub asks to wait", false)
		w.Must(w.sim.SetFaults(nil))
		line.clock.Advance(2 * time.Hour)
		for range 3 {
			next, err := line.plan()
			w.Must(err)
			w.applied(line, next)
		}
		w.check("afterwards", false)
		w.Found("afterwards", checkFinal(w.evidence.start, w.sim.State(), w.doomed))
		w.Found("afterwards", checkThere(w.sim.State(), held))
		w.quietAgain(line)
	}
}

// pushOver pushes an index over one or two images of team/api that were to go and are
// still there, or puts a tag on something that was. It works out anew what has to go,
// and returns what may not any more.
func (w *world) pushOver() []string {
	gone := gone(w.evidence.start, w.sim.State())
	api := &w.packages[0]
	api.Versions = slices.DeleteFunc(slices.Clone(api.Versions), func(v githubsim.Version) bool {
		return slices.Contains(gone, api.Name+" "+keyOf(v))
	})
	var images, untagged []int
	for i, v := range api.Versions {
		if len(v.Tags) > 0 || !slices.Contains(w.doomed, api.Name+" "+keyOf(v)) {
			continue
		}
		untagged = append(untagged, i)
		if v.Platform != "" {
			images = append(images, i)
		}
	}
	var push githubsim.Version
	switch {
	case len(images) > 0 && w.Rand.IntN(4) > 0:
		push = githubsim.Version{Key: "pushed", Tags: []string{"pushed"}}
		for _, i := range images[:1+w.Rand.IntN(len(images))] {
			push.Index = append(push.Index, api.Versions[i].Key)
		}
		api.Versions = append(api.Versions, push)
		w.Count("an index pushed")
	case len(untagged) > 0:
		v := &api.Versions[untagged[w.Rand.IntN(len(untagged))]]
		v.Tags = []string{"wanted"}
		push = githubsim.Version{Key: v.Key, Tags: v.Tags}
		w.Count("a tag pushed")
	default:
		return []string{}
	}
	_, err := w.sim.Publish(w.Context(), githubsim.Publication{Owner: owner, Type: retention.Container, Package: api.Name, Versions: []githubsim.Version{push}})
	w.Must(err)
	before := w.doomed
	w.doomed = nil
	w.work()
	for _, name := range gone {
		if !slices.Contains(w.doomed, name) {
			w.doomed = append(w.doomed, name)
		}
	}
	slices.Sort(w.doomed)
	held := []string{api.Name + " " + push.Key}
	for _, name := range before {
		if strings.HasPrefix(name, api.Name+" ") && !slices.Contains(w.doomed, name) {
			held = append(held, name)
		}
	}
	return held
}

// checkThere: all of these are there.
func checkThere(now githubsim.State, names []string) (wrong []string) {
	there := map[string]bool{}
	each(now, func(p githubsim.PackageState, v githubsim.VersionState) {
		there[p.Name+" "+v.Key] = v.State == retention.Active
	})
	for _, name := range names {
		if !there[name] {
			wrong = append(wrong, name+" was pushed, or belongs to what was, and is not there")
		}
	}
	return wrong
}

// TestWhatIsPushedAndThenDeletedIsNoticed deletes behind the program's back.
func TestWhatIsPushedAndThenDeletedIsNoticed(t *testing.T) {
	plant(t, func(p planted) { p.hand("DELETE", p.victim("web", func(key string) bool { return key == "w3" })) },
		func(p planted) []string { return checkThere(p.sim.State(), []string{"web w3"}) })
}
