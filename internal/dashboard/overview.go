package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// runsShown is how many runs the first page lists.
const runsShown = 8

type overviewData struct {
	Paused   bool
	Reason   string
	Owners   []ownerLine
	Runs     []runLine
	Window   []windowLine
	Buckets  []bucket
	Policies PolicySet
	Now      time.Time
}

// ownerLine is an owner with what is spent of its day.
type ownerLine struct {
	Owner
	Used    int
	Percent int  // of the day's budget, 100 at most
	Waits   bool // GitHub asks to wait
}

type windowLine struct {
	Undoable
	Days   int
	Urgent bool
}

// bucket counts what becomes irreversible within some days.
type bucket struct {
	Name  string
	Count int
	Tone  string
}

func (d *Dashboard) overview(w http.ResponseWriter, r *http.Request, s session) {
	ctx, now := r.Context(), d.cfg.Now()
	data := overviewData{Policies: d.cfg.Policies(), Now: now}
	data.Paused, data.Reason = d.cfg.Pause.Paused(ctx)
	owners, err := d.cfg.Owners.Owners(ctx)
	if err != nil {
		d.broken(w, r, s, "read the owners", err)
		return
	}
	for _, o := range owners {
		used, err := d.cfg.Ledger.Used(ctx, o.Login, "")
		if err != nil {
			d.broken(w, r, s, "read the budget", err)
			return
		}
		line := ownerLine{Owner: o, Used: used.Day, Waits: o.Until.After(now), Percent: 100}
		if o.PerDay > 0 {
			line.Percent = min(100, (100*used.Day+o.PerDay-1)/o.PerDay) // up: a little is not nothing
		}
		data.Owners = append(data.Owners, line)
	}
	runs, err := d.cfg.Ledger.Runs(ctx, "", runsShown)
	if err != nil {
		d.broken(w, r, s, "read the runs", err)
		return
	}
	data.Runs = runLines(runs)
	open, err := d.window.open(ctx)
	if err != nil {
		d.broken(w, r, s, "read what can be undone", err)
		return
	}
	data.Window, data.Buckets = windowLines(open, now)
	d.showTo(w, r, s, http.StatusOK, "overview", data)
}

// windowLines lists what can be undone, the most urgent first.
func windowLines(open []Undoable, now time.Time) ([]windowLine, []bucket) {
	buckets := []bucket{{"within 3 days", 0, "bad"}, {"in 4 to 7 days", 0, "doubt"}, {"in 8 to 30 days", 0, ""}}
	var out []windowLine
	for _, u := range open {
		days := u.DaysLeft(now)
		i := 2
		switch {
		case days < 3:
			i = 0
		case days < 7:
			i = 1
		}
		buckets[i].Count += u.Count
		out = append(out, windowLine{u, days, i == 0})
	}
	for i := range buckets {
		if buckets[i].Count == 0 {
			buckets[i].Tone = ""
		}
	}
	return out, buckets
}

// runLine is a run in a list.
type runLine struct {
	retention.Run
	Outcome string
	Tone    string
}

func runLines(runs []retention.Run) []runLine {
	out := make([]runLine, len(runs))
	for i, r := range runs {
		out[i] = runLine{Run: r, Outcome: "not finished", Tone: "doubt"}
		if !r.FinishedAt.IsZero() {
			out[i].Outcome, out[i].Tone = outcomeText(r.Outcomes)
		}
	}
	return out
}

// outcomeText counts out how a run's items ended, and says how that is to be seen.
func outcomeText(counts map[retention.Outcome]int) (text, tone string) {
	var parts []string
	for _, o := range []retention.Outcome{retention.OutcomeDone, retention.OutcomeGone, retention.OutcomeBlocked,
		retention.OutcomeChanged, retention.OutcomeFailed, retention.OutcomeUnknown} {
		if counts[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[o], o))
		}
	}
	switch {
	case len(parts) == 0:
		return "nothing done", ""
	case counts[retention.OutcomeFailed]+counts[retention.OutcomeUnknown] > 0:
		tone = "bad"
	case counts[retention.OutcomeBlocked]+counts[retention.OutcomeChanged] > 0:
		tone = "doubt"
	default:
		tone = "good"
	}
	return strings.Join(parts, ", "), tone
}

func (d *Dashboard) pause(w http.ResponseWriter, r *http.Request, s session) {
	reason := strings.Join(strings.Fields(r.PostFormValue("reason")), " ")
	if len(reason) > 150 {
		reason = strings.ToValidUTF8(reason[:150], "")
	}
	if reason == "" {
		reason = "paused from the dashboard"
	}
	if err := d.cfg.Pause.Pause(r.Context(), reason); err != nil {
		d.broken(w, r, s, "pause", err)
		return
	}
	d.cfg.Log.InfoContext(r.Context(), "dashboard: paused", "reason", reason)
	http.Redirect(w, r, Prefix, http.StatusSeeOther)
}

func (d *Dashboard) resume(w http.ResponseWriter, r *http.Request, s session) {
	if err := d.cfg.Pause.Resume(r.Context()); err != nil {
		d.broken(w, r, s, "resume", err)
		return
	}
	d.cfg.Log.InfoContext(r.Context(), "dashboard: resumed")
	http.Redirect(w, r, Prefix, http.StatusSeeOther)
}
