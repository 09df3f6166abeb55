package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// page is how many records are read at a time.
const page = 500

// verifyAttempts is how often Verify starts over because the ledger was written to.
const verifyAttempts = 5

// Verification is what a whole chain amounts to.
type Verification struct {
	Owner   string
	Records int64
	Head    string // hash of the last record; note it elsewhere and give it to VerifyExpect
	Runs    int
	Actions int
	Open    int // actions without an outcome
}

// Verify reads an owner's chain from the start and makes sure that every record
// follows the one before it, that every outcome has its intent and every intent
// its run, that the counters are the sum of the intents, and that the runs and
// actions kept beside the chain are what the chain says. The first thing wrong is
// returned as a *BrokenError.
func (l *Ledger) Verify(ctx context.Context, owner string) (Verification, error) {
	return l.VerifyExpect(ctx, owner, "")
}

// VerifyExpect is Verify, and makes sure that the chain holds a head noted
// earlier: nothing up to there was cut off or written anew.
func (l *Ledger) VerifyExpect(ctx context.Context, owner, head string) (Verification, error) {
	key := OwnerKey(owner)
	for range verifyAttempts {
		v, err := l.verify(ctx, key, head)
		if !errors.Is(err, ErrConflict) {
			if err != nil {
				return Verification{}, fmt.Errorf("verify: %w", err)
			}
			return v, nil
		}
	}
	return Verification{}, fmt.Errorf("verify the ledger of %s: %w: try again when nothing runs", owner, ErrConflict)
}

// verify is one attempt; ErrConflict when somebody wrote meanwhile.
func (l *Ledger) verify(ctx context.Context, owner, expect string) (Verification, error) {
	head, err := l.store.Head(ctx, owner)
	if err != nil {
		return Verification{}, fmt.Errorf("read the head of %s: %w", owner, err)
	}
	p := newReplay(owner, expect)
	wrong := l.each(ctx, owner, p.add)
	if wrong == nil {
		wrong = l.compare(ctx, p, head)
	}
	// What looks wrong may only be a write between two reads.
	now, err := l.store.Head(ctx, owner)
	switch {
	case err != nil:
		return Verification{}, fmt.Errorf("read the head of %s: %w", owner, err)
	case now != head:
		return Verification{}, ErrConflict
	case wrong != nil:
		return Verification{}, wrong
	}
	return p.verification(), nil
}

func (p *replay) verification() Verification {
	v := Verification{Owner: p.owner, Records: p.head.Seq, Runs: len(p.runs), Actions: len(p.intents), Open: p.open()}
	if p.head.Seq > 0 {
		v.Head = p.head.Hash
	}
	return v
}

// each hands over all records of a chain in order.
func (l *Ledger) each(ctx context.Context, owner string, f func(Record) error) error {
	for after := int64(0); ; {
		records, err := l.store.Records(ctx, owner, after, page)
		if err != nil {
			return fmt.Errorf("read the records of %s after %d: %w", owner, after, err)
		}
		for _, r := range records {
			if err := f(r); err != nil {
				return err
			}
			after = r.Seq
		}
		if len(records) < page {
			return nil
		}
	}
}

// compare holds what the store keeps beside the chain against the chain.
func (l *Ledger) compare(ctx context.Context, p *replay, head Head) error {
	if v := p.verification(); head.Seq != v.Records || head.Hash != v.Head {
		return p.broken(p.head.Seq+1, "the chain ends at record %d, its head is noted as record %d (%.12s)", p.head.Seq, head.Seq, head.Hash)
	}
	if err := p.expected(); err != nil {
		return err
	}
	counters, err := l.store.Counters(ctx, p.owner)
	if err != nil {
		return fmt.Errorf("read the counters of %s: %w", p.owner, err)
	}
	if err := p.compareCounters(counters); err != nil {
		return err
	}
	runs, err := l.store.Runs(ctx, p.owner, 0)
	if err != nil {
		return fmt.Errorf("read the runs of %s: %w", p.owner, err)
	}
	if err := p.compareRuns(runs); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(p.runs)) {
		actions, err := l.store.Actions(ctx, p.owner, id)
		if err != nil {
			return fmt.Errorf("read the actions of run %s: %w", id, err)
		}
		if err := p.compareActions(id, actions); err != nil {
			return err
		}
	}
	return nil
}

// expected makes sure that the head noted earlier was met.
func (p *replay) expected() error {
	if !p.found {
		return p.broken(p.head.Seq+1, "the noted head %.12s is not in the chain of %d records: it was cut off or written anew", p.expect, p.head.Seq)
	}
	return nil
}

func (p *replay) compareCounters(kept map[string]int) error {
	names := maps.Clone(kept)
	maps.Copy(names, p.counters)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if kept[name] != p.counters[name] {
			return p.broken(0, "counter %s is %d, the intents add up to %d", name, kept[name], p.counters[name])
		}
	}
	return nil
}

func (p *replay) compareRuns(kept []retention.Run) error {
	missing := maps.Clone(p.runs)
	for _, run := range kept {
		want, ok := missing[run.ID]
		if !ok {
			return p.broken(0, "run %s is kept but not in the chain", run.ID)
		}
		if !sameJSON(run, want.run) {
			return p.broken(want.seq, "run %s is kept otherwise than recorded", run.ID)
		}
		delete(missing, run.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(missing)) {
		return p.broken(missing[id].seq, "run %s is recorded but not kept", id)
	}
	return nil
}

func (p *replay) compareActions(run string, kept []Action) error {
	slices.SortFunc(kept, bySeq)
	for _, a := range kept {
		want, ok := p.intents[a.ID]
		if !ok || want.run != run {
			return p.broken(a.Seq, "action %s of run %s is kept but not in the chain", a.ID, run)
		}
		body, err := json.Marshal(a.Intent)
		if err != nil {
			return fmt.Errorf("encode action %s: %w", a.ID, err)
		}
		id := a.ID
		a.Intent = Intent{}
		if sha256.Sum256(body) != want.intent || !sameJSON(a, want.action) {
			return p.broken(max(want.action.Seq, want.action.FinishedSeq), "action %s of run %s is kept otherwise than recorded", id, run)
		}
	}
	if len(kept) != p.runs[run].intents {
		return p.broken(p.runs[run].seq, "run %s keeps %d actions, %d are recorded", run, len(kept), p.runs[run].intents)
	}
	return nil
}

// sameJSON compares two plain values by what they are written as: instants
// without regard to how they are held in memory.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
