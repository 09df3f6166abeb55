package main

import (
	"fmt"
	"io"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// show writes a result to stdout in the format that was asked for.
func (a *app) show(v report.View) error {
	f, err := report.ParseFormat(a.format)
	if err != nil {
		return usage(err)
	}
	return report.Write(a.out, f, v, report.Options{Width: a.width, Color: a.color})
}

// note writes a line for people to stderr.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.err, "shelflife: "+format+"\n", args...)
}

func (a *app) progressWriter() io.Writer {
	if a.quiet {
		return io.Discard
	}
	return a.err
}

// planView shows a plan; document is the sealed JSON, if it was sealed.
func planView(p guard.Plan, document any) report.Plan {
	v := report.Plan{
		ID: p.ID(), CreatedAt: p.CreatedAt(), ExpiresAt: p.ExpiresAt(), EvaluatedAt: p.EvaluatedAt(), Mode: p.Mode(),
		Bundle:          report.Bundle{Revision: p.Bundle().Revision, Digest: p.Bundle().Digest},
		InventoryDigest: p.InventoryDigest(), Items: p.Items(), Summary: p.Summary(), Problems: p.Problems(), Document: document,
	}
	for _, o := range p.Owners() {
		v.Owners = append(v.Owners, report.OwnerCounts{
			Login: o.Login, Packages: o.Packages, Versions: o.Versions, Calls: report.CallCounts{REST: o.Calls.REST, Registry: o.Calls.Registry},
		})
	}
	return v
}

// resultView shows what came of carrying out a plan.
func (s *session) resultView(plan guard.Plan, res enforce.Result) report.Run {
	v := report.Run{
		Run: retention.Run{
			ID: res.Run, Kind: res.Kind, Undoes: plan.Undoes(), Mode: plan.Mode(), Trigger: plan.Trigger(),
			Actor: s.enforcer().Actor, StartedAt: plan.EvaluatedAt(), Outcomes: res.Counts(), Planned: len(res.Items),
			BundleDigest: plan.Bundle().Digest,
		},
		Items: res.Items, Problems: plan.Problems(), Resumed: res.Resumed,
	}
	for i, o := range plan.Owners() {
		if i > 0 {
			v.Run.Owner += ", "
		}
		v.Run.Owner += o.Login
	}
	if res.StoppedBy != nil {
		v.StoppedBy = res.StoppedBy.Error()
	}
	return v
}

// resultCode is the exit code of a run: 0 when everything that was planned was
// done, 4 when a guard or budget held something, 5 after refusals or failures.
func resultCode(res enforce.Result, planHeld bool) int {
	switch {
	case !res.Clean():
		return exitPartly
	case res.Held() || planHeld:
		return exitHeld
	}
	return exitDone
}

// alarmed reports whether an alarm or a budget holds items of the plan back.
// That young versions wait is no alarm.
func alarmed(p guard.Plan) bool {
	for _, it := range p.Items() {
		if it.Status != retention.StatusHeld || it.Guard == nil {
			continue
		}
		switch it.Guard.Code {
		case retention.GuardDeletesPerRun, retention.GuardDeletesPerDay, retention.GuardPercentOfPackage,
			retention.GuardPercentOfOwner, retention.GuardLostAccess:
			return true
		}
	}
	return false
}
