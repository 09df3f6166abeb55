package retention

import "time"

// RunKind says what a run does.
type RunKind string

// The kinds of run.
const (
	RunApply  RunKind = "apply"  // carries out a plan
	RunUndo   RunKind = "undo"   // restores what another run deleted
	RunManual RunKind = "manual" // one operation asked for by name
)

// Run is one carrying out of one plan on one owner. It bears the plan's id, so
// that applying a plan a second time resumes the run instead of doing it twice.
type Run struct {
	ID           string    `json:"id"`
	Owner        string    `json:"owner"`
	Kind         RunKind   `json:"kind"`
	Undoes       string    `json:"undoes,omitempty"` // the run that an undo restores
	Mode         Mode      `json:"mode"`
	Trigger      Trigger   `json:"trigger"`
	Actor        string    `json:"actor,omitempty"` // who started it, as far as known
	BundleDigest string    `json:"bundle_digest,omitempty"`
	StartedAt    time.Time `json:"started_at"`
	FinishedAt   time.Time `json:"finished_at,omitzero"` // zero while it runs or after a crash
	Planned      int       `json:"planned"`              // items the plan asked for on this owner
	// Outcomes counts how the items ended; written when the run finishes.
	Outcomes map[Outcome]int `json:"outcomes,omitempty"`
}
