package faults

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// planted is an owner that was swept as it should be, in which something is then
// wrong on purpose.
type planted struct {
	*world
	line  *line
	store *ledgertest.Memory
}

// plant plays one case whose violation the checks must find, and returns what
// they found.
func plant(t *testing.T, spoil func(p planted), look func(p planted) []string) {
	t.Helper()
	res := Run(t.Context(), Campaign{Name: "planted", Cases: 1, First: 1, Play: func(c *Case) {
		p := plantedWorld(c)
		if clean := look(p); len(clean) > 0 {
			c.Fatalf("before anything is wrong: %v", clean)
		}
		spoil(p)
		if found := look(p); len(found) == 0 {
			c.Errorf("the check found nothing")
		}
	}})
	for _, f := range res.Failed {
		t.Error(strings.Join(f.Found, "\n"))
	}
}

func plantedWorld(c *Case) planted {
	w := newWorld(c, withAnIndexThatStays(), roomy())
	store := ledgertest.NewMemory()
	w.evidence.look = func() (ledger.Store, func(), error) { return store, func() {}, nil }
	p := planted{world: w, line: w.newLine(store), store: store}
	plan, err := p.line.plan()
	w.Must(err)
	res, err := p.line.apply(w.Context(), plan)
	w.Must(err)
	w.Must(res.StoppedBy)
	w.Found("an honest run", checkFinal(w.evidence.start, w.sim.State(), w.doomed))
	return p
}

func withAnIndexThatStays() layout {
	for variant := uint64(0); ; variant++ {
		l := draw(variant)
		for index := range l.children {
			if !slices.Contains(l.doomed, index) {
				return l
			}
		}
	}
}

// victim is a version that is there, of a package, whose key the choice likes.
func (p planted) victim(pkg string, likes func(key string) bool) (path string) {
	each(p.sim.State(), func(ps githubsim.PackageState, v githubsim.VersionState) {
		if ps.Name == pkg && v.State == retention.Active && likes(v.Key) && path == "" {
			path = fmt.Sprintf("/orgs/acme/packages/%s/%s/versions/%d", ps.Type, strings.ReplaceAll(pkg, "/", "%2F"), v.ID)
		}
	})
	if path == "" {
		p.Fatalf("there is no such version of %s", pkg)
	}
	return path
}

func anyKey(string) bool { return true }

func TestDeletionWithoutIntentIsNoticed(t *testing.T) {
	plant(t, func(p planted) { p.hand("DELETE", p.victim("web", anyKey)) }, func(p planted) []string { return checkIntents(p.evidence.all()) })
}

// TestIntentForSomethingElseExcusesNothing has an intent open in the instant of a
// change that is not the one it speaks of.
func TestIntentForSomethingElseExcusesNothing(t *testing.T) {
	intents := func(p planted) []string { return checkIntents(p.evidence.all()) }
	for name, spoil := range map[string]func(p planted){
		"another version": func(p planted) {
			in := p.begin("1")
			p.hand("DELETE", p.victim("web", func(key string) bool { return key != p.keyOf(in) }))
		},
		"the other action": func(p planted) {
			path := "/orgs/acme/packages/container/web/versions/" + p.begin("1").VersionID.String()
			p.hand("DELETE", path)
			if found := intents(p); len(found) > 0 {
				p.Fatalf("of the deletion itself: %v", found)
			}
			p.hand("POST", path+"/restore")
		},
		"another package": func(p planted) {
			p.deleteAfter(p.begin("1", func(in *ledger.Intent) { in.Package = "team/api" }))
		},
		"another type": func(p planted) {
			p.deleteAfter(p.begin("1", func(in *ledger.Intent) { in.PackageType = retention.NPM }))
		},
		"the package": func(p planted) {
			p.deleteAfter(p.begin("1"), func(e *githubsim.Effect) { e.VersionID = 0 })
		},
		"another owner": func(p planted) {
			p.deleteAfter(p.begin("1"), func(e *githubsim.Effect) { e.Owner = "stranger" })
		},
	} {
		t.Run(name, func(t *testing.T) { plant(t, spoil, intents) })
	}
}

// deleteAfter tells the observer that the intent's version was deleted in the
// package web, while the intent is open; change makes it another deletion.
func (p planted) deleteAfter(in ledger.Intent, change ...func(*githubsim.Effect)) {
	e := githubsim.Effect{At: p.now(), Action: retention.Delete, Owner: owner, Type: retention.Container, Package: "web", VersionID: int64(in.VersionID), Key: p.keyOf(in)}
	for _, f := range change {
		f(&e)
	}
	p.evidence.observe(e)
}

