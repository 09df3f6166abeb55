package dashboard

import (
	"net/http"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// itemsShown is how many items the page of a run lists; the report has all.
const itemsShown = 200

func (d *Dashboard) runs(w http.ResponseWriter, r *http.Request, s session) {
	runs, err := d.cfg.Ledger.Runs(r.Context(), r.URL.Query().Get("owner"), 200)
	if err != nil {
		d.broken(w, r, s, "read the runs", err)
		return
	}
	d.showTo(w, r, s, http.StatusOK, "runs", struct {
		Owner string
		Runs  []runLine
	}{r.URL.Query().Get("owner"), runLines(runs)})
}

type runData struct {
	Run     runLine
	Items   []retention.Item
	More    int
	Deleted int // that an undo would look at
	Note    string
}

func (d *Dashboard) run(w http.ResponseWriter, r *http.Request, s session) {
	v, ok := d.report(w, r, s)
	if !ok {
		return
	}
	data := runData{Run: runLines([]retention.Run{v.Run})[0], Items: v.Items}
	for _, it := range v.Items {
		if it.Action == retention.Delete && slices.Contains([]retention.Outcome{retention.OutcomeDone, retention.OutcomeUnknown, ""}, it.Outcome) {
			data.Deleted++
		}
	}
	if len(data.Items) > itemsShown {
		data.More = len(data.Items) - itemsShown
		data.Items = data.Items[:itemsShown]
	}
	d.showTo(w, r, s, http.StatusOK, "run", data)
}

// runReport is the report of a run: the same page as shelflife show --format html.
func (d *Dashboard) runReport(w http.ResponseWriter, r *http.Request, s session) {
	v, ok := d.report(w, r, s)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", report.HTMLPolicy(v))
	if err := report.HTML(w, v, report.Options{Home: Prefix}); err != nil {
		d.cfg.Log.WarnContext(r.Context(), "dashboard: the report was not sent whole", "run", v.Run.ID, "error", err.Error())
	}
}

// report reads the run that the address names, or answers that there is none.
func (d *Dashboard) report(w http.ResponseWriter, r *http.Request, s session) (report.Run, bool) {
	v, ok, err := d.cfg.Reports.RunReport(r.Context(), r.PathValue("run"))
	if err != nil {
		d.broken(w, r, s, "read the run", err)
		return v, false
	}
	if !ok {
		if u, known := d.undos.find(r.PathValue("run")); known && u.State != undoPlanned {
			http.Redirect(w, r, Prefix+"undo/"+u.Plan.ID(), http.StatusSeeOther)
			return v, false
		}
		d.fail(w, r, s, http.StatusNotFound, "The ledger holds no such run.")
	}
	return v, ok
}
