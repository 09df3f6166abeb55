package faults

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func escaped(name string) string { return url.PathEscape(name) }

func openState(w *world) (*sqlite.DB, error) {
	db, err := sqlite.Open(w.path("state/shelflife.db"))
	if err == nil {
		w.Cleanup(func() { w.Must(db.Close()) })
	}
	return db, err
}

// exact demands that the day was spent to the last deletion that it allows, that
// all runs came to their end, and that nobody acted twice on one intent.
func (w *world) exact(perDay int) {
	w.ledger(func(led *ledger.Ledger) {
		used, err := led.Used(w.Context(), owner, "")
		w.Must(err)
		runs, err := led.Runs(w.Context(), owner, 0)
		w.Must(err)
		actions, err := allActions(w.Context(), led)
		w.Must(err)
		effects := w.evidence.all()
		w.Found("in the end", checkExact(effects, actions, used.Day, perDay, w.doomed))
		w.Found("in the end", checkEnded(runs))
		w.Found("in the end", checkOnce(w.sim.Calls(), intentsByPath(actions)))
		if len(runs) == 0 {
			w.Count("days too short for any unit")
		}
		w.CountN("deleted", len(deletions(effects)))
		w.CountN("reserved for what another worker deleted", used.Day-len(deletions(effects)))
	})
}

// checkExact: the day is not overspent by one, neither in the ledger nor on GitHub;
// each reservation is a deletion, or was made for what another worker deleted
// first; and nothing is left that the rest of the day would have taken. What
// belongs to images goes in units of several versions, anything else by itself; the
// oldest unit that does not fit ends a day, so that younger ones may be left too.
func checkExact(effects []effect, actions map[string]ledger.Action, reserved, perDay int, doomed []string) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	deleted, keys := map[string]int{}, map[string]bool{}
	for _, e := range deletions(effects) {
		deleted[versionName(e.Package, e.VersionID)]++
		keys[e.name()] = true
	}
	if reserved > perDay {
		say("%d of %d a day are reserved", reserved, perDay)
	}
	if n := len(deletions(effects)); n > perDay {
		say("%d deletions of %d a day", n, perDay)
	}
	intents, done := 0, map[string]int{}
	for _, a := range actions {
		if a.Action != retention.Delete {
			continue
		}
		intents += a.Cost
		name := versionName(a.Package, int64(a.VersionID))
		if a.Outcome == retention.OutcomeDone {
			done[name]++
		}
		if deleted[name] == 0 {
			say("%s was reserved in run %s, ended as %q, and nobody deleted it", name, a.Run, a.Outcome)
		}
	}
	if intents != reserved {
		say("%d are reserved, by intents for %d", reserved, intents)
	}
	for name, n := range deleted {
		if n != 1 || done[name] != 1 {
			say("%s was deleted %d times, and %d intents say that they did it", name, n, done[name])
		}
	}
	left := slices.DeleteFunc(slices.Clone(doomed), func(name string) bool { return keys[name] })
	images := slices.ContainsFunc(left, func(name string) bool { return packageOf(name) == "team/api" })
	if spare := perDay - reserved; len(left) > 0 && (spare >= len(left) || !images && spare > 0) {
		say("%v are left, and %d of %d a day", left, spare, perDay)
	}
	return wrong
}

// checkEnded: each run came to its end.
func checkEnded(runs []retention.Run) (wrong []string) {
	for _, r := range runs {
		if r.FinishedAt.IsZero() {
			wrong = append(wrong, fmt.Sprintf("run %s did not come to its end", r.ID))
		}
	}
	return wrong
}

// checkOnce: nothing is deleted once more after it was, but by a worker with an
// intent of its own, or by nobody at all where there are no intents to compare with.
// GitHub answers the second call with 404, so that no effect tells of it.
func checkOnce(calls []githubsim.Call, intents map[string]int) (wrong []string) {
	n, gone := map[string]int{}, map[string]bool{}
	for _, c := range calls {
		if c.Method != http.MethodDelete {
			continue
		}
		gone[c.Path] = gone[c.Path] || c.Status == http.StatusNoContent
		if gone[c.Path] {
			n[c.Path]++
		}
	}
	for path, times := range n {
		allowed := 1
		if intents != nil {
			allowed = intents[path]
		}
		if times > allowed {
			wrong = append(wrong, fmt.Sprintf("DELETE %s was called %d times, at most %d may be", path, times, allowed))
		}
	}
	return wrong
}

// intentsByPath counts the intents to delete a version by the path of its call.
func intentsByPath(actions map[string]ledger.Action) map[string]int {
	out := map[string]int{}
	for _, a := range actions {
		if a.Action == retention.Delete {
			out[fmt.Sprintf("/orgs/%s/packages/%s/%s/versions/%s", a.Owner, a.PackageType, escaped(a.Package), a.VersionID)]++
		}
	}
	return out
}

// tenProcesses is the case in which the day must be spent to the last deletion: ten
// processes at once, each with its own plan for the same versions, which need one
// another in no way.
func tenProcesses(_ *testing.T, ws *workshop) func(*Case) {
	return func(c *Case) {
		const perDay = 7
		p := githubsim.Package{Name: "lib", Type: retention.NPM, Versions: []githubsim.Version{{Name: "9.0.0", CreatedAt: days(1)}}}
		l := layout{children: map[string][]string{}}
		for i := range 12 {
			name := fmt.Sprintf("1.%d.0-rc.1", i)
			p.Versions = append(p.Versions, githubsim.Version{Name: name, CreatedAt: days(80 - i)})
			l.doomed = append(l.doomed, "lib "+name)
		}
		slices.Sort(l.doomed)
		l.packages = []githubsim.Package{p}
		limits := roomy()
		limits.DeletesPerDay = perDay
		w := newWorld(c, l, limits)
		w.extra = oneOwner
		w.configure()
		var running []*process
		for i := range 10 {
			file := fmt.Sprintf("plan%d.json", i)
			w.run(ws, []int{0}, "plan", "--out", file)
			running = append(running, nil)
			running[i] = w.startLater(ws, c.Rand.IntN(2) == 0, "apply", file)
		}
		for _, p := range running {
			if code := w.wait(p); code != 0 && code != 4 {
				w.Errorf("a process ended with %d:\n%s", code, p.err.String())
			}
		}
		w.check("after all processes", false)
		w.exact(perDay)
		w.ledger(func(led *ledger.Ledger) {
			used, err := led.Used(w.Context(), owner, "")
			w.Must(err)
			if used.Day != perDay {
				w.Errorf("%d of %d a day are reserved, and there was enough to do", used.Day, perDay)
			}
		})
	}
}

// startLater starts a process at once, or a moment later.
func (w *world) startLater(ws *workshop, later bool, args ...string) *process {
	if later {
		w.sleep(time.Duration(w.Rand.Int64N(int64(300*time.Millisecond))), nil)
	}
	return w.start(ws, args...)
}
