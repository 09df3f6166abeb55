package enforce

import (
	"context"
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// maxRounds bounds how often a package is judged again until no part of its plan
// would be undone by the next one. Each round takes out at least one item, and
// two policies that disagree do so at once: more rounds than this mean that the
// policies don't settle, and then nothing of the package is done.
const maxRounds = 8

// judgeRequest is what one package is judged with.
type judgeRequest struct {
	Target
	Judge   Judge
	Trigger retention.Trigger
	at      time.Time
	run     string
	extra   []retention.Decision // asked for besides the policies'
}

// draft judges one package: policies, guard, then the policies again on the
// package as it would be after the plan (rule 5 of the policy contract).
func (e *Enforcer) draft(ctx context.Context, req judgeRequest, inv retention.Inventory) (guard.Draft, error) {
	refused, err := e.refused(ctx, inv.Ref(), req.at)
	if err != nil {
		return guard.Draft{}, err
	}
	j, err := req.decide(ctx, inv)
	if err != nil {
		return guard.Draft{}, err
	}
	j.Decisions = append(j.Decisions, req.extra...)
	return Settle(ctx, req.Judge, guard.Subject{
		Inventory: inv, Judgement: j, Trigger: req.Trigger, Limits: req.Limits, Refused: refused,
	}, req.run, req.at)
}

// Settle drafts one judged package: the guard, then the policies again on the
// package as it would be after the draft, until no part of it would be undone
// by the next plan (rule 5 of the policy contract). run stands for the run that
// would have deleted what the draft deletes, at for its instant.
func Settle(ctx context.Context, judge Judge, s guard.Subject, run string, at time.Time) (guard.Draft, error) {
	inv := s.Inventory
	s.Undone = map[retention.ID][]retention.Rule{}
	for range maxRounds {
		d := guard.Check(s)
		if !acts(d) {
			return d, nil
		}
		after, err := judge.Decide(ctx, policy.Request{Inventory: guard.After(inv, d, run, at), EvaluatedAt: at, Trigger: s.Trigger})
		if err != nil {
			return guard.Draft{}, err
		}
		if len(after.Failures) > 0 {
			s.Judgement.Failures = after.Failures
			return guard.Check(s), nil
		}
		undone := guard.Undone(d, after)
		if len(undone) == 0 {
			return d, nil
		}
		for id, rules := range undone {
			s.Undone[id] = rules
		}
	}
	s.Judgement.Failures = append(s.Judgement.Failures, retention.Problem{
		Owner: inv.Owner.Login, Package: inv.Ref().String(), Kind: retention.ProblemPolicy, Policy: "several policies",
		Detail: fmt.Sprintf("after %d rounds the policies still undo one another; run shelflife explain %s to see them", maxRounds, inv.Ref()),
	})
	return guard.Check(s), nil
}

func (req judgeRequest) decide(ctx context.Context, inv retention.Inventory) (retention.Judgement, error) {
	return req.Judge.Decide(ctx, policy.Request{Inventory: inv, EvaluatedAt: req.at, Trigger: req.Trigger})
}

// refused returns what GitHub refused within the last 30 days for having too
// many downloads: such a version is not asked for again in every run.
func (e *Enforcer) refused(ctx context.Context, ref retention.PackageRef, at time.Time) (map[retention.ID]string, error) {
	found, err := e.Ledger.Refusals(ctx, ref, at.Add(-retention.RestoreWindow))
	if err != nil {
		return nil, fmt.Errorf("look up refusals of %s: %w", ref, err)
	}
	out := map[retention.ID]string{}
	for id, a := range found {
		if a.Guard != retention.GuardDownloads {
			continue // the guard foresees the last versions afresh; anything else may have passed
		}
		out[id] = fmt.Sprintf("GitHub refused it on %s: %s", a.FinishedAt.Format(time.DateOnly), a.Detail)
	}
	return out, nil
}

func acts(d guard.Draft) bool {
	for _, it := range d.Items() {
		if it.Status == retention.StatusPlanned {
			return true
		}
	}
	return false
}
