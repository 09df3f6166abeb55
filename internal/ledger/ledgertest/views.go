package ledgertest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func testSpelling(t *testing.T, in Instance) {
	b := newBench(t, in)
	b.begin(deletion(b.run, 1))
	loud := b.run
	loud.Owner = "ACME"
	if resumed, err := b.Start(b.ctx, loud); err != nil || !resumed {
		t.Fatalf("start as ACME: resumed %v, %v", resumed, err)
	}
	_, err := b.Begin(b.ctx, loud, perDay(1), []ledger.Intent{deletion(loud, 2)})
	wantBudget(t, err, ledger.BudgetError{Which: retention.GuardDeletesPerDay, Limit: 1, Used: 1, Asked: 1})
	g, err := b.Begin(b.ctx, loud, perDay(1), []ledger.Intent{deletion(loud, 1)})
	if err != nil || len(g.Existing) != 1 {
		t.Errorf("begun as acme, again as ACME: %+v, %v", g, err)
	}
	b.finish(g.Existing[0].Intent, retention.OutcomeDone)
	if ours, err := b.DeletedBy(b.ctx, apiPackage("Acme")); err != nil || len(ours) != 1 {
		t.Errorf("deleted by, as Acme: %v, %v", ours, err)
	}
	owners, err := b.Owners(b.ctx)
	if diff := cmp.Diff([]string{"acme"}, owners); err != nil || diff != "" {
		t.Errorf("owners %v (-want +got)\n%s", err, diff)
	}
	b.whole()
}

func testOwners(t *testing.T, in Instance) {
	b := newBench(t, in)
	b.do(deletion(b.run, 1), retention.OutcomeDone)
	other := *b
	other.run = aRun("globex", b.run.ID)
	other.start(other.run)
	other.begin(deletion(other.run, 1))
	if open, err := b.Open(b.ctx, "acme"); err != nil || len(open) != 0 {
		t.Errorf("open of acme: %v, %v; want none", versionsOf(open), err)
	}
	if ours, err := b.DeletedBy(b.ctx, apiPackage("globex")); err != nil || len(ours) != 0 {
		t.Errorf("deleted in globex: %v, %v; want none", ours, err)
	}
	runs, err := b.Run(b.ctx, b.run.ID)
	if diff := cmp.Diff([]retention.Run{b.run, other.run}, runs); err != nil || diff != "" {
		t.Errorf("runs of the plan %v (-want +got)\n%s", err, diff)
	}
	actions, err := b.Actions(b.ctx, b.run.ID)
	if got, want := versionsOf(actions), []string{"1 done", "1"}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("actions of the plan: %v, %v; want %v", got, err, want)
	}
	b.whole()
	other.whole()
}

func testOrder(t *testing.T, in Instance) {
	b := newBench(t, in)
	for i, id := range []string{"b", "a", "c"} {
		run := aRun("acme", id)
		run.StartedAt = run.StartedAt.Add(time.Duration(i/2) * time.Millisecond)
		b.start(run)
	}
	runs, err := b.Runs(b.ctx, "", 3)
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	if want := []string{"c", "plan-1", "b"}; err != nil || !cmp.Equal(ids, want) {
		t.Errorf("runs %v, %v; want %v", ids, err, want)
	}
	b.begin(deletion(b.run, 9), deletion(b.run, 3), deletion(b.run, 5))
	b.begin(deletion(b.run, 1))
	actions, err := b.Actions(b.ctx, b.run.ID)
	if got, want := versionsOf(actions), []string{"9", "3", "5", "1"}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("actions %v, %v; want %v", got, err, want)
	}
	records, err := in.Store.Records(b.ctx, "acme", 2, 3)
	var seqs []int64
	for _, r := range records {
		seqs = append(seqs, r.Seq)
	}
	if want := []int64{3, 4, 5}; err != nil || !cmp.Equal(seqs, want) {
		t.Errorf("records after 2: %v, %v; want %v", seqs, err, want)
	}
}

func testRefusals(t *testing.T, in Instance) {
	b := newBench(t, in)
	start := b.clock.Now()
	b.do(deletion(b.run, 1), retention.OutcomeBlocked)
	b.do(deletion(b.run, 2), retention.OutcomeFailed)
	b.clock.Advance(time.Hour)
	b.do(deletion(b.run, 3), retention.OutcomeBlocked)
	check := func(since time.Time, want ...string) {
		t.Helper()
		refused, err := b.Refusals(b.ctx, apiPackage("acme"), since)
		var got []string
		for id, a := range refused {
			got = append(got, id.String()+" "+string(a.Outcome))
		}
		if err != nil || !cmp.Equal(sorted(got), want) {
			t.Errorf("refusals since %s: %v, %v; want %v", since, got, err, want)
		}
	}
	check(start, "1 blocked", "3 blocked")
	check(start.Add(time.Nanosecond), "3 blocked")
	b.run = aRun("acme", "plan-2")
	b.start(b.run)
	b.do(deletion(b.run, 1), retention.OutcomeDone)
	check(start, "3 blocked")
}

