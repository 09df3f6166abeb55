package report

import (
	"cmp"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Plan shows what is to be done, package by package.
type Plan struct {
	Kind            retention.RunKind // of the run that it is for
	Undoes          string            // the run that it undoes
	ID              string
	CreatedAt       time.Time
	ExpiresAt       time.Time
	EvaluatedAt     time.Time // ages are measured from here
	Mode            retention.Mode
	Bundle          Bundle
	InventoryDigest string
	Owners          []OwnerCounts
	Items           []retention.Item
	Summary         retention.Summary
	Problems        []retention.Problem
	// Document writes what JSON shows in place of the above, if it is set: the
	// plan itself, signature and all.
	Document Streamer
}

// Bundle identifies the policies that decided.
type Bundle struct {
	Revision string `json:"revision"`
	Digest   string `json:"digest"`
}

// OwnerCounts say what was looked at in one owner.
type OwnerCounts struct {
	Login    string     `json:"login"`
	Packages int        `json:"packages"`
	Versions int        `json:"versions"`
	Calls    CallCounts `json:"calls"`
}

// CallCounts are the requests that looking took.
type CallCounts struct {
	REST     int `json:"rest"`
	Registry int `json:"registry"`
	Saved    int `json:"saved"` // what snapshots made needless
}

func (p Plan) value() any {
	if p.Document != nil {
		return p.Document
	}
	doc := struct {
		Schema          string              `json:"schema"`
		ID              string              `json:"id"`
		CreatedAt       time.Time           `json:"created_at"`
		ExpiresAt       time.Time           `json:"expires_at"`
		EvaluatedAt     time.Time           `json:"evaluated_at"`
		Mode            retention.Mode      `json:"mode"`
		Bundle          Bundle              `json:"bundle"`
		InventoryDigest string              `json:"inventory_digest"`
		Owners          []OwnerCounts       `json:"owners"`
		Items           []retention.Item    `json:"items"`
		Summary         retention.Summary   `json:"summary"`
		Problems        []retention.Problem `json:"problems"`
	}{"shelflife.plan/v1", p.ID, p.CreatedAt, p.ExpiresAt, p.EvaluatedAt, p.Mode, p.Bundle, p.InventoryDigest,
		list(p.Owners), []retention.Item{}, p.Summary, list(p.Problems)}
	return long{doc, "items", p.Items}
}

func (p Plan) document() document {
	d := document{
		title:   "Plan",
		subject: p.ID,
		tables:  itemTables(p.Items, p.EvaluatedAt),
		empty:   p.empty(),
		notes:   problemNotes(p.Problems),
		summary: planSummary(p.Summary),
	}
	d.fact("undoes", p.Undoes)
	d.fact("mode", p.Mode.String())
	d.fact("evaluated at", stamp(p.EvaluatedAt))
	d.fact("expires at", stamp(p.ExpiresAt))
	if p.Bundle != (Bundle{}) {
		d.fact("policies", cmp.Or(p.Bundle.Revision, shortDigest(p.Bundle.Digest)))
	}
	for _, o := range p.Owners {
		line := fmt.Sprintf("%s, %s read with %s to the API and %d to the registry",
			count(o.Packages, "package"), count(o.Versions, "version"), count(o.Calls.REST, "call"), o.Calls.Registry)
		if o.Calls.Saved > 0 {
			line += fmt.Sprintf("; snapshots saved %d", o.Calls.Saved)
		}
		d.fact("owner "+o.Login, line)
	}
	return d
}

// empty says why there is nothing in the plan.
func (p Plan) empty() string {
	if p.Kind == retention.RunUndo {
		return "Nothing to restore: of what the run deleted, nothing is deleted now."
	}
	packages := 0
	for _, o := range p.Owners {
		packages += o.Packages
	}
	switch {
	case len(p.Problems) > 0:
		return "Nothing to do in what could be read."
	case len(p.Owners) > 0 && packages == 0:
		return "No packages to judge: there are none, they are filtered out, or the credential does not see them (shelflife doctor tells which)."
	}
	return "Nothing to do: no policy asks for anything."
}

// fact adds a line below the title, unless there is nothing to say.
func (d *document) fact(name, value string) {
	if value != "" {
		d.facts = append(d.facts, fact{name, value})
	}
}

func planSummary(s retention.Summary) string {
	out := fmt.Sprintf("%d to delete, %d to restore, %d kept", s.Delete, s.Restore, s.Keep)
	for _, c := range []struct {
		n    int
		what string
	}{{s.Held, "held"}, {s.Blocked, "blocked"}, {s.Conflict, "in conflict"}, {s.Observed, "observed only"}} {
		if c.n > 0 {
			out += fmt.Sprintf(", %d %s", c.n, c.what)
		}
	}
	return out
}

func problemNotes(problems []retention.Problem) []string {
	var out []string
	for _, p := range problems {
		note := cmp.Or(p.Package, p.Owner) + ": " + string(p.Kind)
		if p.Policy != "" {
			note += " (" + p.Policy + ")"
		}
		out = append(out, note+": "+p.Detail)
	}
	return out
}
