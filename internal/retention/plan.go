package retention

import "time"

// Status is where a plan item stands. Only Planned items are carried out; an
// item that a percentage guard holds may be, when a person applies the saved plan.
type Status string

// The statuses of a plan item.
const (
	StatusPlanned    Status = "planned"
	StatusObserved   Status = "observed"   // an observing policy or run: reported, never done
	StatusKept       Status = "kept"       // a keep or the reference closure beat it
	StatusHeld       Status = "held"       // a guard or budget holds it for now
	StatusBlocked    Status = "blocked"    // GitHub would refuse it
	StatusConflict   Status = "conflict"   // the next plan would undo it
	StatusIncomplete Status = "incomplete" // the package could not be read or judged whole
)

// Rule names a policy's rule that spoke for or against an item.
type Rule struct {
	Policy    string   `json:"policy"`
	Rule      string   `json:"rule"`
	Action    Action   `json:"action"`
	Reason    string   `json:"reason"`
	Severity  Severity `json:"severity"`
	Mode      Mode     `json:"mode"`
	CascadeOf *ID      `json:"cascade_of"` // the root whose deletion takes this version along
}

// GuardCode names the guard that decided over an item.
type GuardCode string

// The guards that can hold, block or keep an item.
const (
	GuardCompleteness     GuardCode = "completeness"
	GuardPolicyFailed     GuardCode = "policy_failed"
	GuardLostAccess       GuardCode = "lost_access"
	GuardReference        GuardCode = "reference_closure"
	GuardYoung            GuardCode = "young_version"
	GuardLastVersion      GuardCode = "last_version"
	GuardLastTagged       GuardCode = "last_tagged_version"
	GuardDownloads        GuardCode = "downloads"
	GuardDeletesPerRun    GuardCode = "deletes_per_run"
	GuardDeletesPerDay    GuardCode = "deletes_per_day"
	GuardPercentOfPackage GuardCode = "percent_of_package"
	GuardPercentOfOwner   GuardCode = "percent_of_owner"
	GuardRestoreWindow    GuardCode = "restore_window"
	GuardNotUndone        GuardCode = "undone_by_next_plan"
)

// ReleasedByApply reports whether a person who applies the saved plan thereby
// releases what this guard holds.
func (c GuardCode) ReleasedByApply() bool {
	return c == GuardPercentOfPackage || c == GuardPercentOfOwner
}

// GuardNote says which guard decided over an item, why, and what to do about it.
type GuardNote struct {
	Code   GuardCode `json:"code"`
	Detail string    `json:"detail"`
}

// Item is one line of a plan: one action on one version or package, who asked
// for it, who objected, and where it stands.
type Item struct {
	Owner       string      `json:"owner"`
	PackageType PackageType `json:"package_type"`
	Package     string      `json:"package"`
	VersionID   ID          `json:"version_id"`
	Version     string      `json:"version"`
	Tags        []string    `json:"tags"`
	Referrers   []string    `json:"referrer_tags,omitempty"` // compared before the call, like Tags
	Action      Action      `json:"action"`
	Target      Target      `json:"target"`
	Status      Status      `json:"status"`
	Rules       []Rule      `json:"rules"`
	Overruled   []Rule      `json:"overruled"`
	Guard       *GuardNote  `json:"guard"`
	CreatedAt   time.Time   `json:"created_at"`
	UpdatedAt   time.Time   `json:"updated_at"` // as read for the plan; a difference at the call means changed
	Cost        int         `json:"cost"`       // versions spent from the budget: 1, or a package's active versions
	// Group is the unit that the item is done with, whole or not at all: versions
	// that need one another, named by the id of the first of them.
	Group ID `json:"group,omitzero"`

	// Set in a run's result only.
	Outcome   Outcome `json:"outcome,omitempty"`
	RequestID string  `json:"request_id,omitempty"` // GitHub's x-github-request-id
	Detail    string  `json:"detail,omitempty"`     // why it was not done, and the next step
}

// Ref names the item's package.
func (it Item) Ref() PackageRef {
	return PackageRef{Owner: it.Owner, Type: it.PackageType, Name: it.Package}
}

// Unit names the unit that the item goes with: its group, the root that takes
// it along, or itself. Units are done whole or not at all.
func (it Item) Unit() ID {
	if it.Group != 0 {
		return it.Group
	}
	for _, r := range it.Rules {
		if r.CascadeOf != nil {
			return *r.CascadeOf
		}
	}
	return it.VersionID
}

// Outcome is how one action ended.
type Outcome string

// The outcomes of an action. Unknown means that GitHub may have done it.
const (
	OutcomeDone    Outcome = "done"
	OutcomeGone    Outcome = "gone"    // it was not there any more
	OutcomeBlocked Outcome = "blocked" // GitHub refuses it for good
	OutcomeChanged Outcome = "changed" // it differs from the plan: skipped
	OutcomeFailed  Outcome = "failed"  // not done
	OutcomeUnknown Outcome = "unknown"
)

// Summary counts what a plan or run holds. Keep counts the active versions that
// stay, for whatever reason: held, blocked and observed ones are among them.
type Summary struct {
	Delete   int `json:"delete"`
	Restore  int `json:"restore"`
	Keep     int `json:"keep"`
	Held     int `json:"held"`
	Blocked  int `json:"blocked"`
	Conflict int `json:"conflict"`
	Observed int `json:"observed"`
}

// Limits are the hard upper bounds on what is deleted. Zero means zero.
type Limits struct {
	DeletesPerRun    int           `json:"deletes_per_run"`
	DeletesPerDay    int           `json:"deletes_per_day"` // a calendar day in UTC
	PercentOfPackage float64       `json:"percent_of_package"`
	PercentOfOwner   float64       `json:"percent_of_owner"`
	MinAge           time.Duration `json:"min_age"` // younger untagged container versions stay
}

// DefaultLimits are what holds when the configuration names none.
func DefaultLimits() Limits {
	return Limits{DeletesPerRun: 500, DeletesPerDay: 2000, PercentOfPackage: 50, PercentOfOwner: 10, MinAge: 24 * time.Hour}
}
