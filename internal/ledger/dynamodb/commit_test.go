package dynamodb

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// whole makes sure that the chain is, and returns what the budget shows.
func whole(t *testing.T, table *Table) (ledger.Verification, ledger.Used) {
	t.Helper()
	l := ledger.New(table, table.now)
	v, err := l.Verify(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	used, err := l.Used(t.Context(), "acme", "run-1")
	if err != nil {
		t.Fatal(err)
	}
	return v, used
}

func TestALostAnswerIsNotALostCommit(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		for _, tt := range []struct {
			name    string
			lose    func(send func() error) error
			options []func(*ddb.Options)
			written bool
		}{
			{"the client asks again and finds its own head", answerLost, nil, true},
			{"nobody asks again and the records are looked up", answerLost, []func(*ddb.Options){noRetries}, true},
			{"the client asks again what never arrived", neverSent, nil, true},
			{"what never arrived was not written", neverSent, []func(*ddb.Options){noRetries}, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := &wire{operation: "TransactWriteItems", lose: tt.lose}
				table, sound := withRun(t, env, append(tt.options, w.option(env))...)
				g, err := begin(t, table, 1, 2)
				if (err == nil) != tt.written || (len(g.New) == 2) != tt.written || len(g.Existing) != 0 {
					t.Errorf("granted %d, existing %d, %v; want written: %v", len(g.New), len(g.Existing), err, tt.written)
				}
				if errors.Is(err, ledger.ErrConflict) || !tt.written && !strings.Contains(err.Error(), "reset") {
					t.Errorf("%v, want what happened", err)
				}
				want := map[bool]ledger.Used{true: {Run: 2, Day: 2}}[tt.written]
				if _, used := whole(t, sound); used != want {
					t.Errorf("used %+v, want %+v", used, want)
				}
			})
		}
	})
}

func TestALostCommitIsFoundBelowOthers(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		w := &wire{operation: "TransactWriteItems"}
		table, sound := withRun(t, env, w.option(env))
		w.lose = func(send func() error) error {
			err := answerLost(send)
			if _, other := begin(t, sound, 7); other != nil {
				t.Error(other)
			}
			return err
		}
		if err := table.Commit(t.Context(), batch(t, sound, 1)); err != nil {
			t.Errorf("%v, want success: it was written before the other", err)
		}
		if v, used := whole(t, sound); v.Actions != 2 || used.Run != 2 {
			t.Errorf("%d actions, used %+v; want 2 of each", v.Actions, used)
		}
	})
}

// Two workers that begin the same at the same instant write the same records.
func TestAnothersEqualBatchIsNotTakenForOnesOwn(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		for _, opts := range [][]func(*ddb.Options){nil, {noRetries}} {
			w := &wire{operation: "TransactWriteItems"}
			table, sound := withRun(t, env, append(opts, w.option(env))...)
			same := batch(t, sound, 1)
			w.lose = func(func() error) error {
				if err := sound.Commit(t.Context(), same); err != nil {
					t.Error(err)
				}
				return neverSent(nil)
			}
			if err := table.Commit(t.Context(), same); err == nil {
				t.Error("two workers were told that they had written the same batch")
			}
			if v, _ := whole(t, sound); v.Actions != 1 {
				t.Errorf("%d actions, want 1", v.Actions)
			}
		}
	})
}

func TestRefusalsAreToldApart(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		_, table := withRun(t, env)
		if _, err := begin(t, table, 1, 2, 3); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			edit func(b *ledger.Batch)
			want error
		}{
			{"the head counts before everything", func(b *ledger.Batch) {
				b.Expect.Hash = "other"
				b.StartRun = &retention.Run{ID: "run-1", Owner: "acme"}
				b.Counters[0].Limit = 0
			}, ledger.ErrConflict},
			{"a chain that is there is not begun anew", func(b *ledger.Batch) { b.Expect = ledger.Head{} }, ledger.ErrConflict},
			{"what exists counts before the budget", func(b *ledger.Batch) {
				b.BeginActions[0].ID = ledger.IntentID(intent(1))
				b.Counters[0].Limit = 0
			}, ledger.ErrExists},
			{"the first counter counts", func(b *ledger.Batch) { b.Counters[0].Limit, b.Counters[1].Limit = 3, 2 },
				&ledger.BudgetError{Which: retention.GuardDeletesPerRun, Limit: 3, Used: 3, Asked: 1}},
			{"the second counter counts too", func(b *ledger.Batch) { b.Counters[1].Limit = 3 },
				&ledger.BudgetError{Which: retention.GuardDeletesPerDay, Limit: 3, Used: 3, Asked: 1}},
			{"a new counter may not start beyond its limit", func(b *ledger.Batch) { b.Counters[0].Name, b.Counters[0].Limit = "new", 0 },
				&ledger.BudgetError{Which: retention.GuardDeletesPerRun, Limit: 0, Used: 0, Asked: 1}},
			{"what is finished must be there", func(b *ledger.Batch) {
				b.FinishAction = &ledger.Action{Intent: ledger.Intent{ID: "none", Run: "run-1"}}
			}, errors.New("action none is not there")},
			{"so must a run", func(b *ledger.Batch) { b.FinishRun = &retention.Run{ID: "none"} }, errors.New("run none is not there")},
		} {
			t.Run(tt.name, func(t *testing.T) {
				before, _ := whole(t, table)
				b := batch(t, table, 9)
				tt.edit(&b)
				err := table.Commit(t.Context(), b)
				var budget *ledger.BudgetError
				switch want := tt.want.(type) {
				case *ledger.BudgetError:
					if !errors.As(err, &budget) || *budget != *want {
						t.Errorf("%v, want %v", err, want)
					}
				default:
					if err == nil || !errors.Is(err, want) && !strings.Contains(err.Error(), want.Error()) {
						t.Errorf("%v, want %v", err, want)
					}
				}
				if after, _ := whole(t, table); after != before {
					t.Errorf("something was written: %+v, was %+v", after, before)
				}
			})
		}
	})
}

