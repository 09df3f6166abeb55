package faults

import (
	"net/http"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// spent is a day in which two workers wanted the same two versions, as it should
// be: three reservations, two deletions.
type spent struct {
	effects          []effect
	actions          map[string]ledger.Action
	reserved, perDay int
	doomed           []string
}

func spentDay() spent {
	s := spent{actions: map[string]ledger.Action{}, reserved: 3, perDay: 3, doomed: []string{"web a", "web b", "web c"}}
	for i, key := range []string{"a", "b"} {
		s.effects = append(s.effects, effect{Effect: githubsim.Effect{Action: retention.Delete, Owner: owner, Type: retention.Container, Package: "web", VersionID: int64(1 + i), Key: key}})
	}
	s.intend("1", 1, retention.OutcomeDone)
	s.intend("1", 2, retention.OutcomeGone)
	s.intend("2", 2, retention.OutcomeDone)
	return s
}

func (s *spent) intend(run string, version int64, o retention.Outcome) {
	in := ledger.Intent{Run: run, Owner: owner, PackageType: retention.Container, Package: "web", VersionID: retention.ID(version), Action: retention.Delete, Cost: 1}
	in.ID = ledger.IntentID(in)
	s.actions[in.ID] = ledger.Action{Intent: in, Outcome: o}
}

func TestDayThatIsNotSpentExactlyIsNoticed(t *testing.T) {
	check := func(s spent) []string { return checkExact(s.effects, s.actions, s.reserved, s.perDay, s.doomed) }
	if found := check(spentDay()); len(found) > 0 {
		t.Fatalf("before anything is wrong: %v", found)
	}
	for name, spoil := range map[string]func(s *spent){
		"more reserved than the day has": func(s *spent) { s.reserved = 4; s.intend("2", 1, retention.OutcomeGone) },
		"more deleted than the day has":  func(s *spent) { s.perDay = 1 },
		"nothing deleted":                func(s *spent) { s.effects = nil },
		"one deletion less":              func(s *spent) { s.effects = s.effects[1:] },
		"reserved, and no intent":        func(s *spent) { s.reserved, s.perDay = 2, 2 },
		"deleted twice":                  func(s *spent) { s.effects = append(s.effects, s.effects[0]) },
		"two say they did it":            func(s *spent) { s.intend("1", 2, retention.OutcomeDone) },
		"nobody says he did it":          func(s *spent) { s.intend("2", 2, retention.OutcomeGone) },
		"one more would have gone":       func(s *spent) { s.perDay = 4 },
		"an image would have gone":       func(s *spent) { s.perDay, s.doomed = 5, []string{"team/api a", "team/api b"} },
		"nothing was tried":              func(s *spent) { s.effects, s.actions, s.reserved = nil, nil, 0 },
	} {
		s := spentDay()
		if spoil(&s); len(check(s)) == 0 {
			t.Errorf("%s: the check found nothing", name)
		}
	}
}

func TestRunThatDidNotEndIsNoticed(t *testing.T) {
	plant(t, func(p planted) { p.begin("1") }, func(p planted) []string {
		runs, err := p.line.ledger().Runs(p.Context(), owner, 0)
		p.Must(err)
		return checkEnded(runs)
	})
}

// TestSecondCallForTheSameDeletionIsNoticed makes the call again, which has no
// effect.
func TestSecondCallForTheSameDeletionIsNoticed(t *testing.T) {
	plant(t, func(p planted) {
		for _, c := range p.sim.Calls() {
			if c.Method != http.MethodDelete {
				continue
			}
			if status := p.call("DELETE", c.Path); status != http.StatusNotFound {
				p.Fatalf("DELETE %s again: %d", c.Path, status)
			}
			return
		}
		p.Fatalf("nothing was deleted")
	}, func(p planted) []string {
		actions, err := allActions(p.Context(), p.line.ledger())
		p.Must(err)
		return checkOnce(p.sim.Calls(), intentsByPath(actions))
	})
}
