package main

import (
	"context"
	"errors"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/doctor"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (d *diagnosis) writeProbe(ctx context.Context, s *session, arg string) {
	ref, err := parseReference(arg)
	if err == nil && ref.version == "" {
		err = usagef("--write-probe needs a version: OWNER/TYPE/NAME@VERSION")
	}
	if err != nil {
		d.Unread("write probe", doctor.ConfigInvalid, err.Error())
		d.code = max(d.code, codeOf(err))
		return
	}
	targets, err := s.targets(ctx, []string{ref.Owner})
	if err != nil {
		d.failure("write probe", err)
		return
	}
	t := targets[0]
	ref.Owner = t.Owner.Login
	for _, action := range []retention.Action{retention.Delete, retention.Restore} {
		detail, err := d.probe(ctx, s, t, ref, action)
		if err != nil {
			d.Unread("write probe: "+action.String(), doctor.ProbeFailed, sayWait(err)) // what an item says ends with the next step
			d.code = max(d.code, codeOf(err))
			return
		}
		d.OK("write probe: "+action.String(), "%s", detail)
	}
}

func (d *diagnosis) probe(ctx context.Context, s *session, t enforce.Target, ref reference, action retention.Action) (string, error) {
	state := retention.Active
	if action == retention.Restore {
		state = retention.Deleted
	}
	acc := s.accesses[s.owner(ref.PackageRef.String()).Login]
	id, err := acc.find(ctx, t.Owner, ref, state)
	if err != nil {
		return "", err
	}
	h := enforce.ByHand{Action: action, Target: retention.TargetVersion, Version: id, Reason: "write probe of doctor"}
	plan, err := s.enforcer().PlanByHand(ctx, t, ref.PackageRef, h)
	if err != nil {
		return "", err
	}
	stop := s.stopFor(plan)
	if action == retention.Delete {
		if err := s.clockAhead(); err != nil {
			return "", err
		}
	}
	if stop != nil {
		if err := stop(ctx); err != nil {
			return "", &codeError{code: exitHeld, err: err}
		}
	}
	release, err := s.hold(ctx, plan)
	if err != nil {
		return "", err
	}
	defer release()
	res, err := s.enforcer().Apply(ctx, enforce.ApplyRequest{Plan: plan, Targets: []enforce.Target{t}, Judge: h, Bundle: plan.Bundle(), Person: true, Stop: stop})
	if err != nil {
		return "", err
	}
	if len(res.Items) == 1 && res.Items[0].Outcome == retention.OutcomeDone {
		return "works (run " + res.Run + ")", nil
	}
	for _, it := range slices.Concat(res.Items, plan.Items()) {
		if it.Detail != "" {
			return "", errors.New(it.Detail)
		}
		if it.Guard != nil {
			return "", errors.New(it.Guard.Detail)
		}
	}
	if res.StoppedBy != nil {
		return "", res.StoppedBy
	}
	return "", errNothingDone
}
