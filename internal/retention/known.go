package retention

import "time"

// KnownPackage is the head of a snapshot: of which package it is, and how and
// when that was last seen.
type KnownPackage struct {
	Ref    PackageRef
	State  State
	ReadAt time.Time
}

// Known returns the head of the inventory.
func (inv Inventory) Known() KnownPackage {
	return KnownPackage{Ref: inv.Ref(), State: inv.Package.State, ReadAt: inv.ReadAt}
}
