package dynamodb

import (
	"context"
	"fmt"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// Owners returns the keys of all chains, sorted.
func (t *Table) Owners(ctx context.Context) ([]string, error) {
	owners, err := all(ctx, t, span{pk: ownersPK}, func(i item) (string, error) {
		o, err := read[ownerItem](i)
		return o.Owner, err
	})
	if err != nil {
		return nil, fmt.Errorf("owners in table %s: %w", t.name, err)
	}
	slices.Sort(owners)
	return owners, nil
}

// Head returns the end of an owner's chain, the zero Head when there is none.
func (t *Table) Head(ctx context.Context, owner string) (ledger.Head, error) {
	i, err := t.get(ctx, headKey(owner))
	if err != nil || i == nil {
		return ledger.Head{}, err
	}
	h, err := read[headItem](i)
	return ledger.Head{Seq: h.Seq, Hash: h.Hash}, err
}

// Records returns up to limit records of an owner after a sequence number.
func (t *Table) Records(ctx context.Context, owner string, after int64, limit int) ([]ledger.Record, error) {
	var out []ledger.Record
	if limit <= 0 {
		return nil, nil
	}
	// A page bears its last number: the first above after may begin below it.
	s := span{pk: recordsPK(owner), after: padded(after), limit: int32(min(limit, 1000))}
	err := t.query(ctx, s, func(i item) (bool, error) {
		page, err := read[pageItem](i)
		if err != nil {
			return false, err
		}
		for _, ri := range page.Records {
			r, err := ri.record()
			if err != nil {
				return false, err
			}
			if r.Seq > after && len(out) < limit {
				out = append(out, r)
			}
		}
		return len(out) < limit, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Counter returns one counter of an owner, 0 when there is none.
func (t *Table) Counter(ctx context.Context, owner, name string) (int, error) {
	i, err := t.get(ctx, counterKey(owner, name))
	if err != nil || i == nil {
		return 0, err
	}
	c, err := read[counterItem](i)
	return c.N, err
}

// Counters returns all counters of an owner.
func (t *Table) Counters(ctx context.Context, owner string) (map[string]int, error) {
	list, err := all(ctx, t, span{pk: chainPK(owner), prefix: counterPrefix}, read[counterItem])
	if err != nil {
		return nil, err
	}
	out := make(map[string]int, len(list))
	for _, c := range list {
		out[c.Name] = c.N
	}
	return out, nil
}
