package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func run() retention.Run {
	return retention.Run{ID: "p1", Owner: "acme", Kind: retention.RunApply, Mode: retention.Enforce, StartedAt: noon()}
}

func intent(version retention.ID) ledger.Intent {
	return ledger.NewIntent(run(), retention.Item{
		Owner: "acme", PackageType: retention.NPM, Package: "left-pad", VersionID: version, Version: "1.0.0",
		Action: retention.Delete, Target: retention.TargetVersion, Cost: 1, UpdatedAt: noon(),
	})
}

// The format is what exports of years ago are verified by: it must not drift.
func TestRecordHashIsFixed(t *testing.T) {
	r := ledger.Record{
		V: 1, Owner: "acme", Seq: 7, At: time.Date(2026, 11, 22, 12, 0, 0, 500, time.FixedZone("", 3600)),
		Kind: ledger.KindNote, Run: "p1", Body: json.RawMessage(`{"text":"x"}`), Prev: "00",
	}
	plain := "1:1" + "4:acme" + "1:7" + "28:2026-11-22T11:00:00.0000005Z" + "4:note" + "2:p1" + `12:{"text":"x"}` + "2:00"
	if got, want := r.Sum(), sha256Hex(plain); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestIntentIDTellsActionsApart(t *testing.T) {
	base := intent(1)
	same := base
	same.Owner, same.Version, same.Cost, same.UpdatedAt = "Acme", "renamed", 9, noon().Add(time.Hour)
	if ledger.IntentID(same) != ledger.IntentID(base) {
		t.Error("what does not identify the action changed its id")
	}
	seen := map[string]string{ledger.IntentID(base): "base"}
	for name, change := range map[string]func(*ledger.Intent){
		"run":     func(in *ledger.Intent) { in.Run = "p2" },
		"owner":   func(in *ledger.Intent) { in.Owner = "globex" },
		"type":    func(in *ledger.Intent) { in.PackageType = retention.Maven },
		"package": func(in *ledger.Intent) { in.Package = "left-pad1" },
		"version": func(in *ledger.Intent) { in.VersionID = 11 },
		"target":  func(in *ledger.Intent) { in.Target = retention.TargetPackage },
		"action":  func(in *ledger.Intent) { in.Action = retention.Restore },
	} {
		other := base
		change(&other)
		if was, dup := seen[ledger.IntentID(other)]; dup {
			t.Errorf("another %s has the id of %s", name, was)
		}
		seen[ledger.IntentID(other)] = name
	}
}

func TestBeginRefusesWhatCantBeMeant(t *testing.T) {
	for name, change := range map[string]func(*ledger.Intent){
		"an intent of another run":      func(in *ledger.Intent) { in.Run = "p2" },
		"an intent of another owner":    func(in *ledger.Intent) { in.Owner = "globex" },
		"a keep":                        func(in *ledger.Intent) { in.Action = retention.Keep },
		"a version without an id":       func(in *ledger.Intent) { in.VersionID = 0 },
		"a package with a version's id": func(in *ledger.Intent) { in.Target = retention.TargetPackage },
		"no target":                     func(in *ledger.Intent) { in.Target = "" },
		"no package":                    func(in *ledger.Intent) { in.Package = "" },
		"a package name not in UTF-8":   func(in *ledger.Intent) { in.Package = "\xff" },
		"a deletion that costs nothing": func(in *ledger.Intent) { in.Cost = 0 },
		"a restore that costs less": func(in *ledger.Intent) {
			in.Action, in.Cost = retention.Restore, -1
		},
		"reasons without end": func(in *ledger.Intent) {
			in.Rules = []retention.Rule{{Reason: strings.Repeat("because ", ledger.MaxIntentBytes/8)}}
		},
		"the same twice": func(in *ledger.Intent) { in.VersionID = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			store := ledgertest.NewMemory()
			l := ledger.New(store, noon)
			if _, err := l.Start(t.Context(), run()); err != nil {
				t.Fatal(err)
			}
			bad := intent(1)
			change(&bad)
			_, err := l.Begin(t.Context(), run(), retention.DefaultLimits(), []ledger.Intent{intent(2), bad})
			if !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%v, want ErrInvalid", err)
			}
			if head, err := store.Head(t.Context(), "acme"); err != nil || head.Seq != 1 {
				t.Errorf("head %+v, %v; want the run's start alone", head, err)
			}
		})
	}
}