// keyOf is the key of an intent's version in the package web.
func (p planted) keyOf(in ledger.Intent) (key string) {
	each(p.sim.State(), func(_ githubsim.PackageState, v githubsim.VersionState) {
		if v.ID == int64(in.VersionID) {
			key = v.Key
		}
	})
	return key
}

func TestLedgerThatCanNotBeReadAtADeletionIsNoticed(t *testing.T) {
	plant(t, func(p planted) {
		p.evidence.look = func() (ledger.Store, func(), error) { return nil, nil, sql.ErrConnDone }
		p.hand("DELETE", p.victim("web", anyKey))
	}, func(p planted) []string { return checkIntents(p.evidence.all()) })
}

func TestIntentThatCameAfterItsDeletionIsNoticed(t *testing.T) {
	plant(t, func(p planted) { p.evidence.effects[0].intent.Seq = p.evidence.effects[0].head.Seq + 1 },
		func(p planted) []string { return checkIntents(p.evidence.all()) })
}

func TestDeletionOfWhatNobodyAskedForIsNoticed(t *testing.T) {
	plant(t, func(p planted) { p.hand("DELETE", p.victim("web", anyKey)) }, func(p planted) []string { return checkAllowed(p.evidence.all(), p.doomed) })
}

func TestOverspentBudgetIsNoticed(t *testing.T) {
	budget := func(p planted) []string { return checkBudget(p.Context(), p.line.ledger(), p.evidence.all(), p.limits) }
	for name, spoil := range map[string]func(p planted){
		"of a run":         func(p planted) { p.limits.DeletesPerRun = len(p.doomed) - 1 },
		"of a day":         func(p planted) { p.limits.DeletesPerDay = len(p.doomed) - 1 },
		"more than spoken": func(p planted) { p.store.Tamper(t, owner, ledgertest.LowerCount, 1) },
	} {
		t.Run(name, func(t *testing.T) { plant(t, spoil, budget) })
	}
}

func TestIndexWithoutAChildIsNoticedEvenForAMoment(t *testing.T) {
	closed := func(p planted) []string { return checkClosed(p.evidence.start, p.evidence.all(), p.children) }
	plant(t, func(p planted) {
		path := p.victim("team/api", func(key string) bool { return key == p.keptChild() })
		p.hand("DELETE", path)
		p.hand("POST", path+"/restore")
	}, closed)
}

// keptChild is a child of an index that stays.
func (p planted) keptChild() string {
	for index, parts := range p.children {
		if !slices.Contains(p.doomed, index) {
			return parts[0]
		}
	}
	p.Fatalf("no index stays")
	return ""
}

func TestLedgerThatWasTouchedIsNoticed(t *testing.T) {
	chain := func(p planted) []string { return checkChain(p.Context(), p.line.ledger(), p.evidence.all()) }
	for _, wound := range ledgertest.Wounds() {
		t.Run(string(wound), func(t *testing.T) {
			plant(t, func(p planted) {
				p.finish(p.begin("1"), retention.OutcomeFailed, false) // has tags to edit, and is not done
				head, err := p.store.Head(p.Context(), owner)
				p.Must(err)
				seq := head.Seq - 1 // its intent
				if wound == ledgertest.CutTail {
					seq = head.Seq
				}
				p.store.Tamper(t, owner, wound, seq)
			}, chain)
		})
	}
	t.Run("written anew", func(t *testing.T) {
		plant(t, func(p planted) {
			p.evidence.effects[0].head.Seq, p.evidence.effects[len(p.evidence.effects)-1].head.Hash = 1, strings.Repeat("0", 64)
		}, chain)
	})
	t.Run("set back", func(t *testing.T) {
		plant(t, func(p planted) { p.evidence.effects[0].head.Seq = 1 << 40 }, chain)
	})
}

