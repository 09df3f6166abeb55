package dynamodb

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// The heaviest batch that the ledger allows, each intent on a package of its own.
func TestTheHeaviestBatchFits(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		_, table := withRun(t, env)
		l := ledger.New(table, table.now)
		var intents []ledger.Intent
		for v := retention.ID(1); v <= ledger.MaxIntents; v++ {
			in := intent(v)
			in.Package = fmt.Sprintf("team/package-%d", v)
			in.Rules = []retention.Rule{{Policy: "p", Reason: strings.Repeat("x", ledger.MaxIntentBytes-1000)}}
			intents = append(intents, in)
		}
		g, err := l.Begin(t.Context(), aRun(), retention.Limits{DeletesPerRun: 40, DeletesPerDay: 40}, intents)
		if err != nil || len(g.New) != ledger.MaxIntents {
			t.Fatalf("granted %d, %v", len(g.New), err)
		}
		if v, _ := whole(t, table); v.Records != 1+ledger.MaxIntents {
			t.Errorf("%d records", v.Records)
		}
		for after, want := range map[int64][]int64{0: {1, 2, 3}, 4: {5, 6, 7}, 12: {13, 14, 15}, 39: {40, 41}, 41: nil} {
			records, err := table.Records(t.Context(), "acme", after, 3)
			var got []int64
			for _, r := range records {
				got = append(got, r.Seq)
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("records after %d: %v (-want +got)\n%s", after, err, diff)
			}
		}
	})
}

func TestATransactionNeverTakesMoreThanItMay(t *testing.T) {
	b := ledger.Batch{
		Owner: "acme", Expect: ledger.Head{}, Counters: make([]ledger.Add, 2), StartRun: &retention.Run{}, FinishRun: &retention.Run{}, FinishAction: &ledger.Action{},
	}
	for i := range ledger.MaxIntents {
		a := ledger.Action{Intent: ledger.Intent{ID: fmt.Sprint(i), Package: fmt.Sprint(i)}}
		b.BeginActions = append(b.BeginActions, a)
		b.Records = append(b.Records, ledger.Record{Seq: int64(i + 1), Body: make([]byte, ledger.MaxIntentBytes)})
	}
	steps, err := transaction("t", b, "token")
	if err != nil || len(steps) > maxItems {
		t.Errorf("%d items, %v; want at most %d", len(steps), err, maxItems)
	}
}

func TestOpenActionsAreThoseOfRunsUnderWay(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		_, table := withRun(t, env)
		l := ledger.New(table, table.now)
		g, err := begin(t, table, 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		finish := func(in ledger.Intent) {
			t.Helper()
			if err := l.Finish(t.Context(), in, ledger.Result{Outcome: retention.OutcomeDone}); err != nil {
				t.Fatal(err)
			}
		}
		open := func() (ids []string, runs int) {
			t.Helper()
			list, err := table.OpenActions(t.Context(), "acme")
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				ids = append(ids, a.ID)
			}
			active, err := all(t.Context(), table, span{pk: activePK("acme")}, read[runRef])
			if err != nil {
				t.Fatal(err)
			}
			return ids, len(active)
		}
		finish(g.New[0])
		if ids, runs := open(); !slices.Equal(ids, []string{g.New[1].ID}) || runs != 1 {
			t.Errorf("open %v of %d runs, want %v of 1", ids, runs, g.New[1].ID)
		}
		finish(g.New[1])
		if err := l.Close(t.Context(), aRun(), nil); err != nil {
			t.Fatal(err)
		}
		if ids, runs := open(); len(ids) != 0 || runs != 0 {
			t.Errorf("open %v of %d runs, want none", ids, runs)
		}
	})
}

func TestPackageActionsBeginAtAnInstant(t *testing.T) {
	_, table := withRun(t, awstest.Start(t))
	if _, err := begin(t, table, 1, 2); err != nil {
		t.Fatal(err)
	}
	ref := intent(1).Ref()
	for since, want := range map[time.Time]int{{}: 2, noon: 2, noon.Add(1): 0} {
		if got, err := table.PackageActions(t.Context(), ref, since); len(got) != want || err != nil {
			t.Errorf("since %s: %d actions, %v; want %d", since, len(got), err, want)
		}
	}
	ref.Name = "team"
	if got, err := table.PackageActions(t.Context(), ref, time.Time{}); len(got) != 0 || err != nil {
		t.Errorf("another package: %d actions, %v; want none", len(got), err)
	}
}

func TestAListedRunThatIsNotThereIsAnError(t *testing.T) {
	_, table := withRun(t, awstest.Start(t))
	(&vandal{t, table, "acme"}).drop(runKey("acme", "run-1"))
	if _, err := table.Runs(t.Context(), "acme", 0); err == nil || !strings.Contains(err.Error(), "ledger verify") {
		t.Errorf("%v, want the next step", err)
	}
}

func TestKeysOfDifferentNamesDiffer(t *testing.T) {
	name := rapid.StringMatching(`[#%a2-]{0,4}(x{0}|x{300})[#%a-]{0,3}`)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := name.Draw(rt, "a"), name.Draw(rt, "b")
		x, y := part(a), part(b)
		if (x == y) != (a == b) {
			rt.Fatalf("%q and %q become %q and %q", a, b, x, y)
		}
		if strings.Contains(x, "#") || len(x) > longestPart {
			rt.Fatalf("%q becomes %q", a, x)
		}
	})
}
