package ledger

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/shelflife-dev/shelflife/internal/bounded"
)

// Export writes an owner's records as they are, one JSON object a line, in order.
// VerifyExport proves such a file whole without the store.
func (l *Ledger) Export(ctx context.Context, owner string, w io.Writer) error {
	buffered := bufio.NewWriter(w)
	enc := json.NewEncoder(buffered)
	err := l.each(ctx, OwnerKey(owner), func(r Record) error { return enc.Encode(r) })
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("export the ledger of %s: %w", owner, err)
	}
	return nil
}

// maxRecord bounds a record in a file that somebody hands over. The largest that
// are written, with long names and reasons, take some kilobytes.
const maxRecord = 4 << 20

// VerifyExport reads what Export wrote and makes sure of the chain: order,
// hashes, every outcome's intent, every intent's run. The first thing wrong is
// returned as a *BrokenError. An empty file is an empty chain. A file that was
// cut off at a line's end is whole as far as it goes: compare Verification.Head
// with the ledger's.
func VerifyExport(r io.Reader) (Verification, error) {
	each := bounded.NewReader(r, maxRecord)
	dec := json.NewDecoder(each)
	dec.DisallowUnknownFields()
	var p *replay
	for {
		each.Again()
		var rec Record
		err := dec.Decode(&rec)
		if p == nil {
			p = newReplay(rec.Owner, "")
		}
		if errors.Is(err, io.EOF) {
			return p.verification(), nil
		}
		if err != nil {
			return Verification{}, p.broken(p.head.Seq+1, "it can't be read: %v", err)
		}
		if err := p.add(rec); err != nil {
			return Verification{}, err
		}
	}
}
