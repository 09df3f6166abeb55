package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/ledgertest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func sha256Hex(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

var errDown = errors.New("the store is down")

// failing is a store whose calls fail from the nth on.
type failing struct {
	ledger.Store
	left atomic.Int64
}

func (f *failing) err() error {
	if f.left.Add(-1) < 0 {
		return errDown
	}
	return nil
}

func (f *failing) Owners(ctx context.Context) ([]string, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.Owners(ctx)
}

func (f *failing) Head(ctx context.Context, owner string) (ledger.Head, error) {
	if err := f.err(); err != nil {
		return ledger.Head{}, err
	}
	return f.Store.Head(ctx, owner)
}

func (f *failing) Commit(ctx context.Context, b ledger.Batch) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.Store.Commit(ctx, b)
}

func (f *failing) Records(ctx context.Context, owner string, after int64, limit int) ([]ledger.Record, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.Records(ctx, owner, after, limit)
}

func (f *failing) Counters(ctx context.Context, owner string) (map[string]int, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.Counters(ctx, owner)
}

func (f *failing) Counter(ctx context.Context, owner, name string) (int, error) {
	if err := f.err(); err != nil {
		return 0, err
	}
	return f.Store.Counter(ctx, owner, name)
}

func (f *failing) Run(ctx context.Context, owner, id string) (retention.Run, bool, error) {
	if err := f.err(); err != nil {
		return retention.Run{}, false, err
	}
	return f.Store.Run(ctx, owner, id)
}

func (f *failing) Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.Runs(ctx, owner, limit)
}

func (f *failing) Lookup(ctx context.Context, owner, run string, ids []string) ([]ledger.Action, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.Lookup(ctx, owner, run, ids)
}

func (f *failing) Actions(ctx context.Context, owner, run string) ([]ledger.Action, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.Actions(ctx, owner, run)
}

func (f *failing) OpenActions(ctx context.Context, owner string) ([]ledger.Action, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.OpenActions(ctx, owner)
}

func (f *failing) PackageActions(ctx context.Context, ref retention.PackageRef, since time.Time) ([]ledger.Action, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Store.PackageActions(ctx, ref, since)
}

// Every operation is tried with the store going down before its first call, its
// second and so on, until it has calls enough: no failure may be swallowed, and
// none may leave a chain that is not whole.
func TestNoFailureOfTheStoreIsSwallowed(t *testing.T) {
	ops := map[string]func(l *ledger.Ledger, ctx context.Context) error{
		"start": func(l *ledger.Ledger, ctx context.Context) error {
			r := run()
			r.ID = "p2"
			_, err := l.Start(ctx, r)
			return err
		},
		"begin": func(l *ledger.Ledger, ctx context.Context) error {
			_, err := l.Begin(ctx, run(), retention.DefaultLimits(), []ledger.Intent{intent(5)})
			return err
		},
		"finish": func(l *ledger.Ledger, ctx context.Context) error {
			in := intent(1)
			in.ID = ledger.IntentID(in)
			return l.Finish(ctx, in, ledger.Result{Outcome: retention.OutcomeDone})
		},
		"close": func(l *ledger.Ledger, ctx context.Context) error {
			r := run()
			r.ID = "empty"
			return l.Close(ctx, r, nil)
		},
		"note":   func(l *ledger.Ledger, ctx context.Context) error { return l.Note(ctx, "acme", "p1", "x") },
		"used":   func(l *ledger.Ledger, ctx context.Context) error { _, err := l.Used(ctx, "acme", "p1"); return err },
		"owners": func(l *ledger.Ledger, ctx context.Context) error { _, err := l.Owners(ctx); return err },
		"open":   func(l *ledger.Ledger, ctx context.Context) error { _, err := l.Open(ctx, "acme"); return err },
		"runs":   func(l *ledger.Ledger, ctx context.Context) error { _, err := l.Runs(ctx, "", 1); return err },
		"run":    func(l *ledger.Ledger, ctx context.Context) error { _, err := l.Run(ctx, "p1"); return err },
		"actions": func(l *ledger.Ledger, ctx context.Context) error {
			_, err := l.Actions(ctx, "p1")
			return err
		},
		"deleted by": func(l *ledger.Ledger, ctx context.Context) error {
			_, err := l.DeletedBy(ctx, intent(1).Ref())
			return err
		},
		"restored": func(l *ledger.Ledger, ctx context.Context) error {
			_, err := l.Restored(ctx, intent(1).Ref())
			return err
		},
		"refusals": func(l *ledger.Ledger, ctx context.Context) error {
			_, err := l.Refusals(ctx, intent(1).Ref(), time.Time{})
			return err
		},
		"verify": func(l *ledger.Ledger, ctx context.Context) error { _, err := l.Verify(ctx, "acme"); return err },
		"export": func(l *ledger.Ledger, ctx context.Context) error { return l.Export(ctx, "acme", io.Discard) },
	}
	for name, op := range ops {
		t.Run(name, func(t *testing.T) {
			for calls := int64(0); ; calls++ {
				store := ledgertest.NewMemory()
				sound := ledger.New(store, noon)
				begun(t, sound)
				f := &failing{Store: store}
				f.left.Store(calls)
				err := op(ledger.New(f, noon), t.Context())
				if _, verr := sound.Verify(t.Context(), "acme"); verr != nil {
					t.Fatalf("after %d calls: %v", calls, verr)
				}
				if f.left.Load() >= 0 {
					if err != nil || calls == 0 {
						t.Errorf("with %d calls: %v", calls, err)
					}
					return
				}
				if !errors.Is(err, errDown) {
					t.Fatalf("the store went down after %d calls: %v", calls, err)
				}
			}
		})
	}
}

