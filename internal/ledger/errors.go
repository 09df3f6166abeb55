package ledger

import (
	"errors"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// What callers and stores branch on.
var (
	// ErrConflict is what a Store's Commit returns when the head has moved since
	// the batch was built. Ledger tries again; callers see it only when the owner
	// is written to so heavily that all attempts failed. Nothing was written.
	ErrConflict = errors.New("the ledger was written to at the same time")
	// ErrExists is what a Store's Commit returns when a run or action that the
	// batch creates is there already. Nothing was written.
	ErrExists = errors.New("the ledger holds it already")
	// ErrFinished means that the run has been closed and takes no more intents.
	ErrFinished = errors.New("the run is finished")
	// ErrNotStarted means that no run of that id and owner was started.
	ErrNotStarted = errors.New("the run was not started")
	// ErrOtherRun means that a run of the same id and owner was started for
	// something else: another kind, another mode or another undone run.
	ErrOtherRun = errors.New("the run id belongs to a different run")
	// ErrOpenIntents means that intents of the run have no outcome yet.
	ErrOpenIntents = errors.New("the run has intents without an outcome")
	// ErrNoIntent means that an outcome was reported for what was never begun.
	ErrNoIntent = errors.New("the action was never begun")
	// ErrFinal means that the action has another outcome, which stands.
	ErrFinal = errors.New("the action has an outcome that stands")
	// ErrInvalid means that an argument can't be recorded as it is.
	ErrInvalid = errors.New("invalid ledger entry")
)

// BudgetError says which limit a reservation would have broken. Nothing was
// reserved and no intent written.
type BudgetError struct {
	Which retention.GuardCode // GuardDeletesPerRun or GuardDeletesPerDay
	Limit int
	Used  int // reserved before this call
	Asked int
}

// Error names the limit, the figures and the next step.
func (e *BudgetError) Error() string {
	next := "what is left is taken up by the next run; raise limits." + string(e.Which) + " to do more in one"
	if e.Which == retention.GuardDeletesPerDay {
		next = "wait for the next UTC day or raise limits." + string(e.Which)
	}
	return fmt.Sprintf("budget %s: %d asked, %d of %d used: %s", e.Which, e.Asked, e.Used, e.Limit, next)
}

// BrokenError names the first place where a ledger is not what was written.
type BrokenError struct {
	Owner  string
	Seq    int64 // the record concerned; 0 when it is no single one
	Detail string
}

// Error names the record and the next step.
func (e *BrokenError) Error() string {
	at := "outside the chain"
	if e.Seq > 0 {
		at = fmt.Sprintf("at record %d", e.Seq)
	}
	return fmt.Sprintf("ledger of %s is broken %s: %s: stop enforcing, keep a copy of the state and compare it with an export", e.Owner, at, e.Detail)
}
