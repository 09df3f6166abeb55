package enforce_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// GitHub asks to wait for a minute in the middle of a package: what happens there
// meanwhile must not be missed by the deletions that come after the wait.
func TestWhatHappensDuringAWaitIsNotMissed(t *testing.T) {
	for _, tt := range []struct {
		name      string
		expired   []string
		skip      int // deletions before the one that has to wait
		meanwhile func(*world)
		want      map[string]string
		gone      []string
	}{
		{
			name: "nothing", expired: []string{"v1", "w0"}, skip: 1,
			meanwhile: func(*world) {},
			want:      map[string]string{"team/api v1": "done", "web w0": "done"},
			gone:      append(slices.Clone(v1Unit), "web w0"),
		},
		{
			name: "the version is tagged", expired: []string{"w0"},
			meanwhile: func(w *world) { w.retag("web", "w0", "wanted") },
			want:      map[string]string{"web w0": "changed"},
			gone:      []string{},
		},
		{
			name: "the index is tagged", expired: []string{"v1"},
			meanwhile: func(w *world) { w.retag("team/api", "v1", "wanted") },
			want:      map[string]string{"team/api v1": "changed"},
			gone:      []string{},
		},
		{
			name: "a new index lists a child, before its old one is deleted", expired: []string{"v1"},
			meanwhile: func(w *world) { w.publish("team/api", index("v4", 0, []string{"v1-amd"}, "v4")) },
			want:      map[string]string{"team/api v1": "changed"},
			gone:      []string{},
		},
		{
			name: "a new index lists a child, after its old one was deleted", expired: []string{"v1"}, skip: 1,
			meanwhile: func(w *world) { w.publish("team/api", index("v4", 0, []string{"v1-amd"}, "v4")) },
			want:      map[string]string{"team/api v1": "done"}, // what is left of its unit is left alone
			gone:      []string{"team/api v1"},
		},
		{
			name: "nothing, where no version needs another", expired: []string{"1.0.0"},
			meanwhile: func(*world) {},
			want:      map[string]string{"lib 1.0.0": "done"},
			gone:      []string{"lib 1.0.0"},
		},
		{
			name: "somebody deletes it", expired: []string{"1.0.0"},
			meanwhile: func(w *world) { w.handDelete("lib", "1.0.0") },
			want:      map[string]string{"lib 1.0.0": "gone"},
			gone:      []string{"lib 1.0.0"},
		},
		{
			name: "a new index lists a child of a later unit", expired: []string{"plain", "v1"},
			meanwhile: func(w *world) { w.publish("team/api", index("v4", 0, []string{"v1-amd"}, "v4")) },
			want:      map[string]string{"team/api plain": "done", "team/api v1": "changed"},
			gone:      []string{"team/api plain"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := expire(tt.expired...)
			plan := w.plan(judge)
			happened := false
			w.waiting = func(d time.Duration) {
				if d >= 30*time.Second && !happened {
					happened = true
					tt.meanwhile(w)
				}
			}
			w.faults(githubsim.Fault{Match: "DELETE /**", Kind: githubsim.FaultSecondary, Skip: tt.skip, Times: 1})
			res := w.apply(plan, judge)
			got := outcomes(res.Items)
			delete(got, "team/api wanted") // a pushed tag may sort first
			diff(t, "outcomes", tt.want, got)
			diff(t, "what is gone", tt.gone, w.gone())
			if !happened || res.StoppedBy != nil {
				t.Errorf("waited: %t, stopped by %v", happened, res.StoppedBy)
			}
			w.audit(plan)
		})
	}
}

// A machine may sleep at any moment of a run, and somebody push meanwhile: the clock
// that Go measures by does not know of it, but what was read before is old.
func TestWhatHappensWhileTheMachineSleepsIsNotMissed(t *testing.T) {
	asleepAt := func(moment int) (moments int) {
		w := newWorld(t, acmeSeed())
		w.clock.Tick()
		judge := expire("v1")
		plan := w.plan(judge)
		req := w.request(plan, judge)
		req.Stop = func(context.Context) error {
			if moments++; moments == moment {
				w.clock.Sleep(time.Hour)
				there := slices.DeleteFunc([]string{"v1-amd", "v1-arm"}, func(key string) bool { return slices.Contains(w.gone(), "team/api "+key) })
				w.publish("team/api", index("v4", 0, there, "v4"))
			}
			return nil
		}
		res, err := w.enforcer().Apply(w.ctx(), req)
		if err != nil || res.StoppedBy != nil {
			t.Errorf("asleep at %d: %v, stopped by %v", moment, err, res.StoppedBy)
		}
		w.audit(plan)
		return moments
	}
	moments := asleepAt(0)
	if moments < 2*len(v1Unit) {
		t.Errorf("%d moments at which the run could have been stopped, want two for each deletion", moments)
	}
	for moment := range moments {
		asleepAt(moment + 1)
	}
}

// undated is GitHub without a package's time of update.
type undated struct {
	enforce.Reader
	enforce.Looker
}

func (u undated) Read(ctx context.Context, o retention.Owner, p retention.Package, opts inventory.Options) (retention.Inventory, error) {
	p.UpdatedAt = time.Time{}
	return u.Reader.Read(ctx, o, p, opts)
}

func (u undated) GetPackage(ctx context.Context, o retention.Owner, typ retention.PackageType, name string) (retention.Package, error) {
	p, err := u.Looker.GetPackage(ctx, o, typ, name)
	p.UpdatedAt = time.Time{}
	return p, err
}

func TestAPackageOfWhichNobodyKnowsWhetherItChangedIsKept(t *testing.T) {
	retire := rules{decide: func(inv retention.Inventory) []retention.Decision {
		if inv.Package.Name != "lib" {
			return nil
		}
		return []retention.Decision{{Policy: "retire", Rule: "retire", Action: retention.Delete, Target: retention.TargetPackage, Reason: "old", Severity: "low", Mode: retention.Enforce}}
	}}
	for _, known := range []bool{true, false} {
		w := newWorld(t, acmeSeed())
		targets := w.acme()
		want, gone := map[string]string{"lib *": "done"}, []string{"lib *"}
		if !known {
			u := undated{targets[0].Reader, targets[0].Looker}
			targets[0].Reader, targets[0].Looker = u, u
			want, gone = map[string]string{"lib *": "changed"}, []string{}
		}
		res := w.apply(w.plan(retire, targets...), retire, targets...)
		diff(t, "outcomes", want, outcomes(res.Items))
		diff(t, "what is gone", gone, w.gone())
	}
}

// Where the limits go on and on, the run stops and nothing is given up: applying the
// plan again goes on with it.
func TestLimitsWithoutEndStopTheRunAndLoseNothing(t *testing.T) {
	for _, expired := range []string{"v1", "1.0.0"} {
		t.Run(expired, func(t *testing.T) {
			w := newWorld(t, acmeSeed())
			judge := expire(expired)
			plan := w.plan(judge)
			w.waiting = func(time.Duration) {}
			w.faults(githubsim.Fault{Match: "DELETE /**", Kind: githubsim.FaultSecondary})
			res := w.apply(plan, judge)
			if packages.KindOf(res.StoppedBy) != packages.RateLimited {
				t.Errorf("stopped by %v", res.StoppedBy)
			}
			diff(t, "what is gone", []string{}, w.gone())
			w.faults()
			again := w.apply(plan, judge)
			if len(w.gone()) == 0 || again.StoppedBy != nil || !again.Clean() {
				t.Errorf("gone %v, stopped by %v: %v", w.gone(), again.StoppedBy, outcomes(again.Items))
			}
			w.audit(plan)
		})
	}
}
