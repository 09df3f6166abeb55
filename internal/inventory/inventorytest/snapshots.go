// Package inventorytest holds what tests read an inventory with. It is for tests
// and measurements only.
package inventorytest

import (
	"context"
	"iter"
	"sync"

	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Snapshots keeps readings in memory. It is safe for concurrent use.
type Snapshots struct {
	mu   sync.Mutex
	kept map[retention.PackageRef]retention.Inventory
}

var _ inventory.Snapshots = (*Snapshots)(nil)

// NewSnapshots knows no package yet.
func NewSnapshots() *Snapshots {
	return &Snapshots{kept: map[retention.PackageRef]retention.Inventory{}}
}

// SaveSnapshot keeps a reading in place of the one before.
func (s *Snapshots) SaveSnapshot(_ context.Context, inv retention.Inventory) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[inv.Ref()] = inv
	return nil
}

// Snapshot returns the last reading of a package.
func (s *Snapshots) Snapshot(_ context.Context, ref retention.PackageRef) (retention.Inventory, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv, ok := s.kept[ref]
	return inv, ok, nil
}

// Known goes over the heads of an owner's readings as they are when it is called.
func (s *Snapshots) Known(_ context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []retention.KnownPackage
	for ref, inv := range s.kept {
		if retention.SameLogin(ref.Owner, owner) {
			all = append(all, inv.Known())
		}
	}
	return func(yield func(retention.KnownPackage, error) bool) {
		for _, known := range all {
			if !yield(known, nil) {
				return
			}
		}
	}
}

// NoDeletions is a ledger in which nothing was ever deleted.
type NoDeletions struct{}

// DeletedBy knows of no deletion.
func (NoDeletions) DeletedBy(context.Context, retention.PackageRef) (map[retention.ID]retention.DeletedBy, error) {
	return nil, nil
}
