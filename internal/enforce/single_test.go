package enforce_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (w *world) planPackage(name string, versions func(context.Context) (int, error)) (retention.Summary, error) {
	p, err := w.enforcer().PlanPackage(w.ctx(), enforce.PackageRequest{
		Target: w.acme()[0], Judge: expire("w0", "w1", "stable"), Bundle: w.bundle, Trigger: retention.Trigger{Kind: retention.TriggerWebhook},
		Type: retention.Container, Name: name, ID: "20310506T120000Z-web", OwnerVersions: versions,
	})
	return p.Summary(), err
}

func TestPlanOfOnePackageIsMeasuredAgainstTheWholeOwner(t *testing.T) {
	known := func(n int) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return n, nil }
	}
	for name, tc := range map[string]struct {
		percent  float64
		versions func(context.Context) (int, error)
		want     retention.Summary
	}{
		"2 of 24 are not more than 9 %": {9, known(24), retention.Summary{Delete: 2, Keep: 6}},
		"2 of 24 are more than 8 %":     {8, known(24), retention.Summary{Keep: 8, Held: 2}},
		"no other package is known":     {8, known(8), retention.Summary{Delete: 2, Keep: 6}},
		"nothing is known":              {8, nil, retention.Summary{Delete: 2, Keep: 6}},
		"zero is zero":                  {0, known(24), retention.Summary{Keep: 8, Held: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			w.limits.PercentOfOwner = tc.percent
			got, err := w.planPackage("web", tc.versions)
			w.must(err)
			diff(t, "summary", tc.want, got)
		})
	}
}

func TestPlanOfOnePackageFailsAsAWhole(t *testing.T) {
	w := newWorld(t, acmeSeed())
	if _, err := w.planPackage("nobody", nil); !packages.IsNotFound(err) {
		t.Errorf("a package that is not there: %v", err)
	}
	broken := errors.New("the state file is locked")
	if _, err := w.planPackage("web", func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("an owner that can't be counted: %v", err)
	}
}

// countingReader counts the readings that go to GitHub whatever is kept.
type countingReader struct {
	enforce.Reader
	fresh atomic.Int64
}

func (c *countingReader) Read(ctx context.Context, o retention.Owner, p retention.Package, opts inventory.Options) (retention.Inventory, error) {
	if opts.Fresh {
		c.fresh.Add(1)
	}
	return c.Reader.Read(ctx, o, p, opts)
}

func TestReadingsSinceATimeCountAsFresh(t *testing.T) {
	for name, tc := range map[string]struct {
		since func(w *world) time.Time
		fresh int
	}{
		"since before them":     {func(*world) time.Time { return began }, 0},
		"since after them":      {func(w *world) time.Time { return w.clock.Now() }, 3},
		"since planning begins": {func(*world) time.Time { return time.Time{} }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := expire("plain", "w0", "1.0.0")
			w.plan(judge)
			w.clock.Advance(time.Hour)
			targets := w.acme()
			reader := &countingReader{Reader: targets[0].Reader}
			targets[0].Reader = reader
			p, err := w.enforcer().Plan(w.ctx(), enforce.PlanRequest{Targets: targets, Judge: judge, ID: "an-id", Since: tc.since(w)})
			w.must(err)
			diff(t, "id", "an-id", p.ID())
			diff(t, "deletes", 3, p.Summary().Delete)
			diff(t, "fresh readings", tc.fresh, int(reader.fresh.Load()))
		})
	}
}

func TestStopEndsPlanningAndApplying(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge, enough := expire("w0", "w1", "w2"), errors.New("enough")
	left := 0
	stop := func(context.Context) error {
		if left--; left < 0 {
			return enough
		}
		return nil
	}
	_, err := w.enforcer().Plan(w.ctx(), enforce.PlanRequest{Targets: w.acme(), Judge: judge, Bundle: w.bundle, Stop: func(context.Context) error { return enough }})
	if !errors.Is(err, enough) {
		t.Errorf("planning: %v", err)
	}
	plan := w.plan(judge)
	for _, want := range []int{0, 0, 1, 3} { // asked before the package, and before the look and the call of each item
		left = map[int]int{0: 0, 1: 3, 3: 9}[want]
		req := w.request(plan, judge)
		req.Stop = stop
		res, err := w.enforcer().Apply(w.ctx(), req)
		w.must(err)
		if want < 3 && !errors.Is(res.StoppedBy, enough) || want == 3 && res.StoppedBy != nil {
			t.Errorf("stopped by %v", res.StoppedBy)
		}
		diff(t, "deleted", want, len(w.gone()))
	}
	if open, err := w.ledger().Open(t.Context(), "acme"); err != nil || len(open) != 0 {
		t.Errorf("open intents: %v, %v", open, err)
	}
}

func TestReconcileClosesOnlyWhatIsOld(t *testing.T) {
	w := newWorld(t, acmeSeed())
	judge := expire("w0")
	plan := w.plan(judge)
	if w.applyUntil(4, plan, judge) { // between the intent and the call
		t.Fatal("it was not killed")
	}
	for _, tc := range []struct {
		after time.Duration
		old   bool
		open  int
	}{{59 * time.Minute, false, 1}, {time.Minute, true, 0}} {
		w.clock.Advance(tc.after)
		old, err := w.enforcer().Abandoned(t.Context(), "ACME")
		w.must(err)
		diff(t, "abandoned", tc.old, old)
		w.must(w.enforcer().Reconcile(t.Context(), w.acme()[0]))
		open, err := w.ledger().Open(t.Context(), "acme")
		w.must(err)
		diff(t, "open", tc.open, len(open))
	}
}
