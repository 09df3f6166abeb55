package faults

import (
	"fmt"
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

// exact demands that the day is not overspent by one, neither in the ledger nor on
// GitHub, and that no version was deleted twice.
func (w *world) exact(perDay int) {
	w.ledger(func(led *ledger.Ledger) {
		used, err := led.Used(w.Context(), owner, "")
		w.Must(err)
		if used.Day > perDay {
			w.Errorf("%d of %d a day are reserved", used.Day, perDay)
		}
	})
	deleted := deletions(w.evidence.all())
	if len(deleted) > perDay {
		w.Errorf("%d deletions of %d a day", len(deleted), perDay)
	}
	names := map[string]bool{}
	for _, e := range deleted {
		if names[e.name()] {
			w.Errorf("%s was deleted twice", e.name())
		}
		names[e.name()] = true
	}
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
			w.wait(p)
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
