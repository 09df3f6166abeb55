package faults

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// backPath is where a deleted version is restored: "package key".
func (p planted) backPath(name string) (path string) {
	each(p.sim.State(), func(ps githubsim.PackageState, v githubsim.VersionState) {
		if ps.Name+" "+v.Key == name && v.State == retention.Deleted {
			path = fmt.Sprintf("/orgs/acme/packages/%s/%s/versions/%d/restore", ps.Type, strings.ReplaceAll(ps.Name, "/", "%2F"), v.ID)
		}
	})
	if path == "" {
		p.Fatalf("%s is not deleted", name)
	}
	return path
}

// TestRestoringOfWhatItsRunDidNotDeleteIsNoticed plants in the check of each effect.
func TestRestoringOfWhatItsRunDidNotDeleteIsNoticed(t *testing.T) {
	restored := func(p planted) (found []string) {
		may, err := restorable(p.Context(), p.line.ledger(), p.evidence.all())
		p.Must(err)
		return checkRestored(p.evidence.all(), may)
	}
	for name, spoil := range map[string]func(p planted){
		"what somebody else deleted": func(p planted) { p.undone(p.line); p.hand("POST", p.backPath("web bygone")) },
		"by no undo":                 func(p planted) { p.hand("POST", p.backPath(p.doomed[0])) },
		"by the undo of another run": func(p planted) {
			p.undone(p.line)
			effects := p.evidence.effects
			other := p.begin("other")
			effects[len(effects)-1].intent = ledger.Action{Intent: other}
		},
		"by an undo, what its run did not delete": func(p planted) {
			p.undone(p.line)
			effects := p.evidence.effects
			last := &effects[len(effects)-1]
			last.VersionID++ // another version, under the undo's own intent
		},
	} {
		t.Run(name, func(t *testing.T) { plant(t, spoil, restored) })
	}
}

// TestUndoThatIsNotExactIsNoticed plants in the comparison after one undo.
func TestUndoThatIsNotExactIsNoticed(t *testing.T) {
	for name, spoil := range map[string]func(p planted, back []string){
		"too little": func(p planted, back []string) {
			for _, name := range back[1:] {
				p.hand("POST", p.backPath(name))
			}
		},
		"too much": func(p planted, back []string) {
			for _, name := range append(back, "web bygone") {
				p.hand("POST", p.backPath(name))
			}
		},
		"and something is gone": func(p planted, back []string) {
			for _, name := range back {
				p.hand("POST", p.backPath(name))
			}
			p.hand("DELETE", p.victim("web", func(key string) bool { return key == "w3" }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var before githubsim.State
			var deleted []string
			plant(t, func(p planted) {
				var err error
				actions := map[string]ledger.Action{}
				p.ledger(func(l *ledger.Ledger) { actions, err = allActions(p.Context(), l) })
				p.Must(err)
				for _, a := range actions {
					deleted = deletedBy(a.Run, actions, p.evidence.all())
				}
				if len(deleted) != len(p.doomed) {
					p.Fatalf("the run deleted %v, want %v", deleted, p.doomed)
				}
				spoil(p, p.doomed)
			}, func(p planted) []string {
				if len(before.Owners) == 0 {
					before = p.sim.State()
				}
				return checkUndone(before, p.sim.State(), deleted)
			})
		})
	}
}
