package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Run shows what came of carrying out a plan on one owner.
type Run struct {
	Run       retention.Run
	Items     []retention.Item // with their outcomes
	Problems  []retention.Problem
	Resumed   bool   // an interrupted run was taken up again
	StoppedBy string // why the rest was left, and the next step; "" when nothing was
}

// outcomes returns all outcomes in the order in which they are counted out.
func outcomes() []retention.Outcome {
	return []retention.Outcome{retention.OutcomeDone, retention.OutcomeGone, retention.OutcomeBlocked,
		retention.OutcomeChanged, retention.OutcomeFailed, retention.OutcomeUnknown}
}

func (r Run) value() any {
	doc := struct {
		Schema    string              `json:"schema"`
		Run       retention.Run       `json:"run"`
		Resumed   bool                `json:"resumed"`
		StoppedBy string              `json:"stopped_by,omitempty"`
		Items     []retention.Item    `json:"items"`
		Problems  []retention.Problem `json:"problems"`
	}{"shelflife.run/v1", r.Run, r.Resumed, r.StoppedBy, []retention.Item{}, list(r.Problems)}
	return long{doc, "items", r.Items}
}

func (r Run) document() document {
	d := document{
		title:   "Run",
		subject: r.Run.ID,
		tables:  itemTables(r.Items, r.Run.StartedAt),
		empty:   "Nothing was to be done.",
		notes:   problemNotes(r.Problems),
		summary: runSummary(r.Items),
	}
	d.fact("owner", r.Run.Owner)
	d.fact("kind", string(r.Run.Kind))
	d.fact("undoes", r.Run.Undoes)
	d.fact("mode", r.Run.Mode.String())
	d.fact("started by", strings.TrimSpace(string(r.Run.Trigger.Kind)+" "+r.Run.Actor))
	d.fact("started at", stamp(r.Run.StartedAt))
	d.fact("finished at", stamp(r.Run.FinishedAt))
	if r.Resumed {
		d.fact("resumed", "an interrupted run was taken up again")
	}
	if r.StoppedBy != "" {
		d.notes = append(d.notes, "stopped: "+r.StoppedBy)
	}
	return d
}

// runSummary counts out how the items ended. An item without an outcome was not begun.
func runSummary(items []retention.Item) string {
	counts, left := map[retention.Outcome]int{}, 0
	for _, it := range items {
		if it.Outcome == "" {
			left++
		} else {
			counts[it.Outcome]++
		}
	}
	s := countOutcomes(counts)
	if left > 0 {
		s += fmt.Sprintf(", %d not begun", left)
	}
	return s
}

func countOutcomes(counts map[retention.Outcome]int) string {
	s := fmt.Sprintf("%d done", counts[retention.OutcomeDone])
	for _, o := range outcomes()[1:] {
		if counts[o] > 0 {
			s += fmt.Sprintf(", %d %s", counts[o], o)
		}
	}
	return s
}

// Runs lists runs, in the order in which they come.
type Runs []retention.Run

func (rs Runs) value() any {
	return struct {
		Schema string          `json:"schema"`
		Runs   []retention.Run `json:"runs"`
	}{"shelflife.runs/v1", list([]retention.Run(rs))}
}

func (rs Runs) document() document {
	t := table{columns: []column{
		{name: "RUN", code: true}, {name: "OWNER", code: true, least: 8}, {name: "KIND"}, {name: "MODE"},
		{name: "STARTED"}, {name: "TOOK", right: true, drop: 2}, {name: "BY", least: 6, drop: 1}, {name: "PLANNED", right: true}, {name: "OUTCOME", least: 10},
	}}
	for _, r := range rs {
		kind := string(r.Kind)
		if r.Undoes != "" {
			kind += " of " + r.Undoes
		}
		t.rows = append(t.rows, []cell{text(r.ID), text(r.Owner), text(kind), text(r.Mode.String()), text(stamp(r.StartedAt)),
			text(took(r)), text(strings.TrimSpace(string(r.Trigger.Kind) + " " + r.Actor)), text(fmt.Sprint(r.Planned)), runOutcome(r)})
	}
	return listing(t, "No runs yet: shelflife plan makes a plan, shelflife apply carries it out.", count(len(rs), "run"))
}

func took(r retention.Run) string {
	if r.FinishedAt.IsZero() || r.StartedAt.IsZero() {
		return ""
	}
	return r.FinishedAt.Sub(r.StartedAt).Round(time.Second).String()
}

func runOutcome(r retention.Run) cell {
	if r.FinishedAt.IsZero() {
		return cell{text: "not finished", tone: doubtful}
	}
	c := cell{text: countOutcomes(r.Outcomes)}
	if r.Outcomes[retention.OutcomeFailed]+r.Outcomes[retention.OutcomeUnknown] > 0 {
		c.tone = bad
	}
	return c
}

// listing is a document of one table, or of a sentence when it has no rows.
func listing(t table, empty, summary string) document {
	if len(t.rows) == 0 {
		return document{empty: empty}
	}
	return document{tables: []table{t}, summary: summary}
}
