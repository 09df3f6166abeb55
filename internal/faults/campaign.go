package faults

import "time"

// Campaign is one kind of disturbance against one target.
type Campaign struct {
	Name   string // such as "kill"
	Target string // such as "cli-apply"
	// Cases is how many are played, with the seeds First, First+1, ….
	Cases int
	First uint64
	Width int           // cases played side by side; 0 is one
	Limit time.Duration // that one case may take; 0 is DefaultLimit
	// Unseeded says why the seed does not bring a case back, and what does.
	Unseeded string
	// Need is how many of a hundred cases must have counted something at least,
	// by its name: a campaign that disturbs nothing shows nothing.
	Need map[string]int
	// Play plays one case. What it must not find it reports on the case.
	Play func(c *Case)
}

// DefaultLimit is long for any case even where many programs share the machine: one
// that takes longer hangs.
const DefaultLimit = 10 * time.Minute

// fewForNeed is how many cases a share means nothing of: what is drawn rarely may
// not have come yet.
const fewForNeed = 20

// Result is what came of a campaign.
type Result struct {
	Campaign  string    `json:"campaign"`
	Target    string    `json:"target"`
	Cases     int       `json:"cases"`
	Failures  int       `json:"failures"`
	Seconds   float64   `json:"seconds"`
	FirstSeed uint64    `json:"first_seed"`
	Version   string    `json:"version,omitempty"`  // of the code under test
	Played    time.Time `json:"played_at,omitzero"` // when it ended
	Notes     string    `json:"notes,omitempty"`    // what was counted, such as kills in the middle of a run
	Short     []string  `json:"short,omitempty"`    // what was counted too rarely, which fails the campaign
	Skipped   string    `json:"skipped,omitempty"`  // why it was not played
	Failed    []Failure `json:"failed,omitempty"`
}

// Failure is one case that found something.
type Failure struct {
	Seed   uint64   `json:"seed"`
	Found  []string `json:"found"`
	Replay string   `json:"replay"` // the command that plays just this case
}
