package faults

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/awstest"
)

var (
	seedFlag   = flag.Uint64("seed", 0, "play only the case of this seed, in each campaign that -run selects")
	fromFlag   = flag.Uint64("from", 1, "seed of the first case of each campaign")
	shareFlag  = flag.Int("share", 100, "percent of the long form's cases to play")
	fuzzFlag   = flag.Duration("fuzz-time", 10*time.Second, "how long each fuzz target runs")
	reportFlag = flag.String("report", "", "file to write the results to, as JSON")
	ofFlag     = flag.String("of", "", "version of the code under test, for the report")
)

// campaign is one row of the table: how many cases the long and the short form
// play, and how to play one.
type campaign struct {
	name, target string
	long, short  int
	width        int // cases side by side: processes wait for the pace most of the time
	play         func(t *testing.T, ws *workshop) func(*Case)
}

// TestCampaign plays all campaigns, or those that -run selects, as many at a time
// as -parallel says (one for each core):
//
//	go test -tags faults ./internal/faults -run 'Campaign/kill/cli-apply$' -seed=17
func TestCampaign(t *testing.T) {
	ws, err := newWorkshop()
	if err != nil {
		t.Fatal(err)
	}
	report := NewReport(*ofFlag, time.Now)
	t.Cleanup(func() {
		conclude(t, report)
		if err := os.RemoveAll(ws.dir); err != nil {
			t.Error(err)
		}
	})
	fuzzing, err := fuzzCampaigns(filepath.Join("..", ".."))
	if err != nil || len(fuzzing) == 0 {
		t.Fatalf("look for fuzz targets: found %d, %v", len(fuzzing), err)
	}
	for _, c := range alternating(campaigns(), fuzzing) {
		if !long && c.short == 0 {
			continue
		}
		t.Run(c.name+"/"+c.target, func(t *testing.T) {
			t.Parallel()
			c.run(t, ws, report)
		})
	}
}

// alternating takes from a and b in turn: what waits for processes beside what
// takes a core for itself.
func alternating(a, b []campaign) []campaign {
	var out []campaign
	for i := range max(len(a), len(b)) {
		out = slices.Concat(out, a[min(i, len(a)):min(i+1, len(a))], b[min(i, len(b)):min(i+1, len(b))])
	}
	return out
}

// sized is the campaign as the flags want it.
func (c campaign) sized() Campaign {
	cases := c.short
	if long {
		cases = max(1, c.long**shareFlag/100)
	}
	out := Campaign{Name: c.name, Target: c.target, Cases: cases, First: *fromFlag, Width: c.width, Limit: DefaultLimit + *fuzzFlag}
	if *seedFlag != 0 {
		out.Cases, out.First = 1, *seedFlag
	}
	return out
}

func (c campaign) run(t *testing.T, ws *workshop, report *Report) {
	cp := c.sized()
	t.Cleanup(func() {
		if t.Skipped() {
			report.Add(Result{Campaign: c.name, Target: c.target, Skipped: "see the test's log"})
		}
	})
	if cp.Play = c.play(t, ws); cp.Play == nil {
		t.Skip("there is nothing to play")
	}
	res := Run(t.Context(), cp)
	report.Add(res)
	if long {
		fmt.Println(res.Line())
		for _, f := range res.Failed { // go test keeps errors to itself until all campaigns are over
			fmt.Printf("  failed with seed %d: %s\n", f.Seed, strings.Join(f.Found, "\n    "))
		}
	}
	for i, f := range res.Failed {
		if i == 5 {
			t.Errorf("and %d cases more", len(res.Failed)-i)
			break
		}
		t.Errorf("seed %d, play it again with\n  %s\n%s", f.Seed, f.Replay, strings.Join(f.Found, "\n"))
	}
}

func conclude(t *testing.T, report *Report) {
	if report.Empty() {
		return
	}
	if long {
		if err := report.Table(os.Stdout); err != nil {
			t.Error(err)
		}
	}
	if *reportFlag != "" {
		if err := report.Save(*reportFlag); err != nil {
			t.Error(err)
		}
	}
}

func campaigns() []campaign {
	return slices.Concat(killCampaigns(), githubCampaigns(), []campaign{
		{"unread", "in-process", 5000, 20, 2, unread},
		{"graphs", "guard", 20, 0, 1, properties("internal/guard")},
		{"graphs", "enforce", 20, 0, 1, properties("internal/enforce")},
		{"policies", "in-process", 110, 1, 2, badPolicies},
		{"policies", "cli-run", 10, 0, 1, badPoliciesInProcess},
		{"jwt-skew", "cli-run", 100, 1, 16, skewed},
		{"webhooks", "serve", 200, 1, 8, webhooks},
		{"ten-workers", "in-process", 500, 3, 2, tenWorkers},
		{"ten-workers", "cli-apply", 60, 1, 4, tenProcesses},
		{"ten-workers", "dynamodb", 60, 0, 2, tenOnDynamoDB},
	})
}

func killCampaigns() []campaign {
	return []campaign{
		{"kill", "cli-apply", 1000, 2, 32, killCLI("cli-apply")},
		{"kill", "cli-run", 1000, 1, 32, killCLI("cli-run")},
		{"kill", "serve", 1000, 1, 32, killServe},
		{"kill", "lambda", 1000, 0, 3, killLambda},
		{"kill", "lambda-push", 300, 0, 3, killPush},
		{"kill", "dynamodb-moto", 1000, 1, 4, killDynamoDB(awstest.Start)},
		{"kill", "dynamodb-local", 1000, 0, 4, killDynamoDB(awstest.DynamoDBLocal)},
	}
}
