package faults

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Each check returns what it found wrong, in words. planted_test.go proves of
// each of them that it notices what it is there for.

// checkIntents: nothing changes on GitHub without an open intent in the ledger in
// that very instant.
func checkIntents(effects []effect) (wrong []string) {
	for _, e := range effects {
		switch {
		case e.err != nil:
			wrong = append(wrong, fmt.Sprintf("the ledger could not be read when %s of %s took effect: %v", e.Action, e.name(), e.err))
		case !e.open:
			wrong = append(wrong, fmt.Sprintf("%s of %s took effect without an open intent (ledger at record %d)", e.Action, e.name(), e.head.Seq))
		case e.intent.Seq > e.head.Seq || e.intent.At.After(e.At.Add(clockSlack)):
			wrong = append(wrong, fmt.Sprintf("the intent for %s of %s is younger than its effect", e.Action, e.name()))
		}
	}
	return wrong
}

// checkAllowed: only what may go is deleted.
func checkAllowed(effects []effect, allowed []string) (wrong []string) {
	for _, e := range deletions(effects) {
		if !slices.Contains(allowed, e.name()) {
			wrong = append(wrong, fmt.Sprintf("%s was deleted, and nothing asked for it", e.name()))
		}
	}
	return wrong
}

// checkBudget: no run and no day deletes more than its limit, and the ledger has
// at least as much reserved.
func checkBudget(ctx context.Context, l *ledger.Ledger, effects []effect, limits retention.Limits) (wrong []string) {
	runs, days := map[string]int{}, map[string]int{}
	for _, e := range deletions(effects) {
		runs[e.intent.Run]++
		days[e.intent.At.UTC().Format("2006-01-02")]++ // reserved on that day
	}
	for run, n := range runs {
		if n > limits.DeletesPerRun {
			wrong = append(wrong, fmt.Sprintf("run %q deleted %d, its limit is %d", run, n, limits.DeletesPerRun))
		}
		used, err := l.Used(ctx, owner, run)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("read what is used: %v", err))
		case used.Run < n:
			wrong = append(wrong, fmt.Sprintf("run %q deleted %d and had reserved %d", run, n, used.Run))
		}
	}
	for day, n := range days {
		if n > limits.DeletesPerDay {
			wrong = append(wrong, fmt.Sprintf("%d were deleted on %s, the limit is %d", n, day, limits.DeletesPerDay))
		}
	}
	return wrong
}

// checkClosed: after each single change, every index that is there has all the
// children it ever had.
func checkClosed(start githubsim.State, effects []effect, children map[string][]string) (wrong []string) {
	there, keys := map[string]bool{}, map[string][]string{}
	each(start, func(p githubsim.PackageState, v githubsim.VersionState) {
		there[p.Name+" "+v.Key] = v.State == retention.Active && p.State == retention.Active
		keys[p.Name] = append(keys[p.Name], v.Key)
	})
	torn := func(when string) {
		for index, parts := range children {
			pkg := packageOf(index)
			for _, part := range parts {
				if there[index] && !there[pkg+" "+part] {
					wrong = append(wrong, fmt.Sprintf("%s: index %s is there and its child %s is not", when, index, part))
				}
			}
		}
	}
	torn("at the start")
	for _, e := range effects {
		if e.VersionID == 0 {
			for _, key := range keys[e.Package] {
				there[e.Package+" "+key] = e.Action == retention.Restore
			}
		} else {
			there[e.name()] = e.Action == retention.Restore
		}
		torn(fmt.Sprintf("after %s of %s", e.Action, e.name()))
	}
	return wrong
}

// checkChain: the ledger is whole, and holds every head that was ever seen.
func checkChain(ctx context.Context, l *ledger.Ledger, effects []effect) (wrong []string) {
	if _, err := l.Verify(ctx, owner); err != nil {
		return []string{err.Error()}
	}
	last := ledger.Head{}
	for _, e := range effects {
		if e.head.Seq < last.Seq {
			wrong = append(wrong, fmt.Sprintf("the ledger went from record %d back to %d", last.Seq, e.head.Seq))
		}
		last = e.head
	}
	if last.Seq > 0 {
		if _, err := l.VerifyExpect(ctx, owner, last.Hash); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	return wrong
}

// checkAgrees: what the ledger says was done is done, and what was done it says.
// open says that intents may still be open, as right after a kill.
func checkAgrees(ctx context.Context, l *ledger.Ledger, now githubsim.State, effects []effect, open bool) (wrong []string) {
	actions, err := allActions(ctx, l)
	if err != nil {
		return []string{err.Error()}
	}
	last := map[string]effect{}
	for _, e := range effects {
		last[fmt.Sprint(e.Package, " ", e.VersionID)] = e
		a, ok := actions[e.intent.ID]
		switch {
		case !e.open: // checkIntents speaks of it
		case !ok:
			wrong = append(wrong, fmt.Sprintf("the intent for %s of %s has left the ledger", e.Action, e.name()))
		case a.Outcome == "" && open, a.Outcome == retention.OutcomeDone, a.Outcome == retention.OutcomeGone, a.Outcome == retention.OutcomeUnknown:
		default:
			wrong = append(wrong, fmt.Sprintf("%s of %s took effect and the ledger says %q", e.Action, e.name(), a.Outcome))
		}
	}
	state := map[string]retention.State{}
	each(now, func(p githubsim.PackageState, v githubsim.VersionState) {
		state[fmt.Sprint(p.Name, " ", v.ID)] = v.State
	})
	for _, a := range actions {
		key := fmt.Sprint(a.Package, " ", int64(a.VersionID))
		_, happened := last[key]
		if a.Outcome == retention.OutcomeDone && !happened {
			wrong = append(wrong, fmt.Sprintf("the ledger says that %s of %s %s was done, and it never happened", a.Action, a.Package, a.Version))
		}
		if a.Outcome == retention.OutcomeGone && a.Action == retention.Delete && !happened && state[key] == retention.Active {
			wrong = append(wrong, fmt.Sprintf("the ledger says that %s %s is gone, and it is there", a.Package, a.Version))
		}
		if a.Outcome == "" && !open {
			wrong = append(wrong, fmt.Sprintf("the intent for %s of %s %s has no outcome", a.Action, a.Package, a.Version))
		}
	}
	return wrong
}

func allActions(ctx context.Context, l *ledger.Ledger) (map[string]ledger.Action, error) {
	runs, err := l.Runs(ctx, owner, 0)
	if err != nil {
		return nil, err
	}
	out := map[string]ledger.Action{}
	for _, r := range runs {
		actions, err := l.Actions(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range actions {
			out[a.ID] = a
		}
	}
	return out, nil
}

// checkFinal: exactly this is gone.
func checkFinal(start, now githubsim.State, want []string) []string {
	if diff := cmp.Diff(want, gone(start, now)); diff != "" {
		return []string{"what is gone in the end (-undisturbed +here):\n" + diff}
	}
	return nil
}

// checkSame: two states are the same, tags included.
func checkSame(a, b githubsim.State) []string {
	if diff := cmp.Diff(lines(a), lines(b)); diff != "" {
		return []string{"the states differ:\n" + diff}
	}
	return nil
}
