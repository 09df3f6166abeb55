package ledgertest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// nextBatch is a batch that fits the chain and begins an action on a version.
func nextBatch(t *testing.T, b *bench, store ledger.Store, version retention.ID) ledger.Batch {
	t.Helper()
	head, err := store.Head(b.ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	in := deletion(b.run, version)
	in.ID, in.At = ledger.IntentID(in), b.clock.Now()
	r := ledger.Record{V: 1, Owner: "acme", Seq: head.Seq + 1, At: in.At, Kind: ledger.KindIntent, Run: in.Run, Body: []byte(`{}`), Prev: head.Hash}
	r.Hash = r.Sum()
	return ledger.Batch{
		Owner: "acme", Expect: head, Records: []ledger.Record{r}, BeginActions: []ledger.Action{{Intent: in, Seq: r.Seq}},
		Counters: []ledger.Add{
			{Name: "run/plan-1", N: 1, Limit: 5, Guard: retention.GuardDeletesPerRun},
			{Name: "day/2026-11-22", N: 1, Limit: 5, Guard: retention.GuardDeletesPerDay},
		},
	}
}

func testConflict(t *testing.T, in Instance) {
	b := newBench(t, in)
	stale := nextBatch(t, b, in.Store, 1)
	b.begin(deletion(b.run, 1)) // moves the head, and creates what the batch would
	stale.Counters[0].Limit = 0 // and the budget would not do either
	before := b.whole()
	if err := in.Another(t).Commit(b.ctx, stale); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("stale head: %v, want ErrConflict before anything else", err)
	}
	ahead := nextBatch(t, b, in.Store, 2)
	ahead.Expect.Seq++
	if err := in.Store.Commit(b.ctx, ahead); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("head that is not there yet: %v, want ErrConflict", err)
	}
	nobody := nextBatch(t, b, in.Store, 2)
	nobody.Owner = "nobody"
	if err := in.Store.Commit(b.ctx, nobody); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("chain that is not there: %v, want ErrConflict", err)
	}
	if diff := cmp.Diff(before, b.whole()); diff != "" {
		t.Errorf("something was written (-before +after)\n%s", diff)
	}
}

func testExists(t *testing.T, in Instance) {
	b := newBench(t, in)
	b.begin(deletion(b.run, 1))
	before := b.whole()
	again := nextBatch(t, b, in.Store, 1)
	if err := in.Store.Commit(b.ctx, again); !errors.Is(err, ledger.ErrExists) {
		t.Errorf("action again: %v, want ErrExists", err)
	}
	run := nextBatch(t, b, in.Store, 2)
	run.BeginActions, run.StartRun = nil, &b.run
	if err := in.Store.Commit(b.ctx, run); !errors.Is(err, ledger.ErrExists) {
		t.Errorf("run again: %v, want ErrExists", err)
	}
	second := nextBatch(t, b, in.Store, 2)
	second.Counters[1].Limit = 1 // the first counter has room, this one has not
	wantBudget(t, in.Store.Commit(b.ctx, second), ledger.BudgetError{Which: retention.GuardDeletesPerDay, Limit: 1, Used: 1, Asked: 1})
	if diff := cmp.Diff(before, b.whole()); diff != "" {
		t.Errorf("something was written (-before +after)\n%s", diff)
	}
}

func testTamper(t *testing.T, in Instance, wound Wound) {
	b := newBench(t, in)               // record 1
	b.begin(deletions(b.run, 1, 3)...) // records 2 to 4
	g := b.begin(deletion(b.run, 4))   // record 5
	b.clock.Advance(time.Minute)
	b.finish(g.New[0], retention.OutcomeFailed) // record 6
	seq := int64(3)
	if wound == CutTail {
		seq = b.whole().Records
	}
	b.whole()
	in.Tamper(t, "acme", wound, seq)
	_, err := ledger.New(in.Another(t), b.clock.Now).Verify(b.ctx, "acme")
	var broken *ledger.BrokenError
	if !errors.As(err, &broken) {
		t.Fatalf("%v, want a BrokenError", err)
	}
	want := map[Wound]int64{
		EditBody: 3, DropRecord: 3, RehashBody: 4, CutTail: 5, ForgeAction: 2, DropActions: 1, ForgeRun: 1, LowerCount: 0, ExtraCount: 0,
	}
	if diff := cmp.Diff(ledger.BrokenError{Owner: "acme", Seq: want[wound], Detail: broken.Detail}, *broken); diff != "" {
		t.Errorf("broken (-want +got)\n%s", diff)
	}
}
