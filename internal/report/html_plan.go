package report

import (
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/report/html"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (p Plan) page(prefix string) html.Page {
	head := p
	head.Items = nil // they are encoded when they are written, not before
	page := documentHead(head.document())
	page.Message = ""
	if len(p.Items) == 0 {
		page.Message = p.empty()
	}
	page.Facts = withoutOwners(page.Facts, p.Owners)
	page.Tiles = planTiles(p.Summary)
	if len(p.Items) > 0 {
		page.Sections = append(page.Sections, itemsSection(prefix+"items", p.Items, p.EvaluatedAt))
	}
	if len(p.Owners) > 0 {
		page.Sections = append(page.Sections, callsSection(prefix+"calls", p.Owners))
	}
	return page
}

// withoutOwners leaves out the lines that the table of calls says better.
func withoutOwners(facts []html.Fact, owners []OwnerCounts) []html.Fact {
	return facts[:max(0, len(facts)-len(owners))]
}

func planTiles(s retention.Summary) []html.Tile {
	tiles := []html.Tile{
		{Name: "to delete", Value: s.Delete, Tone: html.Bad, Filter: "action=delete&status=planned", Hint: "versions"},
		{Name: "to restore", Value: s.Restore, Tone: html.Good, Filter: "action=restore&status=planned"},
		{Name: "stay", Value: s.Keep, Hint: "versions, for whatever reason"},
	}
	for _, t := range []html.Tile{
		{Name: "held", Value: s.Held, Tone: html.Doubtful, Filter: "status=held", Hint: "by a guard, for now"},
		{Name: "blocked", Value: s.Blocked, Tone: html.Doubtful, Filter: "status=blocked", Hint: "GitHub would refuse"},
		{Name: "in conflict", Value: s.Conflict, Tone: html.Doubtful, Filter: "status=conflict", Hint: "the next plan would undo it"},
		{Name: "observed only", Value: s.Observed, Filter: "status=observed", Hint: "reported, not done"},
	} {
		if t.Value > 0 {
			tiles = append(tiles, t)
		}
	}
	if s.Delete == 0 {
		tiles[0].Tone = html.Plain
	}
	if s.Restore == 0 {
		tiles[1].Tone = html.Plain
	}
	return tiles
}

// callsSection says what looking at each owner cost.
func callsSection(id string, owners []OwnerCounts) html.Section {
	t := table{columns: []column{
		{name: "Owner", code: true}, {name: "Packages", right: true}, {name: "Versions", right: true}, {name: "Calls to the API", right: true},
		{name: "to the registry", right: true}, {name: "saved by snapshots", right: true},
	}}
	for _, o := range owners {
		t.rows = append(t.rows, texts(o.Login, fmt.Sprint(o.Packages), fmt.Sprint(o.Versions), fmt.Sprint(o.Calls.REST), fmt.Sprint(o.Calls.Registry), fmt.Sprint(o.Calls.Saved)))
	}
	s := tableSection(id, t)
	s.Heading, s.Code = "What it cost to look", false
	return s
}

func (r Run) page(prefix string) html.Page {
	head := r
	head.Items = nil
	page := documentHead(head.document())
	page.Message = ""
	if len(r.Items) == 0 {
		page.Message = "Nothing was to be done."
		return page
	}
	page.Tiles = runTiles(r.Items)
	page.Sections = append(page.Sections, itemsSection(prefix+"items", r.Items, r.Run.StartedAt))
	return page
}

func runTiles(items []retention.Item) []html.Tile {
	counts := map[retention.Outcome]int{}
	for _, it := range items {
		counts[it.Outcome]++
	}
	hints := map[retention.Outcome]string{
		retention.OutcomeGone: "not there any more", retention.OutcomeBlocked: "GitHub refuses", retention.OutcomeChanged: "differs from the plan: skipped",
		retention.OutcomeUnknown: "GitHub may have done it",
	}
	tiles := []html.Tile{}
	for _, o := range outcomes() {
		if counts[o] > 0 || o == retention.OutcomeDone {
			tiles = append(tiles, html.Tile{Name: string(o), Value: counts[o], Tone: toneOf(outcomeCell(o).tone), Filter: "status=" + string(o), Hint: hints[o]})
		}
	}
	if n := counts[""]; n > 0 {
		tiles = append(tiles, html.Tile{Name: "not begun", Value: n, Filter: "status=planned"})
	}
	return tiles
}
