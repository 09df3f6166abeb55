package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

// model is the ledger of one owner in the plainest form that can be thought of.
type model struct {
	runs    map[string]bool // started; true when finished
	actions []*modelAction  // in the order in which they began
	day     map[string]int
	run     map[string]int
	ended   int // how many outcomes were recorded
}

type modelAction struct {
	run     string
	version retention.ID
	action  retention.Action
	outcome retention.Outcome
	ended   int // place among the outcomes
}

func (m *model) find(run string, version retention.ID, action retention.Action) *modelAction {
	for _, a := range m.actions {
		if a.run == run && a.version == version && a.action == action {
			return a
		}
	}
	return nil
}

// testModel does random things to a ledger and to the model side by side, on an
// owner of its own for each case.
func testModel(t *testing.T, in Instance) {
	c := newClock()
	cases := 0
	handles := []*ledger.Ledger{ledger.New(in.Store, c.Now), ledger.New(in.Another(t), c.Now)}
	rapid.Check(t, func(rt *rapid.T) {
		cases++
		m := &machine{
			t: t, clock: c, handles: handles, owner: fmt.Sprintf("owner-%d", cases),
			limits: retention.Limits{DeletesPerRun: rapid.IntRange(0, 6).Draw(rt, "per run"), DeletesPerDay: rapid.IntRange(0, 9).Draw(rt, "per day")},
			model:  model{runs: map[string]bool{}, day: map[string]int{}, run: map[string]int{}},
		}
		rt.Repeat(map[string]func(*rapid.T){"start": m.start, "begin": m.begin, "finish": m.finish, "close": m.close, "wait": m.wait, "": m.check})
	})
}

type machine struct {
	t       *testing.T
	clock   *testclock.Clock
	handles []*ledger.Ledger
	owner   string
	limits  retention.Limits
	model   model
}

func (m *machine) ledger(rt *rapid.T) *ledger.Ledger {
	return rapid.SampledFrom(m.handles).Draw(rt, "handle")
}

func (m *machine) someRun(rt *rapid.T) retention.Run {
	return aRun(m.owner, rapid.SampledFrom([]string{"r1", "r2", "r3"}).Draw(rt, "run"))
}

func (m *machine) wait(rt *rapid.T) {
	m.clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(rt, "hours")) * time.Hour)
}

func (m *machine) start(rt *rapid.T) {
	run := m.someRun(rt)
	resumed, err := m.ledger(rt).Start(m.t.Context(), run)
	finished, started := m.model.runs[run.ID]
	switch {
	case finished:
		if !errors.Is(err, ledger.ErrFinished) {
			rt.Fatalf("start of a finished run: %v", err)
		}
	case err != nil || resumed != started:
		rt.Fatalf("start: resumed %v, want %v; %v", resumed, started, err)
	default:
		m.model.runs[run.ID] = false
	}
}

func (m *machine) begin(rt *rapid.T) {
	run := m.someRun(rt)
	versions := rapid.SliceOfNDistinct(rapid.IntRange(1, 6), 1, 3, rapid.ID).Draw(rt, "versions")
	action := rapid.SampledFrom([]retention.Action{retention.Delete, retention.Restore}).Draw(rt, "action")
	var intents []ledger.Intent
	var fresh []retention.ID
	cost := 0
	for _, v := range versions {
		id := retention.ID(v)
		intent := deletion(run, id)
		intent.Action, intent.Cost = action, rapid.IntRange(1, 2).Draw(rt, "cost")
		intents = append(intents, intent)
		if m.model.find(run.ID, id, action) == nil {
			fresh = append(fresh, id)
			if action == retention.Delete {
				cost += intent.Cost
			}
		}
	}
	g, err := m.ledger(rt).Begin(m.t.Context(), run, m.limits, intents)
	m.granted(rt, run.ID, action, fresh, cost, g, err, len(intents))
}

// granted holds what Begin answered against what the model would.
func (m *machine) granted(rt *rapid.T, run string, action retention.Action, fresh []retention.ID, cost int, g ledger.Grant, err error, asked int) {
	day := m.clock.Now().Format(time.DateOnly)
	finished, started := m.model.runs[run]
	var budget *ledger.BudgetError
	switch {
	case !started || finished:
		if !errors.Is(err, ledger.ErrNotStarted) && !errors.Is(err, ledger.ErrFinished) {
			rt.Fatalf("begin in a run that does not run: %v", err)
		}
	case cost > 0 && (m.model.run[run]+cost > m.limits.DeletesPerRun || m.model.day[day]+cost > m.limits.DeletesPerDay):
		if !errors.As(err, &budget) || budget.Asked != cost {
			rt.Fatalf("begin beyond the budget by %d: %v", cost, err)
		}
	case err != nil:
		rt.Fatalf("begin: %v", err)
	default:
		var got []retention.ID
		for _, in := range g.New {
			got = append(got, in.VersionID)
		}
		if diff := cmp.Diff(fresh, got); diff != "" || len(g.Existing) != asked-len(fresh) {
			rt.Fatalf("begin: %d existing of %d; new (-want +got)\n%s", len(g.Existing), asked, diff)
		}
		for _, v := range fresh {
			m.model.actions = append(m.model.actions, &modelAction{run: run, version: v, action: action})
		}
		m.model.run[run] += cost
		m.model.day[day] += cost
	}
}

