package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var _ oci.Cache = (*Table)(nil)

func TestManifestsAreKeptForGood(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		table := open(t, env)
		put, ask := map[string][]byte{}, []string{"sha256:unknown", "sha256:1", "sha256:1"}
		for i := range 130 { // more than one call of either kind takes
			d := fmt.Sprintf("sha256:%d", i)
			put[d] = []byte(d)
			ask = append(ask, d)
		}
		put["sha256:0"] = []byte{}
		put["sha256:large"] = make([]byte, maxManifest+1)
		for range 2 { // once more is harmless
			if err := table.PutManifests(t.Context(), put); err != nil {
				t.Fatal(err)
			}
		}
		delete(put, "sha256:large")
		got, err := table.Manifests(t.Context(), append(ask, "sha256:large"))
		if diff := cmp.Diff(put, got); diff != "" || err != nil {
			t.Errorf("manifests %v (-want +got)\n%s", err, diff)
		}
		if got, err := table.Manifests(t.Context(), nil); len(got) != 0 || err != nil {
			t.Errorf("of nothing: %v, %v", got, err)
		}
	})
}

// halting does at most so many items of a batch at a time, as under throttling.
type halting struct {
	API
	most int
}

func (h halting) BatchGetItem(ctx context.Context, in *ddb.BatchGetItemInput, opts ...func(*ddb.Options)) (*ddb.BatchGetItemOutput, error) {
	left := map[string]types.KeysAndAttributes{}
	for name, ask := range in.RequestItems {
		n := min(h.most, len(ask.Keys))
		rest := ask
		ask.Keys, rest.Keys = ask.Keys[:n], ask.Keys[n:]
		if len(rest.Keys) > 0 {
			left[name] = rest
		}
		if n == 0 {
			return &ddb.BatchGetItemOutput{UnprocessedKeys: left}, nil
		}
		in.RequestItems[name] = ask
	}
	out, err := h.API.BatchGetItem(ctx, in, opts...)
	if err == nil {
		out.UnprocessedKeys = left
	}
	return out, err
}

func (h halting) BatchWriteItem(ctx context.Context, in *ddb.BatchWriteItemInput, opts ...func(*ddb.Options)) (*ddb.BatchWriteItemOutput, error) {
	left := map[string][]types.WriteRequest{}
	for name, puts := range in.RequestItems {
		n := min(h.most, len(puts))
		if n < len(puts) {
			left[name] = puts[n:]
		}
		if n == 0 {
			return &ddb.BatchWriteItemOutput{UnprocessedItems: left}, nil
		}
		in.RequestItems[name] = puts[:n]
	}
	out, err := h.API.BatchWriteItem(ctx, in, opts...)
	if err == nil {
		out.UnprocessedItems = left
	}
	return out, err
}

func TestWhatIsLeftUnprocessedIsDoneLater(t *testing.T) {
	table := open(t, awstest.Start(t))
	table.wait = backoff{attempts: 3, first: time.Millisecond, longest: time.Millisecond}
	sound := table.client
	want := map[string][]byte{}
	var ask []string
	for i := range 20 { // more rounds than attempts: progress counts anew
		d := fmt.Sprintf("sha256:%d", i)
		want[d] = []byte(d)
		ask = append(ask, d)
	}
	table.client = halting{sound, 3}
	if err := table.PutManifests(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := table.Manifests(t.Context(), ask)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("manifests %v (-want +got)\n%s", err, diff)
	}
	table.client = halting{sound, 0}
	if err := table.PutManifests(t.Context(), want); !errors.Is(err, errBusy) {
		t.Errorf("put: %v, want that it is throttling", err)
	}
	if _, err := table.Manifests(t.Context(), ask); !errors.Is(err, errBusy) {
		t.Errorf("get: %v, want that it is throttling", err)
	}
}

func TestDeliveriesAreSeenUntilTheirTime(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		table := open(t, env)
		now := noon
		table.now = func() time.Time { return now }
		seen := func(id string, want bool) {
			t.Helper()
			if got, err := table.Seen(t.Context(), id); got != want || err != nil {
				t.Errorf("%s at %s: %v, %v; want %v", id, now, got, err, want)
			}
		}
		seen("a", false)
		until := noon.Add(time.Hour + time.Millisecond)
		if err := table.Mark(t.Context(), "a", until); err != nil {
			t.Fatal(err)
		}
		seen("a", true)
		seen("b", false)
		now = until.Add(-1)
		seen("a", true)
		now = until
		seen("a", false) // though DynamoDB still has it
		if err := table.Mark(t.Context(), "a", until.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		seen("a", true)
		i, err := table.get(t.Context(), deliveryKey("a"))
		if err != nil {
			t.Fatal(err)
		}
		want := number(until.Add(time.Hour).Unix() + 1) // not before its time
		if diff := cmp.Diff(want.(*types.AttributeValueMemberN).Value, i[TTLAttribute].(*types.AttributeValueMemberN).Value); diff != "" {
			t.Errorf("time to live (-want +got)\n%s", diff)
		}
	})
}

