package faults

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestSecondRunThatIsNotQuietIsNoticed(t *testing.T) {
	for name, spoil := range map[string]func(p planted){
		"it deletes": func(p planted) { p.hand("DELETE", p.victim("web", anyKey)) },
		"it deletes and restores": func(p planted) {
			path := p.victim("web", anyKey)
			p.hand("DELETE", path)
			p.hand("POST", path+"/restore")
		},
		"it tries in vain": func(p planted) { p.call("DELETE", "/orgs/acme/packages/container/web/versions/1") },
	} {
		t.Run(name, func(t *testing.T) {
			var before *glance
			plant(t, spoil, func(p planted) []string {
				if before == nil {
					now := p.glance()
					before = &now
				}
				return checkQuiet(*before, p.glance())
			})
		})
	}
	t.Run("it changes something without a call that is counted", func(t *testing.T) {
		var before *glance
		plant(t, func(p planted) { p.hand("DELETE", p.victim("web", anyKey)) }, func(p planted) []string {
			now := p.glance()
			if before == nil {
				before = &now
			}
			return checkQuiet(glance{state: before.state, writes: now.writes}, now)
		})
	})
}

func TestPlanThatIsNotIdleIsNoticed(t *testing.T) {
	if found := checkIdle(retention.Summary{Keep: 9, Blocked: 1, Observed: 1}); len(found) > 0 {
		t.Errorf("of a plan that does nothing: %v", found)
	}
	for name, s := range map[string]retention.Summary{"deletes": {Delete: 1}, "restores": {Restore: 1}, "holds": {Held: 1}} {
		if len(checkIdle(s)) == 0 {
			t.Errorf("a plan that %s: the check found nothing", name)
		}
	}
}

func TestLeftoverThatIsNoSignatureIsNoticed(t *testing.T) {
	doomed := []string{"team/api i0", "team/api i0-att", "team/api i0-p0", "team/api i0-sig", "web w1"}
	for name, tc := range map[string]struct {
		went, left []string
		wrong      int
	}{
		"nothing is left":           {doomed, nil, 0},
		"signatures of what went":   {[]string{"team/api i0", "team/api i0-p0", "web w1"}, []string{"team/api i0-att", "team/api i0-sig"}, 0},
		"a signature and its image": {[]string{"team/api i0-p0", "web w1", "team/api i0-att"}, []string{"team/api i0", "team/api i0-sig"}, 2},
		"a part of what went":       {[]string{"team/api i0", "team/api i0-att", "team/api i0-sig", "web w1"}, []string{"team/api i0-p0"}, 1},
		"something by itself":       {doomed[:4], []string{"web w1"}, 1},
	} {
		left, wrong := checkLeftovers(doomed, tc.went)
		if diff := cmp.Diff(tc.left, left); diff != "" || len(wrong) != tc.wrong {
			t.Errorf("%s: found %v, want %d\n%s", name, wrong, tc.wrong, diff)
		}
	}
}
