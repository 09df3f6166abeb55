package s3snap

import (
	"context"
	"iter"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Known goes over the heads of all snapshots of an owner. An object's head is
// inside it, so every snapshot is read for it. After an error it ends.
func (s *Store) Known(ctx context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	return func(yield func(retention.KnownPackage, error) bool) {
		for inv, err := range s.Snapshots(ctx, owner) {
			if err != nil {
				yield(retention.KnownPackage{}, err)
				return
			}
			if !yield(inv.Known(), nil) {
				return
			}
		}
	}
}
