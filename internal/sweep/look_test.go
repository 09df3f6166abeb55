package sweep_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

func TestAWebhookReactsToItsPackageOnly(t *testing.T) {
	w := newWorld(t)
	w.must(w.eng.Handle(t.Context(), webhookItem("p3")))
	diff(t, "gone", []string{"p3 w0", "p3 w1"}, w.gone())
	trigger := retention.Trigger{Kind: retention.TriggerWebhook, Event: "package", Action: "published", Sender: "jane"}
	runs, err := w.ledger().Runs(t.Context(), "acme", 0)
	w.must(err)
	if len(runs) != 1 || runs[0].FinishedAt.IsZero() || runs[0].Trigger != trigger {
		t.Errorf("runs: %+v", runs)
	}
	inv, ok, err := w.db.Snapshot(t.Context(), retention.PackageRef{Owner: "acme", Type: retention.Container, Name: "p3"})
	if err != nil || !ok || !inv.ReadAt.Equal(began) {
		t.Errorf("the snapshot is not renewed: %v %v %v", ok, inv.ReadAt, err)
	}
	// The same again finds nothing left to do.
	w.must(w.eng.Handle(t.Context(), webhookItem("p3")))
	diff(t, "deletions", 2, w.times("delete "))
}

func TestItemsThatAreNotOursDoNothing(t *testing.T) {
	foreign, excluded, gone, npm := webhookItem("p0"), webhookItem("hidden"), webhookItem("nobody"), webhookItem("p0")
	foreign.Owner, npm.Type = "mallory", retention.NPM
	for name, tc := range map[string]struct {
		item  retention.WorkItem
		steps int
	}{
		"another owner's package":      {foreign, 0},
		"another owner's sweep":        {retention.NewSweepWork("20310506T030000Z-x", "mallory", "0"), 0},
		"an excluded package":          {excluded, 0},
		"a type that is not asked for": {npm, 0},
		"a package that is gone":       {gone, 1},
		"a slice of an unknown sweep":  {retention.NewSweepWork("20310506T030000Z-x", "acme", "7"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.must(w.eng.Handle(t.Context(), tc.item))
			diff(t, "steps", tc.steps, len(w.steps))
			diff(t, "gone", 0, len(w.gone()))
			diff(t, "state", sweep.Phase(""), w.state().Phase)
		})
	}
}

func TestMalformedItemsAreErrors(t *testing.T) {
	w := newWorld(t)
	for name, item := range map[string]retention.WorkItem{
		"empty":     {},
		"no cursor": retention.NewSweepWork("20310506T030000Z-x", "acme", "one"),
	} {
		if err := w.eng.Handle(t.Context(), item); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	w.must(w.db.SaveSweep(t.Context(), "acme", []byte("{")))
	if err := w.eng.Handle(t.Context(), webhookItem("p0")); err == nil || !strings.Contains(err.Error(), "read the sweep of acme") {
		t.Errorf("%v", err)
	}
	if err := w.eng.Tick(t.Context(), began); err == nil {
		t.Error("the tick takes a state that can't be read")
	}
}

func TestLateAndRepeatedSlicesAreIgnored(t *testing.T) {
	w := newWorld(t)
	w.due()
	w.work()
	s := w.state()
	asked := len(w.steps)
	for _, item := range []retention.WorkItem{
		retention.NewSweepWork(s.Run, "acme", "0"),
		retention.NewSweepWork(s.Run, "acme", "1"),
		retention.NewSweepWork("20310505T030000Z-x", "acme", "0"), // the day before
	} {
		w.must(w.eng.Handle(t.Context(), item))
	}
	diff(t, "steps", asked, len(w.steps))
	diff(t, "run", s.Run, w.state().Run)
}

func TestLimitsHoldForReactions(t *testing.T) {
	for name, tc := range map[string]struct {
		limits func(*retention.Limits)
		swept  bool // the owner's other packages are known
		gone   int
	}{
		"none":                         {func(*retention.Limits) {}, true, 2},
		"deletes per run":              {func(l *retention.Limits) { l.DeletesPerRun = 1 }, true, 1},
		"deletes per day":              {func(l *retention.Limits) { l.DeletesPerDay = 0 }, true, 0},
		"share of the package":         {func(l *retention.Limits) { l.PercentOfPackage = 49 }, true, 0},
		"share of the owner, kept":     {func(l *retention.Limits) { l.PercentOfOwner = 9 }, true, 2}, // 2 of 24
		"share of the owner, broken":   {func(l *retention.Limits) { l.PercentOfOwner = 8 }, true, 0},
		"share of an owner not known":  {func(l *retention.Limits) { l.PercentOfOwner = 8 }, false, 2},
		"no share of an owner allowed": {func(l *retention.Limits) { l.PercentOfOwner = 0 }, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if tc.swept {
				w.mode = retention.Observe
				w.due()
				w.work()
				w.mode = retention.Enforce
			}
			tc.limits(&w.limits)
			w.must(w.eng.Handle(t.Context(), webhookItem("p4")))
			diff(t, "deleted", tc.gone, len(w.gone()))
		})
	}
}

