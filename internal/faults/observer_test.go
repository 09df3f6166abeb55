package faults

import (
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

// Where two workers want the same version, the deletion of the first is not held
// against the intent of the second, which may be younger; one that is younger than
// all intents is noticed.
func TestAnEffectIsHeldAgainstTheOldestIntentForIt(t *testing.T) {
	began := time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)
	store, clock := ledgertest.NewMemory(), testclock.New(began)
	for _, id := range []string{"20310506T120000Z-11111111", "20310506T120010Z-22222222"} {
		run := retention.Run{ID: id, Owner: owner, Kind: retention.RunApply, Mode: retention.Enforce, Trigger: retention.Trigger{Kind: retention.TriggerCLI}, StartedAt: clock.Now()}
		l := ledger.New(store, clock.Now)
		_, err := l.Start(t.Context(), run)
		must(t, err)
		intent := ledger.NewIntent(run, retention.Item{
			Owner: owner, PackageType: retention.Container, Package: "web", VersionID: 7, Version: "w0", Action: retention.Delete, Target: retention.TargetVersion,
		})
		intent.Cost = 1
		_, err = l.Begin(t.Context(), run, roomy(), []ledger.Intent{intent})
		must(t, err)
		clock.Advance(10 * time.Second)
	}
	for name, tc := range map[string]struct {
		at    time.Time
		wrong bool
	}{
		"between the two intents": {began.Add(time.Millisecond), false},
		"after both":              {began.Add(time.Minute), false},
		"before both":             {began.Add(-time.Minute), true},
	} {
		ev := &evidence{look: func() (ledger.Store, func(), error) { return store, func() {}, nil }}
		ev.observe(githubsim.Effect{At: tc.at, Action: retention.Delete, Owner: owner, Type: retention.Container, Package: "web", VersionID: 7, Key: "w0"})
		if found := checkIntents(ev.all()); (len(found) > 0) != tc.wrong {
			t.Errorf("%s: found %v", name, found)
		}
	}
}
