package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// UndoSubject is one package of a run that is to be undone.
type UndoSubject struct {
	// Inventory is the package now, with its deleted versions. When the package
	// itself is gone its State is Deleted.
	Inventory retention.Inventory
	// Reused says that another package has taken the deleted package's name.
	Reused bool
	// Deleted are the run's deletions of this package, in the order in which
	// they were done, with the time of each in UpdatedAt of Done.
	Deleted []Done
	// Restored says of what this system has restored, by version (zero: the
	// package), which record of the ledger says so last.
	Restored map[retention.ID]int64
	Run      string // the run that is undone
	Now      time.Time
}

// Done is one deletion that a run carried out, or may have.
type Done struct {
	Item retention.Item
	At   time.Time
	Seq  int64 // the ledger's last record of it
}

// Undo drafts the restoring of a run's deletions of one package, last deleted
// first: children come back before the index that needs them. What can't be
// restored is listed with the reason.
func Undo(s UndoSubject) Draft {
	d := Draft{
		ref: s.Inventory.Ref(), digest: s.Inventory.Digest(),
		active: s.Inventory.Active(), problems: s.Inventory.Problems,
	}
	for _, done := range slices.Backward(s.Deleted) {
		it := done.Item
		it.Action, it.Cost, it.Outcome, it.RequestID, it.Detail = retention.Restore, 1, "", "", ""
		it.Overruled = []retention.Rule{}
		if it.Tags == nil {
			it.Tags = []string{}
		}
		it.Rules = []retention.Rule{{
			Policy: "undo", Action: retention.Restore, Mode: retention.Enforce, Severity: "info",
			Reason: fmt.Sprintf("deleted by run %s (%s)", s.Run, policyOf(done.Item)),
		}}
		if it.Target == retention.TargetPackage {
			it.Status, it.Guard = s.packageBack(done)
		} else {
			it.Status, it.Guard = s.versionBack(done)
		}
		d.items = append(d.items, it)
	}
	return d
}

func (s UndoSubject) packageBack(done Done) (retention.Status, *retention.GuardNote) {
	switch {
	case s.Reused:
		return retention.StatusBlocked, note(retention.GuardRestoreWindow, "another package has its name now; GitHub restores into a free name only")
	case s.Inventory.Package.State == retention.Active:
		return retention.StatusKept, note(retention.GuardRestoreWindow, "it is there already")
	case s.again(done):
		return retention.StatusBlocked, note(retention.GuardRestoreWindow, "it was restored since, and then deleted again; to bring it back all the same: shelflife packages restore")
	case s.over(done.At):
		return retention.StatusBlocked, s.tooLate(done.At)
	}
	return retention.StatusPlanned, nil
}

// again is true of what was restored after the deletion that is to be undone: that
// it is deleted now is somebody else's doing. The undo of a run must not bring back
// what was meant to go later.
func (s UndoSubject) again(done Done) bool { return s.Restored[done.Item.VersionID] > done.Seq }

func (s UndoSubject) versionBack(done Done) (retention.Status, *retention.GuardNote) {
	v, known := s.Inventory.Version(done.Item.VersionID)
	switch {
	case known && v.IsActive():
		return retention.StatusKept, note(retention.GuardRestoreWindow, "it is there already")
	case s.Inventory.Package.State == retention.Deleted:
		return retention.StatusBlocked, note(retention.GuardRestoreWindow, "its whole package is gone; restore that first (shelflife packages restore), then undo again")
	case s.again(done):
		return retention.StatusBlocked, note(retention.GuardRestoreWindow, "%s", deletedAgain(v.DeletedBy))
	case known && s.over(later(v.DeletedAt, done.At)):
		return retention.StatusBlocked, s.tooLate(later(v.DeletedAt, done.At))
	case known:
		return retention.StatusPlanned, nil
	case !s.Inventory.Complete && s.over(done.At):
		return retention.StatusBlocked, s.tooLate(done.At)
	case !s.Inventory.Complete:
		// The deleted versions could not be listed (for users GitHub documents no
		// way to); the ledger knows what was deleted, and asking does no harm.
		return retention.StatusPlanned, nil
	}
	return retention.StatusBlocked, note(retention.GuardRestoreWindow, "GitHub lists it neither as active nor as deleted; its 30 days are over or it was removed for good")
}

// deletedAgain says who deleted a version that had been restored after the run that is
// undone, as far as it is known.
func deletedAgain(by *retention.DeletedBy) string {
	if by == nil {
		return "it was restored since, and then deleted by somebody else; to bring it back all the same: shelflife versions restore"
	}
	return fmt.Sprintf("it was restored since, and then deleted by run %s; to bring it back, undo that run", by.Run)
}

func (s UndoSubject) over(at time.Time) bool {
	return !at.IsZero() && !s.Now.Before(at.Add(retention.RestoreWindow))
}

func (s UndoSubject) tooLate(at time.Time) *retention.GuardNote {
	return note(retention.GuardRestoreWindow, "deleted on %s: GitHub restores for 30 days only", at.Format(time.DateOnly))
}

// later prefers the registry's own time of deletion, when it gave one.
func later(github, ours time.Time) time.Time {
	if github.After(ours) {
		return github
	}
	return ours
}
