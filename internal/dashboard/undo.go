package dashboard

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// undoLife is how long a plan to undo waits for its confirmation, and how long
// its end is shown.
const undoLife = 30 * time.Minute

// maxUndos bounds how many plans are kept.
const maxUndos = 50

// undoState says where an undo stands.
type undoState string

const (
	undoPlanned undoState = "planned" // waits for its confirmation
	undoWorking undoState = "working"
	undoEnded   undoState = "ended" // the ledger has what came of it
	undoFailed  undoState = "failed"
)

// undo is one plan to undo a run.
type undo struct {
	Plan  guard.Plan
	State undoState
	Error string
	at    time.Time
}

// undos keeps the plans that wait or work, by their id. They end with the
// process; what was begun is in the ledger.
type undos struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]undo
}

func newUndos(now func() time.Time) *undos { return &undos{now: now, by: map[string]undo{}} }

func (u *undos) find(id string) (undo, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one, ok := u.by[id]
	if ok && one.State != undoWorking && u.now().Sub(one.at) > undoLife {
		delete(u.by, id)
		return undo{}, false
	}
	return one, ok
}

// keep takes a new plan. It is refused when too many wait.
func (u *undos) keep(p guard.Plan) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, one := range u.by {
		if one.State != undoWorking && u.now().Sub(one.at) > undoLife {
			delete(u.by, id)
		}
	}
	if len(u.by) >= maxUndos {
		return false
	}
	u.by[p.ID()] = undo{Plan: p, State: undoPlanned, at: u.now()}
	return true
}

// begin takes a plan that waits, once.
func (u *undos) begin(id string) (guard.Plan, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one, ok := u.by[id]
	if !ok || one.State != undoPlanned || u.now().Sub(one.at) > undoLife {
		return guard.Plan{}, false
	}
	one.State, one.at = undoWorking, u.now()
	u.by[id] = one
	return one.Plan, true
}

func (u *undos) end(id string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.by[id]
	one.State, one.at = undoEnded, u.now()
	if err != nil {
		one.State, one.Error = undoFailed, err.Error()
	}
	u.by[id] = one
}

// planUndo makes the plan that the confirmation shows. It reads from GitHub and
// writes nothing.
func (d *Dashboard) planUndo(w http.ResponseWriter, r *http.Request, s session) {
	run := r.PathValue("run")
	_, ok, err := d.cfg.Reports.RunReport(r.Context(), run)
	switch {
	case err != nil:
		d.broken(w, r, s, "read the run", err)
		return
	case !ok:
		d.fail(w, r, s, http.StatusNotFound, "The ledger holds no such run.")
		return
	}
	plan, err := d.cfg.Undo.PlanUndo(r.Context(), run)
	if err != nil {
		d.broken(w, r, s, "plan the undo", err)
		return
	}
	if !d.undos.keep(plan) {
		d.fail(w, r, s, http.StatusServiceUnavailable, "Too many undos wait for their confirmation. Confirm one of them, or wait half an hour.")
		return
	}
	http.Redirect(w, r, Prefix+"undo/"+plan.ID(), http.StatusSeeOther)
}

type undoData struct {
	undo
	Back  []retention.Item // that come back
	Lost  []retention.Item // that can't, with the reason
	There []retention.Item // that somebody brought back already
	More  int
	Total int
}

func (d *Dashboard) undoPage(w http.ResponseWriter, r *http.Request, s session) {
	one, ok := d.undos.find(r.PathValue("plan"))
	if !ok {
		d.fail(w, r, s, http.StatusNotFound, "There is no such plan to undo any more. Open the run and ask for the undo again.")
		return
	}
	data := undoData{undo: one}
	for _, it := range one.Plan.Items() {
		switch it.Status {
		case retention.StatusPlanned:
			data.Back = append(data.Back, it)
		case retention.StatusKept:
			data.There = append(data.There, it)
		default:
			data.Lost = append(data.Lost, it)
		}
	}
	data.Total = len(data.Back)
	if len(data.Back) > itemsShown {
		data.More = len(data.Back) - itemsShown
		data.Back = data.Back[:itemsShown]
	}
	if one.State == undoWorking {
		w.Header().Set("Refresh", "5")
	}
	d.showTo(w, r, s, http.StatusOK, "undo", data)
}

// carryOut does the plan that was shown, and only when it was confirmed.
func (d *Dashboard) carryOut(w http.ResponseWriter, r *http.Request, s session) {
	id := r.PathValue("plan")
	if r.PostFormValue("confirm") != "yes" {
		d.fail(w, r, s, http.StatusBadRequest, "The undo was not confirmed, and nothing was done. Go back and set the tick.")
		return
	}
	plan, ok := d.undos.begin(id)
	if !ok {
		// Sent twice, or too late: the page says where it stands.
		http.Redirect(w, r, Prefix+"undo/"+id, http.StatusSeeOther)
		return
	}
	d.cfg.Log.InfoContext(r.Context(), "dashboard: an undo begins", "run", plan.Undoes(), "undo", plan.ID(), "items", plan.Summary().Restore)
	d.cfg.Go(func(ctx context.Context) {
		err := d.cfg.Undo.Undo(ctx, plan)
		if err != nil {
			d.cfg.Log.ErrorContext(ctx, "dashboard: the undo did not go through", "run", plan.Undoes(), "undo", plan.ID(), "error", err.Error())
		}
		d.undos.end(plan.ID(), err)
		d.cfg.Log.InfoContext(ctx, "dashboard: the undo has ended", "run", plan.Undoes(), "undo", plan.ID())
	})
	http.Redirect(w, r, Prefix+"undo/"+plan.ID(), http.StatusSeeOther)
}
