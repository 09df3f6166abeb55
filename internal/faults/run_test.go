package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/testclock"
)

func TestRunPlaysEachSeedOnceAndKeepsWhatWasFound(t *testing.T) {
	res := Run(t.Context(), Campaign{Name: "kill", Target: "cli", Cases: 7, First: 40, Width: 3, Play: func(c *Case) {
		c.Must(os.WriteFile(filepath.Join(c.Dir, "own"), nil, 0o600))
		c.Count("played")
		switch c.Seed {
		case 42:
			c.Errorf("two things")
			c.Fatalf("found")
			c.Errorf("never said")
		case 45:
			panic("boom")
		case 46:
			c.Cleanup(func() { c.Errorf("found at the end") })
		}
	}})
	for i, f := range res.Failed {
		for j, text := range f.Found {
			res.Failed[i].Found[j], _, _ = strings.Cut(text, "\n")
		}
	}
	replay := "go test -tags faults ./internal/faults -run '^TestCampaign$/^kill$/^cli$' -seed="
	want := Result{Campaign: "kill", Target: "cli", Cases: 7, Failures: 3, FirstSeed: 40, Notes: "7 played", Failed: []Failure{
		{Seed: 42, Found: []string{"two things", "found"}, Replay: replay + "42"},
		{Seed: 45, Found: []string{"panic: boom"}, Replay: replay + "45"},
		{Seed: 46, Found: []string{"found at the end"}, Replay: replay + "46"},
	}}
	if diff := cmp.Diff(want, res, cmpopts.IgnoreFields(Result{}, "Seconds")); diff != "" {
		t.Error(diff)
	}
}

func TestCampaignThatDisturbsTooFewCasesFails(t *testing.T) {
	run := func(cases int) []string {
		return Run(t.Context(), Campaign{Cases: cases, First: 1, Need: map[string]int{"struck": 50, "read": 10, "never": 5}, Play: func(c *Case) {
			c.Count("read")
			if c.Seed%4 == 0 {
				c.Count("struck")
			}
		}}).Short
	}
	want := []string{"0 never in 40 cases, at least 5 in a hundred are needed", "10 struck in 40 cases, at least 50 in a hundred are needed"}
	if diff := cmp.Diff(want, run(40)); diff != "" {
		t.Error(diff)
	}
	if short := run(fewForNeed - 1); short != nil {
		t.Errorf("of few cases: %v", short)
	}
}

func TestShortCampaignIsSeenInTheTableTheLineAndTheFile(t *testing.T) {
	res := Result{Campaign: "kill", Target: "cli", Cases: 40, Notes: "10 struck", Short: []string{"10 struck in 40 cases"}}
	r := NewReport("", time.Now)
	r.Add(res)
	var table bytes.Buffer
	path := filepath.Join(t.TempDir(), "faults.json")
	if err := errors.Join(r.Table(&table), r.Save(path, nil)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for text, part := range map[string]string{
		table.String(): "kill/cli failed: 10 struck in 40 cases\n", res.Line(): "TOO FEW: 10 struck in 40 cases (10 struck)", string(b): `"short": [`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

func TestCampaignsDrawDifferently(t *testing.T) {
	draws := make(chan string, 2)
	for _, target := range []string{"403", "404"} {
		Run(t.Context(), Campaign{Name: "github", Target: target, Cases: 1, First: 9, Play: func(c *Case) { draws <- fmt.Sprint(c.Rand.Perm(20)) }})
	}
	if a, b := <-draws, <-draws; a == b {
		t.Errorf("both draw %s", a)
	}
}

func TestReplaySaysWhereTheSeedBringsNothingBack(t *testing.T) {
	got := Replay(Campaign{Name: "fuzz", Target: "a-FuzzB", Unseeded: "the input is in testdata"}, 1)
	if want := "go test -tags faults ./internal/faults -run '^TestCampaign$/^fuzz$/^a-FuzzB$' -seed=1 # the input is in testdata"; got != want {
		t.Error(got)
	}
}

func TestSameSeedDrawsTheSame(t *testing.T) {
	draws := make(chan string, 2)
	for range 2 {
		Run(t.Context(), Campaign{Cases: 1, First: 9, Play: func(c *Case) { draws <- fmt.Sprint(c.Rand.Perm(20)) }})
	}
	if a, b := <-draws, <-draws; a != b {
		t.Errorf("%s, then %s", a, b)
	}
}

func TestCaseThatHangsFails(t *testing.T) {
	res := Run(t.Context(), Campaign{Cases: 1, Limit: time.Millisecond, Play: func(c *Case) { <-c.Context().Done() }})
	if res.Failures != 1 || !strings.Contains(res.Failed[0].Found[0], "longer than 1ms") {
		t.Errorf("%+v", res)
	}
}

func TestTableNamesEveryCampaignAndHowToPlayAFailureAgain(t *testing.T) {
	start := time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)
	clock := testclock.New(start)
	r := NewReport("v1.2.3", clock.Now)
	r.Add(Result{Campaign: "webhooks", Target: "serve", Cases: 5, Failures: 1, Seconds: 1, FirstSeed: 1, Failed: []Failure{{Seed: 3, Replay: "go test …"}}})
	r.Add(Result{Campaign: "kill", Target: "dynamodb", Skipped: "no moto"})
	r.Add(Result{Campaign: "kill", Target: "cli-apply", Cases: 1000, Seconds: 12.34, FirstSeed: 1, Notes: "600 in the middle"})
	clock.Advance(12 * time.Second)
	var out bytes.Buffer
	if err := r.Table(&out); err != nil {
		t.Fatal(err)
	}
	want := `CAMPAIGN  TARGET     CASES  FAILURES  SECONDS  FIRST SEED  VERSION  
kill      cli-apply  1000   0         12.3     1           v1.2.3   600 in the middle
kill      dynamodb   -      -         -        -           -        skipped: no moto
webhooks  serve      5      1         1.0      1           v1.2.3   
all                  1005   1         13.3                          

webhooks/serve failed with seed 3; play it again:
  go test …

took 12s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// A run in parts leaves what it did not play, with the version that was played.
func TestReportKeepsWhatWasNotPlayedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "faults.json")
	clock := testclock.New(time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC))
	save := func(version string, results ...Result) {
		t.Helper()
		r := NewReport(version, clock.Now)
		for _, res := range results {
			r.Add(res)
		}
		if err := r.Save(path, func(res Result) bool { return res.Campaign != "dropped" }); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
	}
	save("v1", Result{Campaign: "kill", Target: "cli", Cases: 10}, Result{Campaign: "fuzz", Target: "plan", Cases: 1}, Result{Campaign: "dropped", Target: "x"})
	save("v2", Result{Campaign: "kill", Target: "cli", Cases: 20})
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []Result{
		{Campaign: "fuzz", Target: "plan", Cases: 1, Version: "v1", Played: time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)},
		{Campaign: "kill", Target: "cli", Cases: 20, Version: "v2", Played: time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(path, []byte(`{"schema":"another"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := NewReport("v3", clock.Now).Save(path, nil); err == nil {
		t.Error("a file that is no report was written over")
	}
}
