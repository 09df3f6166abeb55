package faults

import (
	"testing"
	"time"
)

// What go test 1.26 prints, cut to what matters.
func TestOnlyTheEndOfTimeIsNoFinding(t *testing.T) {
	const (
		progress = "fuzz: elapsed: 6s, execs: 50382 (0/sec), new interesting: 9 (total: 202)\n"
		over     = "--- FAIL: FuzzParseManifest (6.05s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
		crash    = "--- FAIL: FuzzParseManifest (6.05s)\n    --- FAIL: FuzzParseManifest (0.00s)\n        property_test.go:9: context deadline exceeded\n" +
			"    \n    Failing input written to testdata/fuzz/FuzzParseManifest/582528ddfad69eb5\n    To re-run:\nFAIL\nexit status 1\n"
		hang = "--- FAIL: FuzzParseManifest (6.05s)\n    fuzzing process hung or terminated unexpectedly: exit status 2\n    Failing input written to testdata/fuzz/x\nFAIL\n"
	)
	for name, tc := range map[string]struct {
		out  string
		over bool
	}{
		"the end of its time":             {progress + over, true},
		"an input that fails":             {progress + crash, false},
		"a worker that died":              {progress + hang, false},
		"a deadline before its time":      {progress + "--- FAIL: FuzzParseManifest (2.00s)\n    context deadline exceeded\nFAIL\n", false},
		"the end of time after a failure": {progress + crash + over, false},
		"another failure":                 {"--- FAIL: FuzzParseManifest (6.05s)\n    open testdata: context deadline exceeded\nFAIL\n", false},
		"a package that does not build":   {"FAIL\tshelflife/internal/oci [build failed]\nFAIL\n", false},
		"nothing":                         {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := timeIsOver(tc.out, 5*time.Second); got != tc.over {
				t.Errorf("taken for the end of time: %v, want %v, of\n%s", got, tc.over, tc.out)
			}
		})
	}
}

func TestExecutionsAreReadFromWhatGoTestSays(t *testing.T) {
	for out, want := range map[string]int{
		"fuzz: elapsed: 0s, gathering baseline coverage: 0/985 completed\nfuzz: elapsed: 3s, gathering baseline coverage: 895/985 completed\nPASS\n": 895,
		"fuzz: elapsed: 1s, gathering baseline coverage: 9/9 completed, now fuzzing with 2 workers\nfuzz: elapsed: 3s, execs: 120 (40/sec)\n" +
			"fuzz: elapsed: 6s, execs: 250 (43/sec)\nPASS\n": 250,
		"fuzz: elapsed: 0s, gathering baseline coverage: 0/985 completed\nPASS\n": 0,
		"testing: warning: no fuzz tests to fuzz\nPASS\n":                         0,
	} {
		if got := executions(out); got != want {
			t.Errorf("%d executions, want %d, of\n%s", got, want, out)
		}
	}
}
