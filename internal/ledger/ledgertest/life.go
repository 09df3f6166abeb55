package ledgertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func testRunLife(t *testing.T, in Instance) {
	b := newBench(t, in)
	if resumed, err := b.another(in).Start(b.ctx, b.run); err != nil || !resumed {
		t.Errorf("second start: resumed %v, %v; want true, nil", resumed, err)
	}
	other := b.run
	other.Kind = retention.RunUndo
	if _, err := b.Start(b.ctx, other); !errors.Is(err, ledger.ErrOtherRun) {
		t.Errorf("start as another kind: %v, want ErrOtherRun", err)
	}
	if err := b.Close(b.ctx, aRun("acme", "nobody"), nil); !errors.Is(err, ledger.ErrNotStarted) {
		t.Errorf("close of an unknown run: %v, want ErrNotStarted", err)
	}
	counts := map[retention.Outcome]int{retention.OutcomeDone: 2, retention.OutcomeChanged: 1}
	b.clock.Advance(time.Minute)
	if err := b.Close(b.ctx, b.run, counts); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(b.ctx, b.run, counts); err != nil {
		t.Errorf("the same close again: %v", err)
	}
	if err := b.Close(b.ctx, b.run, nil); !errors.Is(err, ledger.ErrFinished) {
		t.Errorf("another close: %v, want ErrFinished", err)
	}
	if _, err := b.Start(b.ctx, b.run); !errors.Is(err, ledger.ErrFinished) {
		t.Errorf("start of a finished run: %v, want ErrFinished", err)
	}
	if _, err := b.Begin(b.ctx, b.run, perRun(9), deletions(b.run, 1, 1)); !errors.Is(err, ledger.ErrFinished) {
		t.Errorf("begin in a finished run: %v, want ErrFinished", err)
	}
	want := b.run
	want.FinishedAt, want.Outcomes = b.clock.Now(), counts
	got, err := b.another(in).Run(b.ctx, b.run.ID)
	if diff := cmp.Diff([]retention.Run{want}, got); err != nil || diff != "" {
		t.Errorf("run: %v, (-want +got)\n%s", err, diff)
	}
	if v := b.whole(); v.Records != 2 {
		t.Errorf("%d records, want 2: %+v", v.Records, v)
	}
}

func testIdempotence(t *testing.T, in Instance) {
	b := newBench(t, in)
	first := b.begin(deletions(b.run, 1, 2)...)
	if len(first.New) != 2 || len(first.Existing) != 0 {
		t.Fatalf("first begin: %d new, %d existing", len(first.New), len(first.Existing))
	}
	b.finish(first.New[1], retention.OutcomeGone)
	b.clock.Advance(time.Hour)
	again := b.another(in).begin(deletions(b.run, 1, 3)...)
	if got, want := versionsOf(again.Existing), []string{"1", "2 gone"}; !cmp.Equal(got, want) {
		t.Errorf("existing: %v, want %v", got, want)
	}
	if diff := cmp.Diff(first.New[0], again.Existing[0].Intent); diff != "" {
		t.Errorf("the first intent changed (-want +got)\n%s", diff)
	}
	if len(again.New) != 1 || again.New[0].VersionID != 3 {
		t.Errorf("new: %+v, want version 3 alone", again.New)
	}
	if u := b.used(); u.Run != 3 {
		t.Errorf("used: %+v, want 3 in the run", u)
	}
	b.whole()
}

func testSameIntents(t *testing.T, in Instance) {
	b := newBench(t, in)
	const workers = 10
	grants := make(chan ledger.Grant, workers)
	together(t, workers, func(int) error {
		g, err := ledger.New(in.Another(t), b.clock.Now).Begin(b.ctx, b.run, perRun(5), deletions(b.run, 1, 5))
		grants <- g
		return err
	})
	close(grants)
	fresh, existing := 0, 0
	for g := range grants {
		fresh += len(g.New)
		existing += len(g.Existing)
	}
	if fresh != 5 || existing != 5*(workers-1) {
		t.Errorf("%d new, %d existing; want 5 and %d", fresh, existing, 5*(workers-1))
	}
	if u := b.used(); u.Run != 5 {
		t.Errorf("used: %+v, want 5 in the run", u)
	}
	b.whole()
}