// begun starts two runs and begins one action in the first.
func begun(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	for _, id := range []string{"p1", "empty"} {
		r := run()
		r.ID = id
		if _, err := l.Start(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Begin(t.Context(), run(), retention.DefaultLimits(), []ledger.Intent{intent(1)}); err != nil {
		t.Fatal(err)
	}
}

// contended answers the first n commits with err.
type contended struct {
	ledger.Store
	n   int
	err error
}

func (c *contended) Commit(ctx context.Context, b ledger.Batch) error {
	if c.n--; c.n >= 0 {
		return c.err
	}
	return c.Store.Commit(ctx, b)
}

func TestConflictsAreTriedAgain(t *testing.T) {
	for _, cause := range []error{ledger.ErrConflict, ledger.ErrExists} {
		l := ledger.New(&contended{Store: ledgertest.NewMemory(), n: 3, err: cause}, noon)
		if _, err := l.Start(t.Context(), run()); err != nil {
			t.Errorf("three times %v: %v", cause, err)
		}
		if v, err := l.Verify(t.Context(), "acme"); err != nil || v.Records != 1 {
			t.Errorf("%+v, %v; want one record", v, err)
		}
	}
}

func TestConflictsEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	l := ledger.New(&contended{Store: ledgertest.NewMemory(), n: 1 << 30, err: ledger.ErrConflict}, noon)
	if _, err := l.Start(ctx, run()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's end", err)
	}
}

// moving is a store whose head is another one each time it is asked for.
type moving struct {
	ledger.Store
	seq int64
}

func (m *moving) Head(context.Context, string) (ledger.Head, error) {
	m.seq++
	return ledger.Head{Seq: m.seq}, nil
}

func TestVerifyGivesUpOnALedgerThatIsWrittenTo(t *testing.T) {
	l := ledger.New(&moving{Store: ledgertest.NewMemory()}, noon)
	if _, err := l.Verify(t.Context(), "acme"); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("%v, want ErrConflict", err)
	}
}

// held is a store whose commits wait.
type held struct {
	ledger.Store
	entered, release chan struct{}
}

func (h held) Commit(ctx context.Context, b ledger.Batch) error {
	close(h.entered)
	<-h.release
	return h.Store.Commit(ctx, b)
}

func TestWaitingForAnotherWriterEndsWithTheContext(t *testing.T) {
	h := held{Store: ledgertest.NewMemory(), entered: make(chan struct{}), release: make(chan struct{})}
	l := ledger.New(h, noon)
	first := make(chan error)
	go func() { _, err := l.Start(context.Background(), run()); first <- err }()
	<-h.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Start(ctx, run()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	close(h.release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errDown }

func TestExportReportsWhatCantBeWritten(t *testing.T) {
	l := ledger.New(ledgertest.NewMemory(), noon)
	begun(t, l)
	if err := l.Export(t.Context(), "acme", full{}); !errors.Is(err, errDown) {
		t.Errorf("%v, want the writer's error", err)
	}
}
