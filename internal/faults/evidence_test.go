package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// glimpse opens the ledger for a look from outside, as it is at this moment.
type glimpse func() (store ledger.Store, done func(), err error)

// evidence is what an impartial observer writes down: the simulated GitHub's
// state at the start, each change of it, and what the ledger held in the instant
// of the change.
type evidence struct {
	look glimpse

	mu      sync.Mutex
	start   githubsim.State
	effects []effect
}

// effect is a change on GitHub with the ledger as it was at that instant.
type effect struct {
	githubsim.Effect
	head   ledger.Head
	intent ledger.Action // the open intent for it, the oldest where several workers want the same
	open   bool          // there is one
	err    error         // of looking
}

func (e effect) name() string { return e.Package + " " + e.Key }

// observe is told by the simulator of each change in its instant.
func (ev *evidence) observe(what githubsim.Effect) {
	e := effect{Effect: what}
	e.err = ev.atInstant(&e)
	ev.mu.Lock()
	defer ev.mu.Unlock()
	ev.effects = append(ev.effects, e)
}

func (ev *evidence) atInstant(e *effect) error {
	store, done, err := ev.look()
	if err != nil {
		return err
	}
	defer done()
	ctx := context.Background()
	if e.head, err = store.Head(ctx, ledger.OwnerKey(e.Owner)); err != nil {
		return err
	}
	open, err := store.OpenActions(ctx, ledger.OwnerKey(e.Owner))
	if err != nil {
		return err
	}
	for _, a := range open {
		if !announces(a.Intent, e.Effect) {
			continue
		}
		if !e.open || a.Seq < e.intent.Seq {
			e.intent, e.open = a, true
		}
	}
	return nil
}

// announces reports whether the intent, of the same owner, is for this very change
// and no other.
func announces(in ledger.Intent, e githubsim.Effect) bool {
	return in.Action == e.Action && in.PackageType == e.Type && in.Package == e.Package && int64(in.VersionID) == e.VersionID
}

// all returns what was seen so far.
func (ev *evidence) all() []effect {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	return slices.Clone(ev.effects)
}

// deletions are the effects that deleted.
func deletions(effects []effect) []effect {
	return slices.DeleteFunc(slices.Clone(effects), func(e effect) bool { return e.Action != retention.Delete })
}

// lines are a state as text, one version a line: what is there and what not.
func lines(st githubsim.State) []string {
	var out []string
	for _, o := range st.Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				state := v.State
				if p.State == retention.Deleted {
					state = p.State
				}
				out = append(out, fmt.Sprintf("%s %s %s %s [%s]", o.Login, p.Name, v.Key, state, strings.Join(v.Tags, " ")))
			}
		}
	}
	slices.Sort(out)
	return out
}

// gone lists, as "package key", what was there in one state and is deleted in
// the other.
func gone(was, is githubsim.State) []string {
	now := map[string]bool{}
	each(is, func(p githubsim.PackageState, v githubsim.VersionState) {
		now[fmt.Sprint(p.ID, " ", v.ID)] = p.State == retention.Active && v.State == retention.Active
	})
	out := []string{}
	each(was, func(p githubsim.PackageState, v githubsim.VersionState) {
		if p.State == retention.Active && v.State == retention.Active && !now[fmt.Sprint(p.ID, " ", v.ID)] {
			out = append(out, p.Name+" "+v.Key)
		}
	})
	slices.Sort(out)
	return out
}

func each(st githubsim.State, f func(githubsim.PackageState, githubsim.VersionState)) {
	for _, o := range st.Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				f(p, v)
			}
		}
	}
}

// packageOf is the package of a "package key".
func packageOf(name string) string {
	pkg, _, _ := strings.Cut(name, " ")
	return pkg
}

// clockSlack: times in the simulator are its clock's, times in the ledger the
// writer's, both of this machine.
const clockSlack = time.Second