func testDeletedBy(t *testing.T, in Instance) {
	b := newBench(t, in)
	whole := deletion(b.run, 1)
	whole.VersionID, whole.Unit, whole.Target, whole.Cost = 0, 0, retention.TargetPackage, 4
	b.do(whole, retention.OutcomeDone)
	for v, o := range map[retention.ID]retention.Outcome{1: "done", 2: "unknown", 3: "gone", 4: "failed", 5: "blocked", 6: "changed", 7: "done"} {
		b.do(deletion(b.run, v), o)
	}
	b.begin(deletion(b.run, 8))
	undo := aRun("acme", "undo-1")
	undo.Kind, undo.Undoes = retention.RunUndo, b.run.ID
	by := retention.DeletedBy{Run: b.run.ID, Policy: "expire_pull_requests"}
	check := func(when string, want map[retention.ID]retention.DeletedBy) {
		t.Helper()
		got, err := b.another(in).DeletedBy(b.ctx, apiPackage("acme"))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", when, err, diff)
		}
	}
	restored := func(when string, want ...retention.ID) {
		t.Helper()
		got, err := b.another(in).Restored(b.ctx, apiPackage("acme"))
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got)), cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("restored %s: %v (-want +got)\n%s", when, err, diff)
		}
		actions, err := b.another(in).Actions(b.ctx, b.run.ID)
		for _, a := range actions {
			if seq, ok := got[a.VersionID]; err != nil || ok && a.Action == retention.Restore && seq != a.FinishedSeq {
				t.Errorf("restored %s: %v, %s by record %d, want %d", when, err, a.VersionID, seq, a.FinishedSeq)
			}
		}
	}
	restored("after the deletions")
	check("after the deletions", map[retention.ID]retention.DeletedBy{0: by, 1: by, 2: by, 7: by})
	first := b.run
	b.run = undo
	b.start(undo)
	b.do(restore(undo, 1), retention.OutcomeDone)
	b.do(restore(undo, 2), retention.OutcomeFailed)
	restored("after the restores", 1)
	check("after the restores", map[retention.ID]retention.DeletedBy{0: by, 2: by, 7: by})
	b.run = aRun("acme", "plan-2")
	b.start(b.run)
	byHand := deletion(b.run, 1)
	byHand.Rules = nil
	b.do(byHand, retention.OutcomeDone)
	check("after deleting by hand", map[retention.ID]retention.DeletedBy{0: by, 1: {Run: "plan-2"}, 2: by, 7: by})
	b.clock.Advance(3 * retention.RestoreWindow)
	restored("long after")
	check("long after", map[retention.ID]retention.DeletedBy{})
	b.run = first
	b.whole()
}

func testText(t *testing.T, in Instance) {
	b := newBench(t, in)
	odd := "quote ' \" back\\slash <&> \u2028 nul \x00 bad \xff\xfe snowman ☃ " + strings.Repeat("x", 5000)
	intent := deletion(b.run, 1)
	intent.Package, intent.Version, intent.Tags = "team/"+strings.ToValidUTF8(odd, ""), odd, []string{odd, ""}
	intent.Rules[0].Reason = odd
	g := b.begin(intent)
	if err := b.Finish(b.ctx, g.New[0], ledger.Result{Outcome: retention.OutcomeFailed, Detail: odd, RequestID: odd}); err != nil {
		t.Fatal(err)
	}
	if err := b.Note(b.ctx, "acme", b.run.ID, odd); err != nil {
		t.Fatal(err)
	}
	if again := b.begin(intent); len(again.Existing) != 1 || again.Existing[0].Outcome != retention.OutcomeFailed {
		t.Errorf("begun again: %d existing, want the failed one", len(again.Existing))
	}
	b.whole()
}

func testExport(t *testing.T, in Instance) {
	b := newBench(t, in)
	g := b.begin(deletions(b.run, 1, 3)...)
	b.finish(g.New[1], retention.OutcomeUnknown)
	b.finish(g.New[1], retention.OutcomeDone)
	b.finish(g.New[0], retention.OutcomeBlocked)
	b.finish(g.New[2], retention.OutcomeGone)
	if err := b.Close(b.ctx, b.run, map[retention.Outcome]int{retention.OutcomeDone: 1}); err != nil {
		t.Fatal(err)
	}
	want := b.whole()
	if want.Records != 9 || want.Runs != 1 || want.Actions != 3 || want.Open != 0 {
		t.Errorf("verification %+v, want 9 records, 1 run, 3 actions, none open", want)
	}
	var file bytes.Buffer
	if err := b.another(in).Export(b.ctx, "acme", &file); err != nil {
		t.Fatal(err)
	}
	got, err := ledger.VerifyExport(bytes.NewReader(file.Bytes()))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("export %v (-want +got)\n%s", err, diff)
	}
	if v, err := b.Verify(b.ctx, "nobody"); err != nil || v != (ledger.Verification{Owner: "nobody"}) {
		t.Errorf("empty chain: %+v, %v", v, err)
	}
}

func testExpect(t *testing.T, in Instance) {
	b := newBench(t, in)
	noted := b.whole().Head
	b.do(deletion(b.run, 1), retention.OutcomeDone)
	if _, err := b.VerifyExpect(b.ctx, "acme", noted); err != nil {
		t.Errorf("an earlier head: %v", err)
	}
	var broken *ledger.BrokenError
	if _, err := b.VerifyExpect(b.ctx, "acme", strings.Repeat("ab", 32)); !errors.As(err, &broken) {
		t.Errorf("a head that never was: %v, want a BrokenError", err)
	}
	if _, err := b.VerifyExpect(b.ctx, "nobody", noted); !errors.As(err, &broken) {
		t.Errorf("a chain that is gone: %v, want a BrokenError", err)
	}
}
