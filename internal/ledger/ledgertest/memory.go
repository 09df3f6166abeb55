package ledgertest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Memory is a ledger.Store in memory. It is safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	owners map[string]*memoryOwner
}

type memoryOwner struct {
	head     ledger.Head
	records  []ledger.Record
	counters map[string]int
	runs     map[string]retention.Run
	actions  map[string]ledger.Action
}

var _ ledger.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{owners: map[string]*memoryOwner{}} }

// view calls f with an owner's data, empty when there is none, under the lock.
func (m *Memory) view(ctx context.Context, owner string, f func(o *memoryOwner)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.owners[owner]
	if !ok {
		o = &memoryOwner{}
	}
	f(o)
	return nil
}

// Owners implements ledger.Chain.
func (m *Memory) Owners(ctx context.Context) (owners []string, err error) {
	err = m.view(ctx, "", func(*memoryOwner) { owners = slices.Sorted(maps.Keys(m.owners)) })
	return owners, err
}

// Head implements ledger.Chain.
func (m *Memory) Head(ctx context.Context, owner string) (h ledger.Head, err error) {
	err = m.view(ctx, owner, func(o *memoryOwner) { h = o.head })
	return h, err
}

// Records implements ledger.Chain.
func (m *Memory) Records(ctx context.Context, owner string, after int64, limit int) (out []ledger.Record, err error) {
	err = m.view(ctx, owner, func(o *memoryOwner) {
		for _, r := range o.records {
			if r.Seq > after && len(out) < limit {
				out = append(out, r)
			}
		}
	})
	return out, err
}

// Counters implements ledger.Chain.
func (m *Memory) Counters(ctx context.Context, owner string) (out map[string]int, err error) {
	err = m.view(ctx, owner, func(o *memoryOwner) { out = maps.Clone(o.counters) })
	return out, err
}

// Counter implements ledger.Chain.
func (m *Memory) Counter(ctx context.Context, owner, name string) (n int, err error) {
	err = m.view(ctx, owner, func(o *memoryOwner) { n = o.counters[name] })
	return n, err
}

// Run implements ledger.Index.
func (m *Memory) Run(ctx context.Context, owner, id string) (run retention.Run, ok bool, err error) {
	err = m.view(ctx, owner, func(o *memoryOwner) { run, ok = o.runs[id] })
	return run, ok, err
}

// Runs implements ledger.Index.
func (m *Memory) Runs(ctx context.Context, owner string, limit int) (runs []retention.Run, err error) {
	err = m.view(ctx, owner, func(o *memoryOwner) { runs = slices.Collect(maps.Values(o.runs)) })
	slices.SortFunc(runs, func(a, b retention.Run) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(b.ID, a.ID))
	})
	if limit > 0 && len(runs) > limit {
		runs = runs[:limit]
	}
	return runs, err
}

// Lookup implements ledger.Index.
func (m *Memory) Lookup(ctx context.Context, owner, run string, ids []string) ([]ledger.Action, error) {
	return m.choose(ctx, owner, func(a ledger.Action) bool { return a.Run == run && slices.Contains(ids, a.ID) })
}

// Actions implements ledger.Index.
func (m *Memory) Actions(ctx context.Context, owner, run string) ([]ledger.Action, error) {
	return m.choose(ctx, owner, func(a ledger.Action) bool { return a.Run == run })
}

// OpenActions implements ledger.Index.
func (m *Memory) OpenActions(ctx context.Context, owner string) ([]ledger.Action, error) {
	return m.choose(ctx, owner, func(a ledger.Action) bool { return a.Outcome == "" })
}

// PackageActions implements ledger.Index.
func (m *Memory) PackageActions(ctx context.Context, ref retention.PackageRef, since time.Time) ([]ledger.Action, error) {
	return m.choose(ctx, ref.Owner, func(a ledger.Action) bool {
		return a.PackageType == ref.Type && a.Package == ref.Name && !a.At.Before(since)
	})
}

func (m *Memory) choose(ctx context.Context, owner string, want func(ledger.Action) bool) (out []ledger.Action, err error) {
	err = m.view(ctx, owner, func(o *memoryOwner) {
		for _, a := range o.actions {
			if want(a) {
				out = append(out, a)
			}
		}
	})
	slices.SortFunc(out, func(a, b ledger.Action) int { return cmp.Compare(a.Seq, b.Seq) })
	return out, err
}

// Commit implements ledger.Chain.
func (m *Memory) Commit(ctx context.Context, b ledger.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.owners[b.Owner]
	if !ok {
		o = &memoryOwner{counters: map[string]int{}, runs: map[string]retention.Run{}, actions: map[string]ledger.Action{}}
	}
	if err := o.refuse(b); err != nil {
		return err
	}
	m.owners[b.Owner] = o
	o.write(b)
	return nil
}

// refuse says why a batch can't be written.
func (o *memoryOwner) refuse(b ledger.Batch) error {
	if o.head != b.Expect {
		return ledger.ErrConflict
	}
	if b.StartRun != nil {
		if _, ok := o.runs[b.StartRun.ID]; ok {
			return ledger.ErrExists
		}
	}
	for _, a := range b.BeginActions {
		if _, ok := o.actions[a.ID]; ok {
			return ledger.ErrExists
		}
	}
	for _, c := range b.Counters {
		if used := o.counters[c.Name]; c.N > c.Limit-used {
			return &ledger.BudgetError{Which: c.Guard, Limit: c.Limit, Used: used, Asked: c.N}
		}
	}
	return nil
}

func (o *memoryOwner) write(b ledger.Batch) {
	o.head = b.Head()
	o.records = append(o.records, b.Records...)
	for _, c := range b.Counters {
		o.counters[c.Name] += c.N
	}
	for _, run := range []*retention.Run{b.StartRun, b.FinishRun} {
		if run != nil {
			o.runs[run.ID] = *run
		}
	}
	for _, a := range b.BeginActions {
		o.actions[a.ID] = a
	}
	if a := b.FinishAction; a != nil {
		o.actions[a.ID] = *a
	}
}
