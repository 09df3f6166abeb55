package faults

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	need         need
}

// need is what a campaign must have counted in how many of a hundred cases.
type need map[string]int

// TestCampaign plays all campaigns, or those that -run selects, as many at a time
// as -parallel says (one for each core):
//
//	go test -tags faults ./internal/faults -run '^TestCampaign$/^kill$/^cli-apply$' -seed=17
func TestCampaign(t *testing.T) {
	ws, err := newWorkshop()
	if err != nil {
		t.Fatal(err)
	}
	fuzzing, err := fuzzCampaigns(filepath.Join("..", ".."))
	if err != nil || len(fuzzing) == 0 {
		t.Fatalf("look for fuzz targets: found %d, %v", len(fuzzing), err)
	}
	s := &session{ws: ws, report: NewReport(*ofFlag, time.Now), skips: &reasons{}}
	s.all = alternating(campaigns(s.skips), fuzzing)
	t.Cleanup(func() {
		s.conclude(t)
		if err := os.RemoveAll(ws.dir); err != nil {
			t.Error(err)
		}
	})
	for _, c := range s.all {
		if !long && c.short == 0 {
			continue
		}
		t.Run(c.name+"/"+c.target, func(t *testing.T) {
			t.Parallel()
			s.play(t, c)
		})
	}
}

// session is one play of campaigns.
type session struct {
	ws     *workshop
	report *Report
	skips  *reasons
	all    []campaign

	saving sync.Mutex
}

// add keeps a result, in the file as well: a run of hours may be interrupted.
func (s *session) add(t *testing.T, res Result) {
	s.report.Add(res)
	if *reportFlag == "" {
		return
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	known := func(res Result) bool {
		return slices.ContainsFunc(s.all, func(c campaign) bool { return c.name == res.Campaign && c.target == res.Target })
	}
	if err := s.report.Save(*reportFlag, known); err != nil {
		t.Error(err)
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
	out := Campaign{Name: c.name, Target: c.target, Cases: cases, First: *fromFlag, Width: c.width, Limit: DefaultLimit + *fuzzFlag, Need: c.need}
	if c.name == "fuzz" {
		out.Unseeded = "fuzzing has no seed: a failing input is in the package's testdata, and plain go test plays it"
	}
	if *seedFlag != 0 {
		out.Cases, out.First = 1, *seedFlag
	}
	return out
}

func (s *session) play(t *testing.T, c campaign) {
	cp := c.sized()
	t.Cleanup(func() {
		if !t.Skipped() {
			return
		}
		why := s.skips.why(t.Name())
		s.add(t, Result{Campaign: c.name, Target: c.target, Skipped: why})
		if mustPlay() {
			t.Errorf("nothing may be left out under CI: %s", why)
		}
	})
	if cp.Play = c.play(t, s.ws); cp.Play == nil {
		t.Skip("there is nothing to play")
	}
	res := Run(t.Context(), cp)
	s.add(t, res)
	if long {
		fmt.Println(res.Line())
		for _, f := range res.Failed { // go test keeps errors to itself until all campaigns are over
			fmt.Printf("  failed with seed %d: %s\n", f.Seed, strings.Join(f.Found, "\n    "))
		}
	}
	for _, short := range res.Short {
		t.Errorf("the campaign shows too little: %s", short)
	}
	for i, f := range res.Failed {
		if i == 5 {
			t.Errorf("and %d cases more", len(res.Failed)-i)
			break
		}
		t.Errorf("seed %d, play it again with\n  %s\n%s", f.Seed, f.Replay, strings.Join(f.Found, "\n"))
	}
}

func (s *session) conclude(t *testing.T) {
	if s.report.Empty() {
		t.Error("no campaign was played: -run names none, or one that only the long form has (-tags faults)")
		return
	}
	if long || testing.Verbose() {
		if err := s.report.Table(os.Stdout); err != nil {
			t.Error(err)
		}
	}
}

func campaigns(skips *reasons) []campaign {
	return slices.Concat(killCampaigns(skips), githubCampaigns(skips), []campaign{
		{"unread", "in-process", 5000, 15, 2, unread, need{"unread": 50, "read after all": 5, "second page unread": 5, "manifest unread": 5, "list of packages unread": 2}},
		{"graphs", "guard", 20, 0, 1, properties("internal/guard"), need{"random packages": 100}},
		{"graphs", "enforce", 20, 0, 1, properties("internal/enforce"), need{"random packages": 100}},
		{"policies", "in-process", 110, 1, 2, badPolicies, eachPolicy()},
		{"policies", "cli-run", 10, 0, 1, badPoliciesInProcess, nil},
		{"jwt-skew", "cli-run", 100, 1, 16, skewed, need{"let in": 8, "refused": 30}},
		{"token-expiry", "in-process", 200, 2, 2, expiring, need{"minted again": 90, "refused": 90}},
		{"pushes", "in-process", 1000, 5, 2, pushedMeanwhile, need{"an index pushed": 20, "a tag pushed": 20}},
		{"webhooks", "serve", 200, 1, 8, webhooks, nil},
		{"ten-workers", "in-process", 500, 3, 2, tenWorkers, nil},
		{"ten-workers", "cli-apply", 60, 1, 4, tenProcesses, nil},
		{"ten-workers", "dynamodb", 60, 0, 2, skips.onAWS(tenOnDynamoDB), nil},
	})
}

// eachPolicy needs every hostile policy to have been run, not only to be there.
func eachPolicy() need {
	out := need{}
	for name := range hostile() {
		out[name] = 4
	}
	return out
}

func killCampaigns(skips *reasons) []campaign {
	alive := need{"killed alive": 80, "killed in a call": 60}
	return []campaign{
		{"kill", "cli-apply", 1000, 2, 32, killCLI("cli-apply"), alive},
		{"kill", "cli-run", 1000, 1, 32, killCLI("cli-run"), alive},
		{"kill", "serve", 1000, 1, 32, killServe, alive},
		{"kill", "lambda", 1000, 0, 3, skips.onAWS(killLambda), need{"killed in a call to AWS": 30, "killed in a call to GitHub": 20}},
		{"kill", "lambda-push", 300, 0, 3, skips.onAWS(killPush), need{"killed in a call to AWS": 60, "killed in a call to GitHub": 10}},
		{"kill", "dynamodb-moto", 1000, 1, 4, killDynamoDB(skips.noting(awstest.Own)), need{"killed": 90}},
		{"kill", "dynamodb-local", 1000, 0, 4, killDynamoDB(skips.noting(awstest.DynamoDBLocal)), need{"killed": 90}},
	}
}
