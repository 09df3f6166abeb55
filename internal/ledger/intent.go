package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// MaxIntents is how many intents one Begin takes: each is a record and an action,
// and a DynamoDB transaction holds 100 items.
const MaxIntents = 40

// MaxIntentBytes is how large one intent may be as JSON, reasons included:
// MaxIntents of them, written twice, stay below DynamoDB's 4 MB a transaction.
const MaxIntentBytes = 40 << 10

// maxDetail is how much of a detail is recorded, in bytes.
const maxDetail = 4 << 10

// Intent is one action that is about to be asked of GitHub.
type Intent struct {
	ID          string                `json:"id"` // set by Begin: see IntentID
	Run         string                `json:"run"`
	Owner       string                `json:"owner"`
	PackageType retention.PackageType `json:"package_type"`
	Package     string                `json:"package"`
	VersionID   retention.ID          `json:"version_id"` // zero when the target is the package
	Version     string                `json:"version"`
	Tags        []string              `json:"tags"`
	Action      retention.Action      `json:"action"`
	Target      retention.Target      `json:"target"`
	Rules       []retention.Rule      `json:"rules"`
	Unit        retention.ID          `json:"unit"`
	Cost        int                   `json:"cost"`       // versions spent from the budget; only deletions spend
	UpdatedAt   time.Time             `json:"updated_at"` // the version's, as read for the plan
	At          time.Time             `json:"at"`         // set by Begin
}

// Result is how an action ended, as Finish is told.
type Result struct {
	Outcome   retention.Outcome
	RequestID string              // GitHub's x-github-request-id
	Detail    string              // why it was not done, and the next step; cut at 4 KiB
	Guard     retention.GuardCode // which refusal, when Outcome is blocked
}

// Action is an intent with its outcome.
type Action struct {
	Intent
	Seq         int64               `json:"seq"`               // record of the intent
	Outcome     retention.Outcome   `json:"outcome,omitempty"` // "" while open
	RequestID   string              `json:"request_id,omitempty"`
	Detail      string              `json:"detail,omitempty"`
	Guard       retention.GuardCode `json:"guard,omitempty"`
	FinishedAt  time.Time           `json:"finished_at,omitzero"`
	FinishedSeq int64               `json:"finished_seq,omitzero"` // record of the outcome
}

// OwnerKey is the name under which an owner's chain and budget are kept. GitHub
// compares logins without regard to case; two spellings must share one budget.
func OwnerKey(login string) string { return strings.ToLower(login) }

// NewIntent makes the intent of one plan item in a run.
func NewIntent(run retention.Run, it retention.Item) Intent {
	return Intent{
		Run: run.ID, Owner: it.Owner, PackageType: it.PackageType, Package: it.Package,
		VersionID: it.VersionID, Version: it.Version, Tags: it.Tags, Action: it.Action, Target: it.Target,
		Rules: it.Rules, Unit: it.Unit(), Cost: it.Cost, UpdatedAt: it.UpdatedAt,
	}
}

// IntentID derives the id of an intent from its run, owner, package, version and
// action: beginning the same action again in the same run finds the first one.
func IntentID(in Intent) string {
	return sum(in.Run, OwnerKey(in.Owner), string(in.PackageType), in.Package,
		in.VersionID.String(), string(in.Target), in.Action.String())[:32]
}

// Ref names the intent's package.
func (in Intent) Ref() retention.PackageRef {
	return retention.PackageRef{Owner: in.Owner, Type: in.PackageType, Name: in.Package}
}

// spends is what the intent takes from the budget.
func (in Intent) spends() int {
	if in.Action == retention.Delete {
		return in.Cost
	}
	return 0
}

// check refuses an intent that can't be what the caller meant.
func (in Intent) check(run retention.Run) error {
	switch {
	case in.Run != run.ID || !retention.SameLogin(in.Owner, run.Owner):
		return fmt.Errorf("%w: intent on %s in run %q belongs to run %q of %s", ErrInvalid, in.Ref(), in.Run, run.ID, run.Owner)
	case in.Action != retention.Delete && in.Action != retention.Restore:
		return fmt.Errorf("%w: intent on %s to %s: only deletions and restores are recorded", ErrInvalid, in.Ref(), in.Action)
	case in.Target == retention.TargetVersion && in.VersionID <= 0, in.Target == retention.TargetPackage && in.VersionID != 0,
		in.Target != retention.TargetVersion && in.Target != retention.TargetPackage:
		return fmt.Errorf("%w: intent on %s: target %q does not go with version id %q", ErrInvalid, in.Ref(), in.Target, in.VersionID)
	case !utf8.ValidString(in.Package) || !utf8.ValidString(string(in.PackageType)):
		return fmt.Errorf("%w: package name %q is not UTF-8", ErrInvalid, in.Package)
	case in.Package == "" || in.PackageType == "":
		return fmt.Errorf("%w: intent in run %s names no package", ErrInvalid, run.ID)
	case in.Cost < 0, in.Action == retention.Delete && in.Cost < 1:
		return fmt.Errorf("%w: deletion in %s costs %d: every deletion spends at least 1", ErrInvalid, in.Ref(), in.Cost)
	}
	return nil
}

// finished returns the action with an outcome.
func (a Action) finished(b outcomeBody, r Record) Action {
	a.Outcome, a.RequestID, a.Detail, a.Guard = b.Outcome, b.RequestID, b.Detail, b.Guard
	a.FinishedAt, a.FinishedSeq = r.At, r.Seq
	return a
}

// mayFollow reports whether an action that ended as before ("" while open) may
// still end as after: anything may follow nothing, and a later reading may find
// out what became of an unknown one.
func mayFollow(before, after retention.Outcome) bool {
	switch before {
	case "":
		return slices.Contains(outcomes, after)
	case retention.OutcomeUnknown:
		return after == retention.OutcomeDone || after == retention.OutcomeGone || after == retention.OutcomeFailed
	}
	return false
}

var outcomes = []retention.Outcome{
	retention.OutcomeDone, retention.OutcomeGone, retention.OutcomeBlocked,
	retention.OutcomeChanged, retention.OutcomeFailed, retention.OutcomeUnknown,
}

func bySeq(a, b Action) int         { return cmp.Compare(a.Seq, b.Seq) }
func byFinishedSeq(a, b Action) int { return cmp.Compare(a.FinishedSeq, b.FinishedSeq) }
