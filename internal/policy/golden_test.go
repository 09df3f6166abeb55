package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

var update = flag.Bool("update", false, "write what the policies say into testdata/cases")

// goldenCase is one file of testdata/cases: an inventory and what the shipped
// policies say about it, one line for each decision, without its reason.
type goldenCase struct {
	About       string              `json:"about"`
	EvaluatedAt time.Time           `json:"evaluated_at"`
	Trigger     retention.Trigger   `json:"trigger"`
	Params      policy.Values       `json:"params,omitempty"`
	Data        map[string]any      `json:"data,omitempty"`
	Inventory   retention.Inventory `json:"inventory"`
	Decisions   []string            `json:"decisions"`
}

func TestShippedPoliciesOnGoldenCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c goldenCase
			d := json.NewDecoder(bytes.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(&c); err != nil {
				t.Fatal(err)
			}
			e, err := policy.Load(context.Background(), policies.FS, policy.Options{Builtin: true, Params: policy.Params{All: c.Params}, Data: c.Data})
			if err != nil {
				t.Fatal(err)
			}
			j, err := e.Decide(context.Background(), policy.Request{Inventory: c.Inventory, EvaluatedAt: c.EvaluatedAt, Trigger: c.Trigger})
			if err != nil || len(j.Failures) > 0 {
				t.Fatalf("failures %+v, error %v", j.Failures, err)
			}
			got := []string{}
			for _, d := range j.Decisions {
				line := fmt.Sprintf("%s/%s: %s %s", d.Policy, d.Rule, d.Action, d.Target)
				got = append(got, strings.TrimSuffix(line+" "+d.Version.String(), " "))
			}
			if *update {
				c.Decisions = got
				out, err := json.MarshalIndent(c, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, append(out, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(c.Decisions, got); diff != "" {
				t.Errorf("%s\ndecisions (-want +got):\n%s", c.About, diff)
			}
		})
	}
}

// The shipped tests pass here as they do with opa test.
func TestTheShippedPoliciesPassTheirTests(t *testing.T) {
	report, err := policy.Test(context.Background(), policies.FS, policy.TestOptions{Options: policy.Options{Builtin: true}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Results) == 0 {
		t.Skip("the shipped policies have no tests yet")
	}
	for _, r := range report.Results {
		if r.Outcome != policy.TestPassed {
			t.Errorf("%s:%d: %s.%s: %s %s", r.File, r.Line, r.Package, r.Name, r.Outcome, r.Detail)
		}
	}
}