func (m *machine) finish(rt *rapid.T) {
	if len(m.model.actions) == 0 {
		rt.Skip("nothing was begun")
	}
	a := rapid.SampledFrom(m.model.actions).Draw(rt, "action")
	outcome := rapid.SampledFrom([]retention.Outcome{"done", "gone", "blocked", "changed", "failed", "unknown"}).Draw(rt, "outcome")
	intent := deletion(aRun(m.owner, a.run), a.version)
	intent.Action = a.action
	intent.ID = ledger.IntentID(intent)
	err := m.ledger(rt).Finish(m.t.Context(), intent, ledger.Result{Outcome: outcome})
	foundOut := a.outcome == retention.OutcomeUnknown && slices.Contains([]retention.Outcome{"done", "gone", "failed"}, outcome)
	switch {
	case a.outcome == outcome:
		if err != nil {
			rt.Fatalf("%s again: %v", outcome, err)
		}
	case a.outcome == "" || foundOut:
		if err != nil {
			rt.Fatalf("%s after %q: %v", outcome, a.outcome, err)
		}
		m.model.ended++
		a.outcome, a.ended = outcome, m.model.ended
	case !errors.Is(err, ledger.ErrFinal):
		rt.Fatalf("%s after %s: %v", outcome, a.outcome, err)
	}
}

func (m *machine) close(rt *rapid.T) {
	run := m.someRun(rt)
	err := m.ledger(rt).Close(m.t.Context(), run, nil)
	finished, started := m.model.runs[run.ID]
	open := slices.ContainsFunc(m.model.actions, func(a *modelAction) bool { return a.run == run.ID && a.outcome == "" })
	want := map[bool]error{true: ledger.ErrOpenIntents}[open]
	if !started {
		want = ledger.ErrNotStarted
	} else if finished {
		want = nil
	}
	if !errors.Is(err, want) {
		rt.Fatalf("close: %v, want %v", err, want)
	}
	if want == nil {
		m.model.runs[run.ID] = true
	}
}

// check compares everything that can be asked, after every third step or so.
func (m *machine) check(rt *rapid.T) {
	if rapid.IntRange(0, 2).Draw(rt, "look when 0") != 0 {
		return
	}
	l := m.ledger(rt)
	ctx := m.t.Context()
	if _, err := l.Verify(ctx, m.owner); err != nil {
		rt.Fatal(err)
	}
	var open []string
	ended := slices.Clone(m.model.actions)
	for _, a := range m.model.actions {
		if a.outcome == "" {
			open = append(open, a.version.String())
		}
	}
	got, err := l.Open(ctx, m.owner)
	if diff := cmp.Diff(open, versionsOf(got)); err != nil || diff != "" {
		rt.Fatalf("open: %v (-want +got)\n%s", err, diff)
	}
	for run := range m.model.runs {
		used, err := l.Used(ctx, m.owner, run)
		want := ledger.Used{Run: m.model.run[run], Day: m.model.day[m.clock.Now().Format(time.DateOnly)]}
		if err != nil || used != want || used.Run > m.limits.DeletesPerRun || used.Day > m.limits.DeletesPerDay {
			rt.Fatalf("used: %+v, %v; want %+v", used, err, want)
		}
	}
	slices.SortFunc(ended, func(a, b *modelAction) int { return a.ended - b.ended })
	deleted, refused := map[retention.ID]retention.DeletedBy{}, map[retention.ID]retention.Action{}
	for _, a := range ended {
		switch {
		case a.action == retention.Delete && (a.outcome == "done" || a.outcome == "unknown"):
			deleted[a.version] = retention.DeletedBy{Run: a.run, Policy: "expire_pull_requests"}
		case a.action == retention.Restore && a.outcome == "done":
			delete(deleted, a.version)
		}
		switch a.outcome {
		case retention.OutcomeBlocked:
			refused[a.version] = a.action
		case retention.OutcomeDone:
			delete(refused, a.version)
		}
	}
	m.compareViews(rt, l, deleted, refused)
}

func (m *machine) compareViews(rt *rapid.T, l *ledger.Ledger, deleted map[retention.ID]retention.DeletedBy, refused map[retention.ID]retention.Action) {
	gotDeleted, err := l.DeletedBy(m.t.Context(), apiPackage(m.owner))
	if diff := cmp.Diff(deleted, gotDeleted); err != nil || diff != "" {
		rt.Fatalf("deleted by: %v (-want +got)\n%s", err, diff)
	}
	got, err := l.Refusals(m.t.Context(), apiPackage(m.owner), time.Time{})
	gotRefused := map[retention.ID]retention.Action{}
	for id, a := range got {
		gotRefused[id] = a.Action
	}
	if diff := cmp.Diff(refused, gotRefused); err != nil || diff != "" {
		rt.Fatalf("refusals: %v (-want +got)\n%s", err, diff)
	}
}
