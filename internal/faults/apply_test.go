package faults

import (
	"context"
	"errors"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
)

func (w *world) planned(ts *tables, table string) guard.Plan {
	p, err := w.newLine(ts.open(table, nil)).plan()
	w.Must(err)
	return p
}

// applyFused applies a plan with a worker that lives as long as its fuse.
func (w *world) applyFused(ts *tables, table string, f *fuse, p guard.Plan) {
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	f.dead = cancel
	l := w.newLine(ts.open(table, f))
	l.transport = fusedTransport{l.transport, f}
	res, err := l.apply(ctx, p)
	if f.blown() {
		return // whatever it said, it said to nobody
	}
	if errors.Is(err, enforce.ErrApplied) {
		return
	}
	w.Must(err)
	w.Must(res.StoppedBy)
}

// quietAgain demands that another plan finds nothing to do.
func (w *world) quietAgain(l *line) {
	before, writes := w.sim.State(), w.sim.CallCounts().Mutating
	p, err := l.plan()
	w.Must(err)
	if s := p.Summary(); s.Delete+s.Restore > 0 {
		w.Errorf("a second plan still deletes %d and restores %d", s.Delete, s.Restore)
	}
	_, err = l.apply(w.Context(), p)
	w.Must(err)
	if n := w.sim.CallCounts().Mutating - writes; n != 0 {
		w.Errorf("a second run makes %d writing calls", n)
	}
	w.Found("a second run", checkSame(before, w.sim.State()))
}

// undone undoes every run in this process.
func (w *world) undone(l *line) {
	w.undoEach(func(run string) {
		p, err := l.enforcer().PlanUndo(w.Context(), run, []enforce.Target{l.target()})
		w.Must(err)
		res, err := l.enforcer().Apply(w.Context(), enforce.ApplyRequest{Plan: p, Targets: []enforce.Target{l.target()}, Bundle: p.Bundle()})
		w.Must(err)
		w.Must(res.StoppedBy)
	})
	w.check("after the undo", false)
}

// on is a world whose ledger is a store in this process.
func (w *world) on(store ledger.Store) *world {
	w.evidence.look = func() (ledger.Store, func(), error) { return store, func() {}, nil }
	return w
}