func testCrash(t *testing.T, in Instance) {
	b := newBench(t, in)
	g := b.begin(deletions(b.run, 1, 3)...)
	b.finish(g.New[0], retention.OutcomeDone)
	// Here the first worker dies. The next one has only what was kept.
	next := b.another(in)
	if err := next.Close(b.ctx, b.run, nil); !errors.Is(err, ledger.ErrOpenIntents) {
		t.Errorf("close with open intents: %v, want ErrOpenIntents", err)
	}
	open, err := next.Open(b.ctx, "acme")
	if got, want := versionsOf(open), []string{"2", "3"}; err != nil || !cmp.Equal(got, want) {
		t.Fatalf("open: %v, %v; want %v", got, err, want)
	}
	next.finish(open[0].Intent, retention.OutcomeUnknown)
	next.finish(open[1].Intent, retention.OutcomeFailed)
	if open, err = b.Open(b.ctx, "acme"); err != nil || len(open) != 0 {
		t.Errorf("open after reconciling: %v, %v; want none", versionsOf(open), err)
	}
	if u := next.used(); u.Run != 3 {
		t.Errorf("used: %+v: an unknown or failed deletion stays spent", u)
	}
	if err := next.Close(b.ctx, b.run, map[retention.Outcome]int{retention.OutcomeDone: 1}); err != nil {
		t.Error(err)
	}
	next.whole()
}

func testOutcomes(t *testing.T, in Instance) {
	all := []retention.Outcome{"done", "gone", "blocked", "changed", "failed", "unknown"}
	foundOut := map[retention.Outcome]bool{"done": true, "gone": true, "failed": true}
	b := newBench(t, in)
	version := retention.ID(0)
	for _, before := range all {
		for _, after := range all {
			version++
			intent := b.do(deletion(b.run, version), before)
			b.clock.Advance(time.Second)
			err := b.another(in).Finish(b.ctx, intent, ledger.Result{Outcome: after})
			allowed := before == after || before == retention.OutcomeUnknown && foundOut[after]
			if allowed && err != nil || !allowed && !errors.Is(err, ledger.ErrFinal) {
				t.Errorf("%s then %s: %v", before, after, err)
			}
		}
	}
	last := b.begin(deletion(b.run, 1000)).New[0]
	if err := b.Finish(b.ctx, last, ledger.Result{Outcome: "perhaps"}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no outcome at all: %v, want ErrInvalid", err)
	}
	stranger := deletion(b.run, 2000)
	stranger.ID = ledger.IntentID(stranger)
	if err := b.Finish(b.ctx, stranger, ledger.Result{Outcome: "done"}); !errors.Is(err, ledger.ErrNoIntent) {
		t.Errorf("never begun: %v, want ErrNoIntent", err)
	}
	if err := b.Finish(b.ctx, last, ledger.Result{Outcome: "blocked", RequestID: "R", Detail: "last version", Guard: retention.GuardLastVersion}); err != nil {
		t.Fatal(err)
	}
	actions, err := b.Actions(b.ctx, b.run.ID)
	if err != nil {
		t.Fatal(err)
	}
	v := b.whole()
	want := ledger.Action{
		Intent: last, Seq: v.Records - 1, Outcome: "blocked", RequestID: "R", Detail: "last version",
		Guard: retention.GuardLastVersion, FinishedAt: b.clock.Now(), FinishedSeq: v.Records,
	}
	if diff := cmp.Diff(want, actions[len(actions)-1]); diff != "" {
		t.Errorf("action (-want +got)\n%s", diff)
	}
}

func testCancelled(t *testing.T, in Instance) {
	b := newBench(t, in)
	before := b.whole()
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if _, err := b.Begin(ctx, b.run, perRun(9), deletions(b.run, 1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("begin: %v, want context.Canceled", err)
	}
	if diff := cmp.Diff(before, b.whole()); diff != "" {
		t.Errorf("something was written (-before +after)\n%s", diff)
	}
}

// together runs f in n goroutines and waits for all of them.
func together(t *testing.T, n int, f func(worker int) error) {
	t.Helper()
	errs := make(chan error, n)
	for w := range n {
		go func() { errs <- f(w) }()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
