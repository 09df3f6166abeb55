package ledgertest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// Tamper changes what m holds behind the ledger's back.
func (m *Memory) Tamper(t *testing.T, owner string, wound Wound, seq int64) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.owners[owner]
	i := slices.IndexFunc(o.records, func(r ledger.Record) bool { return r.Seq == seq })
	if i < 0 {
		t.Fatalf("%s has no record %d", owner, seq)
	}
	switch wound {
	case EditBody, RehashBody:
		o.records[i].Body = Edited(o.records[i].Body)
		if wound == RehashBody {
			o.records[i].Hash = o.records[i].Sum()
		}
	case DropRecord, CutTail:
		o.records = slices.Delete(o.records, i, i+1)
		if wound == CutTail {
			last := o.records[len(o.records)-1]
			o.head = ledger.Head{Seq: last.Seq, Hash: last.Hash}
		}
	case LowerCount:
		for name := range o.counters {
			o.counters[name]--
		}
	case ExtraCount:
		o.counters["run/made-up"] = 1
	case ForgeAction:
		for id, a := range o.actions {
			a.Outcome = "done"
			o.actions[id] = a
		}
	case DropActions:
		clear(o.actions)
	case ForgeRun:
		for id, r := range o.runs {
			r.Planned++
			o.runs[id] = r
		}
	default:
		t.Fatalf("wound %q is not known", wound)
	}
}

// Edited returns an intent's body with another version's tag in it.
func Edited(body []byte) []byte { return bytes.Replace(body, []byte("pr-7"), []byte("pr-8"), 1) }
