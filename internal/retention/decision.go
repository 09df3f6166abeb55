package retention

import (
	"encoding/json"
	"fmt"
	"time"
)

// Action is what a policy asks for. The zero Action keeps.
type Action int

// The actions of the policy contract.
const (
	Keep Action = iota
	Delete
	Restore
)

var actionNames = []string{"keep", "delete", "restore"}

// String returns the contract's word for the action.
func (a Action) String() string { return nameOf(actionNames, int(a)) }

// ParseAction reads the contract's word for an action.
func ParseAction(s string) (Action, error) {
	n, err := parseName("action", actionNames, s)
	return Action(n), err
}

// MarshalText writes the contract's word.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the contract's word.
func (a *Action) UnmarshalText(b []byte) (err error) { *a, err = ParseAction(string(b)); return err }

// Mode says whether decisions are acted on. The zero Mode observes.
type Mode int

// The modes of a policy, an owner and a run.
const (
	Observe Mode = iota
	Enforce
)

var modeNames = []string{"observe", "enforce"}

// String returns the contract's word for the mode.
func (m Mode) String() string { return nameOf(modeNames, int(m)) }

// ParseMode reads the contract's word for a mode.
func ParseMode(s string) (Mode, error) {
	n, err := parseName("mode", modeNames, s)
	return Mode(n), err
}

// MarshalText writes the contract's word.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the contract's word.
func (m *Mode) UnmarshalText(b []byte) (err error) { *m, err = ParseMode(string(b)); return err }

// Severity is how much a policy's author says its decisions matter.
type Severity string

// Severities returns the contract's five, from the least.
func Severities() []Severity { return []Severity{"info", "low", "medium", "high", "critical"} }

// Target says whether an action means one version or a whole package.
type Target string

// The targets of an action.
const (
	TargetVersion Target = "version"
	TargetPackage Target = "package"
)

// Decision is one answer of one policy about one version or about the package.
type Decision struct {
	Policy   string          `json:"policy"`
	Rule     string          `json:"rule"`
	Action   Action          `json:"action"`
	Target   Target          `json:"target"`
	Version  ID              `json:"version"` // zero when Target is the package
	Reason   string          `json:"reason"`
	Severity Severity        `json:"severity"`
	Mode     Mode            `json:"mode"` // the policy's own mode, not yet capped by the run's
	Data     json.RawMessage `json:"data,omitempty"`
}

// Judgement is what all policies said about one package in one evaluation.
type Judgement struct {
	EvaluatedAt time.Time
	Decisions   []Decision // sorted by policy, rule, target, version, action, reason
	// Failures holds one problem for each policy that did not answer as the
	// contract asks. Any failure means: nothing of this package is deleted.
	Failures []Problem
}

// TriggerKind says what started an evaluation.
type TriggerKind string

// The kinds of trigger.
const (
	TriggerSchedule TriggerKind = "schedule"
	TriggerWebhook  TriggerKind = "webhook"
	TriggerCLI      TriggerKind = "cli"
)

// Trigger is what started an evaluation; the last four fields only for webhooks.
type Trigger struct {
	Kind      TriggerKind `json:"kind"`
	Event     string      `json:"event,omitempty"`
	Action    string      `json:"action,omitempty"`
	Sender    string      `json:"sender,omitempty"`
	VersionID ID          `json:"version_id,omitzero"`
}

func nameOf(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("invalid(%d)", i)
	}
	return names[i]
}

func parseName(what string, names []string, s string) (int, error) {
	for i, n := range names {
		if n == s {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q is none of %v", what, s, names)
}