func TestAPackageThatKeepsFailingIsRetriedAFewTimes(t *testing.T) {
	w := newWorld(t)
	item, broken := webhookItem("p0"), errors.New("no route to host")
	w.hook = func(string) error { return broken }
	for n := 1; n <= 5; n++ {
		if err := w.eng.Handle(t.Context(), item); !errors.Is(err, broken) {
			t.Fatalf("%v", err)
		}
		kept, err := w.eng.Retry(t.Context(), item)
		w.must(err)
		diff(t, "kept", n < 5, kept)
	}
	diff(t, "put off", 0, len(w.state().Deferred))
	for name, other := range map[string]retention.WorkItem{"a sweep": retention.NewSweepWork("r", "acme", ""), "a stranger": retention.NewSweepWork("r", "mallory", "")} {
		if kept, err := w.eng.Retry(t.Context(), other); kept || err != nil {
			t.Errorf("%s: %v %v", name, kept, err)
		}
	}
}

// TestOneAtATimeForAnOwnerAndOwnersSideBySide meets in the connections: both
// owners' items are there at once, and one owner's never are.
func TestOneAtATimeForAnOwnerAndOwnersSideBySide(t *testing.T) {
	w := newWorld(t)
	other := w.cfg.Owners[0]
	other.Login = "zeta"
	busy, most := map[string]int{}, 0
	var mu sync.Mutex
	both := make(chan struct{})
	arrived := sync.OnceFunc(func() { close(both) })
	cfg := w.eng.Config
	cfg.Owners = append(cfg.Owners, other)
	enough := errors.New("that is all")
	cfg.Connect = func(ctx context.Context, o config.Owner) (enforce.Target, error) {
		mu.Lock()
		busy[o.Login]++
		most = max(most, busy[o.Login])
		if busy["acme"] > 0 && busy["zeta"] > 0 {
			arrived()
		}
		mu.Unlock()
		select {
		case <-both:
		case <-time.After(10 * time.Second):
			t.Error("the owners wait for one another")
		}
		mu.Lock()
		busy[o.Login]--
		mu.Unlock()
		return enforce.Target{}, enough
	}
	eng, err := sweep.New(cfg)
	w.must(err)
	var all sync.WaitGroup
	for _, owner := range []string{"acme", "ACME", "zeta", "Zeta"} {
		all.Go(func() {
			item := webhookItem("p0")
			item.Owner = owner
			if err := eng.Handle(t.Context(), item); !errors.Is(err, enough) {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	diff(t, "most at once for one owner", 1, most)
}

func TestAnItemDoesNotWaitForEver(t *testing.T) {
	w := newWorld(t)
	ended, cancel := context.WithCancel(t.Context())
	w.hook = func(string) error {
		w.hook = nil
		cancel()
		return w.eng.Handle(ended, webhookItem("p1"))
	}
	if err := w.eng.Handle(t.Context(), webhookItem("p0")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	for name, drop := range map[string]func(*sweep.Config){
		"Connect": func(c *sweep.Config) { c.Connect = nil },
		"Sealer":  func(c *sweep.Config) { c.Sealer = nil },
		"Switch":  func(c *sweep.Config) { c.Switch = nil },
		"Now":     func(c *sweep.Config) { c.Now = nil },
	} {
		cfg := w.eng.Config
		drop(&cfg)
		if _, err := sweep.New(cfg); err == nil || !strings.Contains(err.Error(), name+" is missing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