func TestStartNeedsARunIDAndAnOwner(t *testing.T) {
	l := ledger.New(ledgertest.NewMemory(), noon)
	for _, r := range []retention.Run{{Owner: "acme"}, {ID: "p1"}, {ID: "\xff", Owner: "acme"}} {
		if _, err := l.Start(t.Context(), r); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("start %q of %q: %v, want ErrInvalid", r.ID, r.Owner, err)
		}
	}
}

func TestStartFillsInTheTime(t *testing.T) {
	l := ledger.New(ledgertest.NewMemory(), noon)
	r := run()
	r.StartedAt, r.FinishedAt, r.Outcomes = time.Time{}, noon(), map[retention.Outcome]int{"done": 1}
	if _, err := l.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, err := l.Runs(t.Context(), "Acme", 0)
	if diff := cmp.Diff([]retention.Run{run()}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// export makes a small ledger and returns its export, line by line.
func export(t *testing.T) []string {
	t.Helper()
	l := ledger.New(ledgertest.NewMemory(), noon)
	ctx := t.Context()
	if _, err := l.Start(ctx, run()); err != nil {
		t.Fatal(err)
	}
	g, err := l.Begin(ctx, run(), retention.DefaultLimits(), []ledger.Intent{intent(1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		l.Note(ctx, "acme", "p1", "paused until 13:00"),
		l.Finish(ctx, g.New[0], ledger.Result{Outcome: retention.OutcomeDone}),
		l.Close(ctx, run(), map[retention.Outcome]int{"done": 1}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := l.Export(ctx, "ACME", &b); err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func TestVerifyExportNamesTheFirstBreak(t *testing.T) {
	whole := export(t)
	if v, err := ledger.VerifyExport(strings.NewReader(strings.Join(whole, ""))); err != nil || v.Records != 5 || v.Actions != 1 {
		t.Fatalf("the export as it is: %+v, %v", v, err)
	}
	if v, err := ledger.VerifyExport(strings.NewReader("")); err != nil || v != (ledger.Verification{}) {
		t.Fatalf("an empty file: %+v, %v", v, err)
	}
	// relink gives every record from one on new hashes: the chain fits again,
	// what it says does not.
	relink := func(lines []string, edit func(i int, r *ledger.Record)) []string {
		prev := strings.Repeat("0", 64)
		var out []string
		for i, line := range lines {
			var r ledger.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			r.Seq, r.Prev = int64(i+1), prev
			edit(i, &r)
			r.Hash = r.Sum()
			prev = r.Hash
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(b)+"\n")
		}
		return out
	}
	asIs := func(int, *ledger.Record) {}
	pick := func(is ...int) (out []string) {
		for _, i := range is {
			out = append(out, whole[i])
		}
		return out
	}
	body := func(at int, b string) func(int, *ledger.Record) {
		return func(i int, r *ledger.Record) {
			if i == at {
				r.Body = json.RawMessage(b)
			}
		}
	}
	for name, tt := range map[string]struct {
		lines []string
		seq   int64
		says  string
	}{
		"line removed":             {pick(0, 1, 3), 3, "record 4 is where 3 belongs"},
		"lines swapped":            {pick(0, 2, 1), 2, "record 3 is where 2 belongs"},
		"character changed":        {append(pick(0), strings.Replace(whole[1], "left-pad", "left-pod", 1)), 2, "hash does not fit"},
		"not JSON":                 {append(pick(0), "{"), 2, "can't be read"},
		"field added":              {append(pick(0), strings.Replace(whole[1], `{"v"`, `{"x":1,"v"`, 1)), 2, "unknown field"},
		"field added to a body":    {relink(pick(0, 2), body(1, `{"text":"","x":1}`)), 2, "unknown field"},
		"run twice":                {relink(pick(0, 0), asIs), 2, "started twice"},
		"intent without a run":     {relink(pick(1), asIs), 1, "has no run"},
		"intent twice":             {relink(pick(0, 1, 1), asIs), 3, "there twice"},
		"intent after the end":     {relink(pick(0, 4, 1), asIs), 3, "after its run was finished"},
		"intent changed":           {relink(pick(0, 1), body(1, `{"id":"x","run":"p1","owner":"acme"}`)), 2, "own id"},
		"outcome without intent":   {relink(pick(0, 3), asIs), 2, "has no intent"},
		"outcome twice":            {relink(pick(0, 1, 3, 3), asIs), 4, "can't follow"},
		"end without a run":        {relink(pick(4), asIs), 1, "was not started"},
		"end twice":                {relink(pick(0, 4, 4), asIs), 3, "finished twice"},
		"another owner's record":   {relink(pick(0, 2), func(i int, r *ledger.Record) { r.Owner = []string{"acme", "globex"}[i] }), 2, "belongs to globex"},
		"run of another owner":     {relink(pick(0), body(0, `{"id":"p1","owner":"globex","kind":"apply","mode":"enforce","trigger":{"kind":"cli"},"started_at":"2026-11-22T12:00:00Z","planned":0}`)), 1, "does not belong here"},
		"kind that does not exist": {relink(pick(0, 2), func(i int, r *ledger.Record) { r.Kind = []ledger.Kind{ledger.KindRunStarted, "refund"}[i] }), 2, "not known"},
		"format of the future":     {relink(pick(0), func(_ int, r *ledger.Record) { r.V = 2 }), 1, "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.VerifyExport(strings.NewReader(strings.Join(tt.lines, "")))
			var broken *ledger.BrokenError
			if !errors.As(err, &broken) || broken.Seq != tt.seq || !strings.Contains(broken.Detail, tt.says) {
				t.Errorf("%v, want record %d, %q", err, tt.seq, tt.says)
			}
		})
	}
}

func TestVerifyNoticesWhatIsMissingBesideTheChain(t *testing.T) {
	store := ledgertest.NewMemory()
	l := ledger.New(store, noon)
	if _, err := l.Start(t.Context(), run()); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]ledger.Store{
		"a run not kept":     without{Store: store, runs: true},
		"a run made up":      without{Store: store, extra: true},
		"an action made up":  without{Store: store, action: true},
		"a record cut short": without{Store: store, records: true},
	} {
		var broken *ledger.BrokenError
		if _, err := ledger.New(s, noon).Verify(t.Context(), "acme"); !errors.As(err, &broken) {
			t.Errorf("%s: %v, want a BrokenError", name, err)
		}
	}
}

// without is a store that hides or makes up something.
type without struct {
	ledger.Store
	runs, extra, action, records bool
}

func (w without) Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error) {
	runs, err := w.Store.Runs(ctx, owner, limit)
	if w.runs {
		return nil, err
	}
	if w.extra {
		runs = append(runs, retention.Run{ID: "p2"})
	}
	return runs, err
}

func (w without) Actions(ctx context.Context, owner, run string) ([]ledger.Action, error) {
	if w.action {
		return []ledger.Action{{Intent: intent(1), Seq: 2}}, nil
	}
	return w.Store.Actions(ctx, owner, run)
}

func (w without) Records(ctx context.Context, owner string, after int64, limit int) ([]ledger.Record, error) {
	if w.records {
		return nil, nil
	}
	return w.Store.Records(ctx, owner, after, limit)
}

func TestBudgetErrorsSayWhatToDo(t *testing.T) {
	perRun := &ledger.BudgetError{Which: retention.GuardDeletesPerRun, Limit: 10, Used: 7, Asked: 4}
	if got, want := perRun.Error(), "budget deletes_per_run: 4 asked, 7 of 10 used: what is left is taken up by the next run; raise limits.deletes_per_run to do more in one"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	perDay := &ledger.BudgetError{Which: retention.GuardDeletesPerDay, Limit: 10, Used: 7, Asked: 4}
	if got, want := perDay.Error(), "budget deletes_per_day: 4 asked, 7 of 10 used: wait for the next UTC day or raise limits.deletes_per_day"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// endless is the beginning of a record and then the same for ever.
type endless struct{ begin io.Reader }

func (e endless) Read(p []byte) (int, error) {
	if n, err := e.begin.Read(p); err == nil {
		return n, nil
	}
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestAnEndlessRecordIsNotReadWhole(t *testing.T) {
	_, err := ledger.VerifyExport(endless{strings.NewReader(`{"v": 1, "owner": "`)})
	if broken, ok := errors.AsType[*ledger.BrokenError](err); !ok || !strings.Contains(broken.Error(), "longer than 4 MiB") {
		t.Error(err)
	}
}
