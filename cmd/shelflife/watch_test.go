package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/scaffold"
)

func TestPolicyTestWatchesUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := &app{streams: streams{out: newWatched(), err: newWatched()}}
	files, err := scaffold.Policy("first", "expire")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.writePolicy(dir, "first", files); err != nil {
		t.Fatal(err)
	}
	out, errs := newWatched(), newWatched()
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"policy", "test", "--path", dir, "--watch"}, streams{
			in: strings.NewReader(""), out: out, err: errs, getenv: func(string) string { return "" },
		})
	}()
	out.wait(t, "7 tests, 0 failed")
	errs.wait(t, "waiting for changes below")

	// A change of a case, then a policy in a folder that was not there before.
	place := filepath.Join(dir, "first", "first.case.yaml")
	text, err := os.ReadFile(place)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(place, []byte(strings.Replace(string(text), "expect: []", "expect: [delete exact]", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out.wait(t, "7 tests, 1 failed")
	out.wait(t, "- expected, but not decided: delete exact")
	more, err := scaffold.Policy("second", "keep")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.writePolicy(dir, "second", more); err != nil {
		t.Fatal(err)
	}
	out.wait(t, "13 tests, 1 failed")

	// What does not compile is said, and the watch goes on.
	if err := os.WriteFile(filepath.Join(dir, "second", "second.rego"), []byte("package retention.second\n\nx if {"), 0o600); err != nil {
		t.Fatal(err)
	}
	errs.wait(t, "second.rego:3")
	interrupt()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d", code)
	}
}