// Whatever can't be read is an error, never nothing.
func TestATableThatCantBeReachedIsAnError(t *testing.T) {
	env := awstest.Start(t)
	table := New(ddb.NewFromConfig(env.Config, noRetries), awstest.Unique("none"), func() time.Time { return noon })
	ctx, ref := t.Context(), intent(1).Ref()
	calls := map[string]func() error{
		"Owners":         func() error { _, err := table.Owners(ctx); return err },
		"Head":           func() error { _, err := table.Head(ctx, "acme"); return err },
		"Records":        func() error { _, err := table.Records(ctx, "acme", 0, 1); return err },
		"Counter":        func() error { _, err := table.Counter(ctx, "acme", "x"); return err },
		"Counters":       func() error { _, err := table.Counters(ctx, "acme"); return err },
		"Run":            func() error { _, _, err := table.Run(ctx, "acme", "x"); return err },
		"Runs":           func() error { _, err := table.Runs(ctx, "acme", 0); return err },
		"Lookup":         func() error { _, err := table.Lookup(ctx, "acme", "x", []string{"x"}); return err },
		"Actions":        func() error { _, err := table.Actions(ctx, "acme", "x"); return err },
		"OpenActions":    func() error { _, err := table.OpenActions(ctx, "acme"); return err },
		"PackageActions": func() error { _, err := table.PackageActions(ctx, ref, noon); return err },
		"Manifests":      func() error { _, err := table.Manifests(ctx, []string{"x"}); return err },
		"PutManifests":   func() error { return table.PutManifests(ctx, map[string][]byte{"x": nil}) },
		"Seen":           func() error { _, err := table.Seen(ctx, "x"); return err },
		"Mark":           func() error { return table.Mark(ctx, "x", noon) },
		"LoadSweep":      func() error { _, _, err := table.Sweeps().LoadSweep(ctx, "x"); return err },
		"SaveSweep":      func() error { return table.Sweeps().SaveSweep(ctx, "x", nil) },
		"Known": func() error {
			for _, err := range table.Known(ctx, "x") {
				return err
			}
			return nil
		},
		"ActiveVersions": func() error { _, err := table.ActiveVersions(ctx, "x"); return err },
		"SaveKnown":      func() error { return table.SaveKnown(ctx, retention.KnownPackage{Ref: ref}, 1) },
		"Switch":         func() error { _, err := table.Switch(ctx); return err },
		"SetSwitch":      func() error { _, err := table.SetSwitch(ctx, true, ""); return err },
		"Hold":           func() error { return table.Hold(ctx, "x", "me", noon) },
		"Release":        func() error { return table.Release(ctx, "x", "me") },
		"LoadHook":       func() error { _, _, err := table.LoadHook(ctx, 1); return err },
		"SaveHook":       func() error { return table.SaveHook(ctx, 1, nil) },
		"Commit": func() error {
			return table.Commit(ctx, ledger.Batch{Owner: "acme", Records: []ledger.Record{{Seq: 1}}})
		},
	}
	for name, call := range calls {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Nor is anything that can't be understood.
func TestDamagedItemsAreErrors(t *testing.T) {
	_, table := withRun(t, awstest.Start(t))
	v := &vandal{t, table, "acme"}
	v.put(docItem{runKey("acme", "run-1"), "{"})
	v.put(docItem{actionKey("acme", "run-1", "x"), "[]"})
	v.put(pageItem{key: pageKey("acme", 1), Records: []recordItem{{Seq: 1, At: "noon"}}})
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Run":         func() error { _, _, err := table.Run(ctx, "acme", "run-1"); return err },
		"Runs":        func() error { _, err := table.Runs(ctx, "acme", 0); return err },
		"Actions":     func() error { _, err := table.Actions(ctx, "acme", "run-1"); return err },
		"OpenActions": func() error { _, err := table.OpenActions(ctx, "acme"); return err },
		"Lookup":      func() error { _, err := table.Lookup(ctx, "acme", "run-1", []string{"x"}); return err },
		"Records":     func() error { _, err := table.Records(ctx, "acme", 0, 1); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
