package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

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

// place is where a file that a person named is.
func (a *app) place(name string) string {
	if a.dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.dir, name)
}

// openFile opens a file that a person named; what is what it should be.
func (a *app) openFile(what, name string) (*os.File, error) {
	f, err := os.Open(a.place(name))
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		err = pathErr.Err // it would say the name again
	}
	if err != nil {
		return nil, usagef("read the %s %s: %w; check the name", what, name, err)
	}
	return f, nil
}

// plural counts things whose plural takes an s.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// note writes a line for people to stderr.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.err, report.Lines("shelflife: "+fmt.Sprintf(format, args...)))
}

func (a *app) progressWriter() io.Writer {
	if a.quiet {
		return io.Discard
	}
	return a.err
}

// planView shows a plan; document is the sealed JSON, if it was sealed.
func planView(p guard.Plan, document report.Streamer) report.Plan {
	v := report.Plan{
		Kind: p.Kind(), Undoes: p.Undoes(), ID: p.ID(), CreatedAt: p.CreatedAt(), ExpiresAt: p.ExpiresAt(), EvaluatedAt: p.EvaluatedAt(), Mode: p.Mode(),
		Bundle:          report.Bundle{Revision: p.Bundle().Revision, Digest: p.Bundle().Digest},
		InventoryDigest: p.InventoryDigest(), Items: p.Items(), Summary: p.Summary(), Problems: p.Problems(), Document: document,
	}
	for _, o := range p.Owners() {
		v.Owners = append(v.Owners, report.OwnerCounts{
			Login: o.Login, Packages: o.Packages, Versions: o.Versions, Calls: report.CallCounts{REST: o.Calls.REST, Registry: o.Calls.Registry, Saved: o.Calls.Saved},
		})
	}
	return v
}

// resultView shows what came of carrying out a plan since started.
func (s *session) resultView(plan guard.Plan, res enforce.Result, started time.Time) report.Run {
	v := report.Run{
		Run: retention.Run{
			ID: res.Run, Kind: res.Kind, Undoes: plan.Undoes(), Mode: plan.Mode(), Trigger: plan.Trigger(),
			Actor: s.enforcer().Actor, StartedAt: started, Outcomes: res.Counts(),
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
		v.StoppedBy = sayWait(res.StoppedBy)
		if !res.Resumed { // else an earlier part of the run may have done them
			v.Items = append(slices.Clone(v.Items), notBegun(plan, res)...)
		}
	}
	v.Run.Planned = len(v.Items)
	return v
}

// notBegun are the plan's items that a stopped run never came to.
func notBegun(plan guard.Plan, res enforce.Result) []retention.Item {
	var out []retention.Item
	for _, it := range plan.Items() {
		same := func(x retention.Item) bool {
			return x.Ref() == it.Ref() && x.VersionID == it.VersionID && x.Action == it.Action
		}
		if it.Status == retention.StatusPlanned && it.Action != retention.Keep && !slices.ContainsFunc(res.Items, same) {
			out = append(out, it)
		}
	}
	return out
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
