package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) applyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do exactly what a saved plan says",
		Long: `Do exactly the items of a plan that plan --out has saved, or refuse, item by
item, what has changed since; never more. Every package is read and judged again
first, and every version is read once more right before its call.

A plan that was changed, has expired, or was made with other policies is refused
whole. Applying a plan whose run was interrupted goes on where it stopped. What a
percentage alarm holds (limits.percent_of_package, percent_of_owner) is released
by applying the plan: you have read it.`,
		Example: `  shelflife plan acme --mode enforce --out plan.json
  shelflife apply plan.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withPlan(c.Context(), args[0], func(s *session, plan guard.Plan) error {
				return s.apply(c.Context(), plan, true)
			})
		},
	}
}

// withPlan opens a saved plan together with the state whose key signed it.
func (a *app) withPlan(ctx context.Context, path string, do func(*session, guard.Plan) error) error {
	f, err := a.openFile("plan", path)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := a.open()
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	sealer, err := s.sealer(ctx)
	if err != nil {
		return err
	}
	plan, err := guard.Open(ctx, f, sealer, s.now())
	if err != nil {
		return planError(path, err)
	}
	if s.cfg.File == "" {
		// The plan, which this state's own key signed, names the owners.
		_ = s.close()
		if s, err = a.open(logins(plan)...); err != nil {
			return err
		}
	}
	return do(s, plan)
}

// planError says what to do about a plan that can't be opened.
func planError(path string, err error) error {
	switch {
	case errors.Is(err, guard.ErrTampered):
		return fmt.Errorf("%s: %w: it was changed after it was made, or made with another state folder; plan again, there where you apply", path, err)
	case errors.Is(err, guard.ErrExpired), errors.Is(err, guard.ErrUnsigned):
		return fmt.Errorf("%s: %w", path, err) // these say so themselves
	}
	return usagef("%s: %w; make a plan with shelflife plan --out", path, err)
}

func logins(p guard.Plan) []string {
	var out []string
	for _, o := range p.Owners() {
		out = append(out, o.Login)
	}
	return out
}

// apply carries out a plan and shows what came of it. person says that somebody
// has read the saved plan.
func (s *session) apply(ctx context.Context, plan guard.Plan, person bool) error {
	if plan.Mode() == retention.Observe {
		s.note("the plan was made in observe mode and has nothing to do; plan with --mode enforce")
	}
	engine, err := s.policies(ctx)
	if err != nil {
		return err
	}
	if plan.Bundle() != bundleOf(engine) {
		return enforce.ErrPolicies // before anything is asked of GitHub
	}
	targets, err := s.targets(ctx, logins(plan))
	if err != nil {
		return err
	}
	return s.carryOut(ctx, plan, enforce.ApplyRequest{Plan: plan, Targets: targets, Judge: engine, Bundle: bundleOf(engine), Person: person})
}

// carryOut does the plan's items, shows the result and sets the exit code.
func (s *session) carryOut(ctx context.Context, plan guard.Plan, req enforce.ApplyRequest) error {
	if plan.Kind() != retention.RunUndo {
		if err := s.clockAhead(); err != nil {
			return err
		}
	}
	req.Stop = s.stopFor(plan)
	if req.Stop != nil {
		if err := req.Stop(ctx); err != nil {
			return &codeError{code: exitHeld, err: err}
		}
	}
	if plan.Kind() != retention.RunUndo { // an undo has its owners since it was planned
		release, err := s.hold(ctx, plan)
		if err != nil {
			return err
		}
		defer release()
	}
	started := s.now()
	res, err := s.enforcer().Apply(ctx, req)
	if err != nil && res.Run == "" {
		return err
	}
	if len(res.Items) > 0 || res.StoppedBy != nil {
		if err := s.show(s.resultView(plan, res, started)); err != nil {
			return err
		}
	} else if err == nil && plan.Kind() == retention.RunUndo {
		s.note("nothing to restore: of what run %s deleted, nothing is deleted now", plan.Undoes())
	} else if err == nil {
		s.note("nothing to do: the plan deletes and restores nothing")
	}
	if err != nil {
		return err
	}
	s.resultNotes(plan, res, req.Person && plan.Kind() == retention.RunApply)
	if isA[*switchedOff](res.StoppedBy) {
		return silent(exitHeld)
	}
	return silent(resultCode(res, !req.Person && alarmed(plan)))
}

// hold takes a plan's owners while it is carried out: an undo alone, since others
// must not read what is half restored; all else side by side. Planning needs no
// hold, because carrying out reads and judges everything again.
func (s *session) hold(ctx context.Context, plan guard.Plan) (release func(), err error) {
	if plan.Kind() == retention.RunUndo {
		return s.locks.Exclude(ctx, logins(plan)...)
	}
	return s.locks.Share(ctx, logins(plan)...)
}

// resultNotes says what comes next. saved says that the plan is in a file, so
// that it can be applied again.
func (s *session) resultNotes(plan guard.Plan, res enforce.Result, saved bool) {
	switch {
	case res.StoppedBy != nil && saved:
		s.note("stopped, see above: what was begun is in the ledger; applying the same plan again goes on from there")
	case res.StoppedBy != nil:
		s.note("stopped, see above: what was begun is in the ledger; run the same command again to go on")
	}
	if plan.Kind() != retention.RunUndo && res.Counts()[retention.OutcomeDone] > 0 {
		for _, it := range res.Items {
			if it.Action == retention.Delete && it.Outcome == retention.OutcomeDone {
				s.note("GitHub keeps what was deleted for 30 days: shelflife undo %s --yes brings it back", res.Run)
				break
			}
		}
	}
}
