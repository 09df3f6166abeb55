// Package decisions makes the rows of the decision log from a plan: who said what
// about which version, and what the guards made of it. Every store of the log
// keeps the same rows. It never decides, reads or writes anything.
package decisions

import (
	"iter"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Row is one line of the decision log: one policy's answer and what became of it.
type Row struct {
	Run         string                `json:"run"` // of the plan, whether it was carried out or not
	Owner       string                `json:"owner"`
	PackageType retention.PackageType `json:"package_type"`
	Package     string                `json:"package"`
	VersionID   retention.ID          `json:"version_id"` // zero when it is about the package
	Version     string                `json:"version"`
	Policy      string                `json:"policy"`
	Rule        string                `json:"rule"`
	Action      retention.Action      `json:"action"`
	Reason      string                `json:"reason"`
	Severity    retention.Severity    `json:"severity"`
	Mode        retention.Mode        `json:"mode"`
	Status      retention.Status      `json:"status"`
	Guard       retention.GuardCode   `json:"guard"`
	Revision    string                `json:"revision"` // of the policies
	EvaluatedAt time.Time             `json:"evaluated_at"`
}

// Rows goes over the rows of a plan in the plan's order: for each item those who
// prevailed, then those who were overruled.
func Rows(p guard.Plan) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for _, it := range p.Items() {
			for _, rules := range [][]retention.Rule{it.Rules, it.Overruled} {
				for _, r := range rules {
					if !yield(row(p, it, r)) {
						return
					}
				}
			}
		}
	}
}

func row(p guard.Plan, it retention.Item, r retention.Rule) Row {
	out := Row{
		Run: p.ID(), Owner: it.Owner, PackageType: it.PackageType, Package: it.Package, VersionID: it.VersionID, Version: it.Version,
		Policy: r.Policy, Rule: r.Rule, Action: r.Action, Reason: r.Reason, Severity: r.Severity, Mode: r.Mode,
		Status: it.Status, Revision: p.Bundle().Revision, EvaluatedAt: p.EvaluatedAt(),
	}
	if it.Guard != nil {
		out.Guard = it.Guard.Code
	}
	return out
}