func TestLedgerThatDisagreesWithGitHubIsNoticed(t *testing.T) {
	agrees := func(p planted) []string {
		return checkAgrees(p.Context(), p.line.ledger(), p.sim.State(), p.evidence.all(), false)
	}
	for name, spoil := range map[string]func(p planted){
		"done, and it never happened": func(p planted) { p.evidence.effects = p.evidence.effects[1:] },
		"an intent without an outcome": func(p planted) {
			p.begin("1")
		},
		"an intent that is not there":   func(p planted) { p.evidence.effects[0].intent.ID = "elsewhere" },
		"failed, and it did take place": func(p planted) { p.finish(p.begin("1"), retention.OutcomeFailed, true) },
		"gone, and it is there":         func(p planted) { p.finish(p.begin("1"), retention.OutcomeGone, false) },
	} {
		t.Run(name, func(t *testing.T) { plant(t, spoil, agrees) })
	}
}

// begin writes an intent for a version that is there, in a run of its own.
func (p planted) begin(run string, change ...func(*ledger.Intent)) ledger.Intent {
	r := retention.Run{ID: run, Owner: owner, Kind: retention.RunApply, Mode: retention.Enforce, StartedAt: p.line.clock.Now()}
	_, err := p.line.ledger().Start(p.Context(), r)
	p.Must(err)
	in := ledger.Intent{Run: run, Owner: owner, PackageType: retention.Container, Package: "web", Action: retention.Delete, Target: retention.TargetVersion, Cost: 1}
	each(p.sim.State(), func(ps githubsim.PackageState, v githubsim.VersionState) {
		if ps.Name == "web" && v.State == retention.Active {
			in.VersionID, in.Version, in.Unit, in.Tags = retention.ID(v.ID), v.Name, retention.ID(v.ID), []string{"pr-7"}
		}
	})
	for _, f := range change {
		f(&in)
	}
	g, err := p.line.ledger().Begin(p.Context(), r, p.limits, []ledger.Intent{in})
	p.Must(err)
	return g.New[0]
}

// finish gives it an outcome, with or without the deletion itself.
func (p planted) finish(in ledger.Intent, o retention.Outcome, deleting bool) {
	if deleting {
		p.hand("DELETE", fmt.Sprintf("/orgs/acme/packages/container/web/versions/%s", in.VersionID))
	}
	p.Must(p.line.ledger().Finish(p.Context(), in, ledger.Result{Outcome: o}))
}

func TestOtherEndIsNoticed(t *testing.T) {
	plant(t, func(p planted) { p.hand("DELETE", p.victim("web", anyKey)) },
		func(p planted) []string { return checkFinal(p.evidence.start, p.sim.State(), p.doomed) })
}

func TestChangeBehindASecondRunAndIncompleteUndoAreNoticed(t *testing.T) {
	var before githubsim.State
	for name, spoil := range map[string]func(p planted){
		"one is gone": func(p planted) { p.hand("DELETE", p.victim("web", anyKey)) },
		"a tag moved": func(p planted) {
			_, err := p.sim.Publish(p.Context(), githubsim.Publication{Owner: owner, Type: retention.Container, Package: "web",
				Versions: []githubsim.Version{{Key: "w3", Tags: []string{"moved"}}}})
			p.Must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			plant(t, spoil, func(p planted) []string {
				if len(before.Owners) == 0 {
					before = p.sim.State()
				}
				return checkSame(before, p.sim.State())
			})
			before = githubsim.State{}
		})
	}
}

// TestStateFileWithAHoleIsNoticed plays the kill campaign's own checks on a
// state file from which a record was cut out.
func TestStateFileWithAHoleIsNoticed(t *testing.T) {
	res := Run(t.Context(), Campaign{Cases: 1, First: 1, Play: func(c *Case) {
		w := newWorld(c, draw(3), roomy())
		db, err := sqlite.Open(w.path("state/shelflife.db"))
		w.Must(err)
		l := w.newLine(db)
		plan, err := l.plan()
		w.Must(err)
		_, err = l.apply(w.Context(), plan)
		w.Must(err)
		w.Must(db.Close())
		w.check("honest", false)
		if len(c.found) > 0 {
			return
		}
		raw, err := sql.Open("sqlite", w.path("state/shelflife.db"))
		w.Must(err)
		_, err = raw.ExecContext(w.Context(), `DROP TRIGGER ledger_records_no_delete; DELETE FROM ledger_records WHERE seq = 3`)
		w.Must(err)
		w.Must(raw.Close())
		w.check("spoilt", false)
	}})
	if res.Failures != 1 || !strings.Contains(strings.Join(res.Failed[0].Found, "\n"), "spoilt: ") {
		t.Errorf("%+v", res)
	}
}
