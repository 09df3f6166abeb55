package faults

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// checksPerCase is how many random packages one case of the graph campaigns is.
const checksPerCase = 5000

// properties plays the random packages of another package's own properties, with
// the case's seed.
func properties(pkg string) func(*testing.T, *workshop) func(*Case) {
	return func(*testing.T, *workshop) func(*Case) {
		return func(c *Case) {
			out, err := c.goTest(pkg, "-run", "Properties", "-count=1", "-v", fmt.Sprintf("-rapid.checks=%d", checksPerCase), fmt.Sprintf("-rapid.seed=%d", c.Seed), "-rapid.nofailfile")
			if err != nil {
				c.Fatalf("%v\n%s", err, out)
			}
			n := strings.Count(out, "\n--- PASS: Test") + strings.Count(out, "\n    --- PASS: Test")
			if n == 0 {
				c.Fatalf("no property was checked:\n%s", out)
			}
			c.CountN("random packages", n*checksPerCase)
		}
	}
}

// goTest runs tests of another package of this module.
func (c *Case) goTest(pkg string, args ...string) (string, error) {
	cmd := exec.CommandContext(c.Context(), "go", append([]string{"test", "github.com/shelflife-dev/shelflife/" + pkg}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &out, 10*time.Second
	err := cmd.Run()
	return out.String(), err
}

// executions is how often go test says that it executed a fuzz target. Where many
// inputs are known from earlier runs, a short one may get no further than them.
func executions(out string) int {
	for _, counter := range []*regexp.Regexp{fuzzExecs, fuzzBaseline} {
		if all := counter.FindAllStringSubmatch(out, -1); len(all) > 0 {
			n, err := strconv.Atoi(all[len(all)-1][1])
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

var (
	fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	fuzzExecs  = regexp.MustCompile(`execs: (\d+)`)
	// fuzzBaseline is how many known inputs were executed before new ones are made.
	fuzzBaseline = regexp.MustCompile(`baseline coverage: (\d+)/`)
	// fuzzEnd is a failure without a failing input, which would be named between
	// its two lines.
	fuzzEnd = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w+ \(([\d.]+)s\)\n    context deadline exceeded\nFAIL$`)
)

// timeIsOver is true of what go test says when it fails only because -fuzztime
// is over: before Go 1.27 its coordinator takes the end of its own time for an
// error when it wakes up a moment before its workers do (go.dev/issue/75804).
func timeIsOver(out string, limit time.Duration) bool {
	m := fuzzEnd.FindStringSubmatch(out)
	if m == nil || strings.Count(out, "--- FAIL") != 1 || strings.Contains(out, "Failing input") {
		return false
	}
	took, err := time.ParseDuration(m[1] + "s")
	return err == nil && took >= limit
}

// fuzzCampaigns is one campaign for each fuzz target of the project.
func fuzzCampaigns(root string) (out []campaign, err error) {
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pkg, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range fuzzTarget.FindAllSubmatch(text, -1) {
			out = append(out, campaign{"fuzz", filepath.Base(pkg) + "-" + string(m[1]), 1, 0, 1, fuzz(filepath.ToSlash(pkg), string(m[1])), nil})
		}
		return err
	})
	slices.SortFunc(out, func(a, b campaign) int { return strings.Compare(a.target, b.target) })
	return out, err
}

// fullFuzz is how long each target is to be fuzzed; the notes say where it was less.
const fullFuzz = 10 * time.Minute

// fuzz runs one fuzz target for -fuzz-time, with one worker: other campaigns run
// beside it. Inputs are made smaller for a hundred
// executions at most: with go test's usual minute, nearly all of a short run goes
// into that (936 executions in 10 s of FuzzBundle rather than 49,809). A crash is kept by go test in the
// package's testdata and played by every go test from then on.
func fuzz(pkg, name string) func(*testing.T, *workshop) func(*Case) {
	return func(*testing.T, *workshop) func(*Case) {
		return func(c *Case) {
			out, err := c.goTest(pkg, "-run", "^$", "-fuzz", "^"+name+"$", "-parallel", "1", "-fuzztime", fuzzFlag.String(), "-fuzzminimizetime", "100x")
			if err != nil && !timeIsOver(out, *fuzzFlag) {
				c.Fatalf("%v\n%s", err, out)
			}
			n := executions(out)
			if n == 0 {
				c.Fatalf("nothing was executed:\n%s", out)
			}
			c.CountN("executions", n)
			if *fuzzFlag < fullFuzz {
				c.CountN(fmt.Sprintf("seconds of fuzzing, %.0f in full", fullFuzz.Seconds()), int(fuzzFlag.Seconds()))
			}
		}
	}
}