func TestRecordsAreNeverWrittenOver(t *testing.T) {
	_, table := withRun(t, awstest.Start(t))
	stale := batch(t, table, 1)
	if _, err := begin(t, table, 2); err != nil {
		t.Fatal(err)
	}
	kept, err := table.Records(t.Context(), "acme", 0, 9)
	if err != nil {
		t.Fatal(err)
	}
	(&vandal{t, table, "acme"}).put(headItem{key: headKey("acme"), Seq: stale.Expect.Seq, Hash: stale.Expect.Hash})
	if err := table.Commit(t.Context(), stale); err == nil || !strings.Contains(err.Error(), "tampered") {
		t.Errorf("%v, want a word of tampering", err)
	}
	got, err := table.Records(t.Context(), "acme", 0, 9)
	if diff := cmp.Diff(kept, got); diff != "" || err != nil {
		t.Errorf("records %v (-before +after)\n%s", err, diff)
	}
}

// cancelled is what DynamoDB answers when it cancels a transaction.
func cancelled(codes ...string) error {
	e := &types.TransactionCanceledException{}
	for _, c := range codes {
		e.CancellationReasons = append(e.CancellationReasons, types.CancellationReason{Code: aws.String(c)})
	}
	return e
}

func TestCancellationsWithoutAFailedCondition(t *testing.T) {
	env := awstest.Start(t)
	rest := []string{"None", "None", "None", "None", "None"}
	for _, tt := range []struct {
		name    string
		first   error
		always  bool
		want    error
		says    string
		written bool
	}{
		{name: "another transaction is under way", first: cancelled(append(rest, "TransactionConflict")...), want: ledger.ErrConflict},
		{name: "throttled once", first: cancelled(append(rest, "ThrottlingError")...), written: true},
		{name: "throttled for good", first: cancelled(append(rest, "ProvisionedThroughputExceeded")...), always: true, want: errBusy},
		{name: "not valid", first: cancelled(append(rest, "ValidationError")...), says: "TransactionCanceledException"},
		{name: "reasons that don't fit", first: cancelled("None"), says: "1 reasons for 6 items"},
		{name: "an outage", first: &types.InternalServerError{}, says: "InternalServerError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table, sound := withRun(t, env)
			calls := 0
			table.client = faulty{API: sound.client, transact: func(ctx context.Context, in *ddb.TransactWriteItemsInput) (*ddb.TransactWriteItemsOutput, error) {
				if calls++; calls == 1 || tt.always {
					return nil, tt.first
				}
				return sound.client.TransactWriteItems(ctx, in)
			}}
			err := table.Commit(t.Context(), batch(t, sound, 1))
			switch {
			case tt.written && err != nil, tt.want != nil && !errors.Is(err, tt.want):
				t.Errorf("%v, want %v", err, tt.want)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || errors.Is(err, ledger.ErrConflict)):
				t.Errorf("%v, want %q", err, tt.says)
			}
			if v, _ := whole(t, sound); (v.Actions == 1) != tt.written {
				t.Errorf("%d actions, want written: %v", v.Actions, tt.written)
			}
			if tt.always && calls != table.wait.attempts {
				t.Errorf("%d calls, want %d", calls, table.wait.attempts)
			}
		})
	}
}

// A store that neither answers nor can be read says both.
func TestWhatCantBeLookedUpIsSaid(t *testing.T) {
	table, sound := withRun(t, awstest.Start(t))
	b := batch(t, sound, 1)
	table.client = faulty{
		API: sound.client,
		transact: func(context.Context, *ddb.TransactWriteItemsInput) (*ddb.TransactWriteItemsOutput, error) {
			return nil, errors.New("line cut")
		},
		get: errors.New("still cut"),
	}
	err := table.Commit(t.Context(), b)
	if err == nil || !strings.Contains(err.Error(), "line cut") || !strings.Contains(err.Error(), "still cut") {
		t.Errorf("%v, want both causes", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sound.Commit(ctx, b); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "not known") {
		t.Errorf("%v, want that nobody knows", err)
	}
}

func TestBatchesThatCantBe(t *testing.T) {
	table := New(nil, "none", nil) // no call is made
	if err := table.Commit(t.Context(), ledger.Batch{Owner: "acme"}); err == nil {
		t.Error("a batch without records was taken")
	}
	b := ledger.Batch{Owner: "acme", Records: []ledger.Record{{Seq: 1}}}
	for range maxItems {
		b.BeginActions = append(b.BeginActions, ledger.Action{})
	}
	if err := table.Commit(t.Context(), b); err == nil || !strings.Contains(err.Error(), "a transaction holds 100") {
		t.Errorf("%v, want the limit", err)
	}
}
