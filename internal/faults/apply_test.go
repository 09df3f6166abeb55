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
	before := w.glance()
	p, err := l.plan()
	w.Must(err)
	w.Found("a second plan", checkIdle(p.Summary()))
	res, err := l.apply(w.Context(), p)
	w.Must(err)
	w.Must(res.StoppedBy)
	w.Found("a second run", checkQuiet(before, w.glance()))
	w.check("after a second run", false)
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
