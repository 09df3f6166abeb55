package e2e

import (
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

func TestTheKillSwitchStopsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{})
	w.due(owner)
	w.tick()
	w.call(`{"kind":"pause","reason":"an incident"}`)
	asked := len(w.sim.Calls())
	w.publish("p0", "9.0.0")
	w.work() // both items come while it is on
	w.tick()
	w.work()
	diff(t, "calls to GitHub while it is on", asked, len(w.sim.Calls()))
	diff(t, "gone", 0, len(w.gone()))

	w.call(`{"kind":"resume"}`)
	w.aws.forget()
	w.tick()
	w.work()
	diff(t, "phase", sweep.Done, w.state(owner).Phase)
	if len(w.gone()) == 0 {
		t.Error("nothing is done after it was turned off")
	}
	w.clean(owner)
	passed(t)
}

// The switch is turned in the middle of a sweep: it stops before its next deletion.
func TestTheKillSwitchStopsASweepUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{})
	w.due(owner)
	w.tick()
	stop := make(chan struct{}, 1)
	w.taps.set(func(call string) tap {
		if len(call) > 13 && call[:13] == "GitHub DELETE" {
			select {
			case stop <- struct{}{}:
				w.call(`{"kind":"pause","reason":"an incident"}`)
			default:
			}
		}
		return tap{}
	})
	w.work()
	if n := len(w.gone()); n < 1 || n > 2 {
		t.Errorf("%d are gone, want the deletions that were under way alone", n)
	}
	diff(t, "phase", sweep.Applying, w.state(owner).Phase)
	w.taps.set(nil)
	w.call(`{"kind":"resume"}`)
	w.aws.forget()
	w.tick()
	w.work()
	diff(t, "gone", swept(2, 4), sorted(w.gone()))
	w.clean(owner)
	passed(t)
}

// command is one about a run of acme.
func command(kind, run string) string {
	return `{"kind":"` + kind + `","owner":"` + owner + `","run":"` + run + `"}`
}

func TestAHeldPlanIsAppliedByAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{limits: "{deletes_per_run: 1000, deletes_per_day: 1000, percent_of_package: 100, percent_of_owner: 10}"})
	w.due(owner)
	w.tick()
	w.work()
	diff(t, "gone while it is held", 0, len(w.gone()))
	s := w.state(owner)
	w.call(`{"kind":"status"}`)
	w.call(command("apply", s.Run))
	diff(t, "gone", swept(2, 4), sorted(w.gone()))
	runs, err := w.ledger().Runs(t.Context(), owner, 0)
	w.must(err)
	diff(t, "runs", 1, len(runs))
	diff(t, "outcomes", map[retention.Outcome]int{retention.OutcomeDone: 6}, runs[0].Outcomes)
	w.call(command("show", s.Run))
	w.clean(owner)
	passed(t)
}

// The App's key is in Secrets Manager, and two owners are worked side by side.
func TestTwoOwnersWithTheKeyInSecretsManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{pem: true, owners: []githubsim.Owner{
		{Login: owner, Packages: stale(1, 3)}, {Login: "Zeta", Packages: stale(1, 2)},
	}})
	w.due(owner)
	w.due("Zeta")
	w.tick()
	w.work()
	diff(t, "gone", []string{"p0 v0", "p0 v0", "p0 v1"}, sorted(w.gone()))
	w.clean(owner)
	w.clean("zeta")
	passed(t)
}
