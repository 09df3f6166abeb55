package dashboard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestWhatCanStillBeUndone(t *testing.T) {
	day := 24 * time.Hour
	w := newWorld(t)
	start := w.at
	unknown := func(a ledger.Action, o retention.Outcome) ledger.Action {
		a.Outcome, a.FinishedAt = o, time.Time{}
		return a
	}
	for name, tc := range map[string]struct {
		given func()
		want  []Undoable
	}{
		"nothing": {func() {}, []Undoable{}},
		"the most urgent first": {func() {
			w.addRun("old", "apply", start.Add(-28*day), w.action("old", 1, retention.Delete, start.Add(-28*day)))
			w.addRun("new", "apply", start.Add(-2*day), w.action("new", 2, retention.Delete, start.Add(-2*day)), w.action("new", 3, retention.Delete, start.Add(-day)))
		}, []Undoable{{"old", "acme", 1, start.Add(2 * day)}, {"new", "acme", 2, start.Add(28 * day)}}},
		"too late": {func() {
			w.addRun("old", "apply", start.Add(-31*day), w.action("old", 1, retention.Delete, start.Add(-31*day)))
		}, []Undoable{}},
		"undone, in part": {func() {
			w.addRun("R", "apply", start.Add(-3*day), w.action("R", 1, retention.Delete, start.Add(-3*day)), w.action("R", 2, retention.Delete, start.Add(-3*day)))
			w.addRun("U", "undo", start.Add(-2*day), w.action("U", 1, retention.Restore, start.Add(-2*day)))
		}, []Undoable{{"R", "acme", 1, start.Add(27 * day)}}},
		"deleted again": {func() {
			w.addRun("R", "apply", start.Add(-3*day), w.action("R", 1, retention.Delete, start.Add(-3*day)))
			w.addRun("U", "undo", start.Add(-2*day), w.action("U", 1, retention.Restore, start.Add(-2*day)))
			w.addRun("S", "apply", start.Add(-day), w.action("S", 1, retention.Delete, start.Add(-day)))
		}, []Undoable{{"S", "acme", 1, start.Add(29 * day)}}},
		"perhaps deleted counts, refused does not": {func() {
			w.addRun("R", "apply", start.Add(-day), unknown(w.action("R", 1, retention.Delete, start.Add(-day)), retention.OutcomeUnknown),
				unknown(w.action("R", 2, retention.Delete, start.Add(-day)), ""), unknown(w.action("R", 3, retention.Delete, start.Add(-day)), retention.OutcomeBlocked))
			w.runs[0].FinishedAt = time.Time{}
		}, []Undoable{{"R", "acme", 2, start.Add(29 * day)}}},
	} {
		w.runs, w.actions = nil, map[string][]ledger.Action{}
		tc.given()
		win := newWindow(w, w.now)
		for range 2 { // the second time from memory, where a run has ended
			got, err := win.open(t.Context())
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
			}
		}
	}
}

func TestFinishedRunsAreReadOnce(t *testing.T) {
	w := newWorld(t)
	w.addRun("open", "apply", w.at, w.action("open", 9, retention.Delete, w.at))
	w.runs[0].FinishedAt = time.Time{}
	win := newWindow(w, w.now)
	if _, err := win.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, kept := win.runs["R1"]; !kept {
		t.Error("a finished run is read again")
	}
	if _, kept := win.runs["open"]; kept {
		t.Error("a run that goes on is not read again")
	}
}
