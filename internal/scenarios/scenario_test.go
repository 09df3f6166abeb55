package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// owner is the account that every scenario plays in.
const owner = "acme"

// scenario is one file in testdata. Versions are named package@key, a whole
// package by its name alone.
type scenario struct {
	Title string `json:"title"`
	Why   string `json:"why"` // what would go wrong otherwise
	// Seed is the simulator's state; all ages are measured from the run.
	Seed githubsim.Seed `json:"seed"`
	// Publish are pushes before the plan; Meanwhile those between plan and apply.
	Publish   []githubsim.Publication `json:"publish"`
	Meanwhile []githubsim.Publication `json:"meanwhile"`
	// FaultsAtApply are the simulator's faults from the apply on, in place of the seed's.
	FaultsAtApply []githubsim.Fault `json:"faults_at_apply"`
	Policies      policySetup       `json:"policies"`
	Limits        limits            `json:"limits"`
	Person        bool              `json:"person"` // a person applies the saved plan
	Stops         bool              `json:"stops"`  // the run stops once, and its plan is applied again
	Expect        expectation       `json:"expect"`
}

// policySetup says which policies judge and with what.
type policySetup struct {
	Only    []string          `json:"only"`    // of the shipped and the extra ones; absent: all
	Params  policy.Values     `json:"params"`  // overrides of the defaults
	Data    map[string]any    `json:"data"`    // further documents, such as deployed
	Extra   map[string]string `json:"extra"`   // Rego by policy name
	Enforce []string          `json:"enforce"` // shipped policies that observe by default
}

// limits replace those of a scenario, which hold nothing back by themselves.
type limits struct {
	PerRun           *int     `json:"deletes_per_run"`
	PerDay           *int     `json:"deletes_per_day"`
	PercentOfPackage *float64 `json:"percent_of_package"`
	PercentOfOwner   *float64 `json:"percent_of_owner"`
}

func (l limits) limits() retention.Limits {
	out := retention.DefaultLimits()
	out.PercentOfPackage, out.PercentOfOwner = 100, 100
	set(&out.DeletesPerRun, l.PerRun)
	set(&out.DeletesPerDay, l.PerDay)
	set(&out.PercentOfPackage, l.PercentOfPackage)
	set(&out.PercentOfOwner, l.PercentOfOwner)
	return out
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// expectation is what must come of it.
type expectation struct {
	Survivors map[string][]string `json:"survivors"` // by package, exactly
	// Plan holds items of the plan: "planned", or a status with its guard, such as
	// "blocked last_tagged_version". An item that is not named here is planned.
	Plan     map[string]string `json:"plan"`
	Cascade  map[string]string `json:"cascade"`  // planned deletes that go along → with which root; exactly
	KeptBy   map[string]string `json:"kept_by"`  // kept items → part of the reason that won
	Outcomes map[string]string `json:"outcomes"` // items of the run that ended otherwise than done
	Problems []string          `json:"problems"` // parts of the plan's problems; absent: there are none
	Again    [][]string        `json:"again"`    // what each further plan acts on until nothing is left
	Orphans  []string          `json:"orphans"`  // surviving referrers whose subject goes, knowingly
	NotBack  []string          `json:"not_back"` // what somebody else deleted, which no undo brings back
	Restored []string          `json:"restored"` // what the runs restore, and the undo leaves
	// Later are children that a later run restores than their index: GitHub does
	// not say what a deleted index lists.
	Later   []string          `json:"later"`
	Calls   *githubsim.Counts `json:"calls"`     // of the first plan
	Deleted *int              `json:"deletions"` // successful deleting calls of the first run
}

// load reads all scenarios. YAML is only the notation: the fields are JSON's, so
// that seeds read as everywhere else, and unknown ones are errors.
func load(t *testing.T) map[string]scenario {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in testdata: %v", err)
	}
	out := map[string]scenario{}
	for _, f := range files {
		s, err := read(f)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".yaml")] = s
	}
	return out
}

func read(file string) (scenario, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return scenario{}, err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return scenario{}, err
	}
	asJSON, err := json.Marshal(doc)
	if err != nil {
		return scenario{}, err
	}
	dec := json.NewDecoder(bytes.NewReader(asJSON))
	dec.DisallowUnknownFields()
	var s scenario
	if err := dec.Decode(&s); err != nil {
		return scenario{}, err
	}
	if s.Title == "" || s.Why == "" || s.Expect.Survivors == nil {
		return scenario{}, fmt.Errorf("title, why and expect.survivors must all be there")
	}
	return s, nil
}
