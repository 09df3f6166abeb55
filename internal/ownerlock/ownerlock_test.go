package ownerlock_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/ownerlock"
)

// holder is the environment variable that makes the test's binary hold a lock
// until it is killed.
const holder = "OWNERLOCK_TEST_STATE"

func TestMain(m *testing.M) {
	path := os.Getenv(holder)
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := ownerlock.New(path, nil).Exclude(context.Background(), "acme"); err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("held\n")
	_, _ = io.Copy(io.Discard, os.Stdin) // until its process is killed
}

func state(t *testing.T) string {
	t.Helper()
	if !ownerlock.Supported {
		t.Skip("this system has no such lock")
	}
	return filepath.Join(t.TempDir(), "state.db")
}

// taken fails the test when it can't be had at once.
func taken(t *testing.T, take func(context.Context, ...string) (func(), error), owners ...string) (release func()) {
	t.Helper()
	release, err := take(over(t), owners...)
	if err != nil {
		t.Fatalf("%s: %v", owners, err)
	}
	return release
}

// refused fails the test when it can be had.
func refused(t *testing.T, take func(context.Context, ...string) (func(), error), owners ...string) {
	t.Helper()
	if _, err := take(over(t), owners...); !errors.Is(err, context.Canceled) {
		t.Fatalf("%s: %v, want a wait", owners, err)
	}
}

// over is a context with which nobody waits.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestManyShareAndOneExcludes(t *testing.T) {
	path := state(t)
	var waited []string
	locks := func() *ownerlock.Locks {
		return ownerlock.New(path, func(owner string) { waited = append(waited, owner) })
	}
	var shared []func()
	for range 10 {
		shared = append(shared, taken(t, locks().Share, "acme"))
	}
	refused(t, locks().Exclude, "ACME")
	taken(t, locks().Exclude, "other")()
	for _, release := range shared {
		release()
	}
	alone := taken(t, locks().Exclude, "acme", "beta", "Acme")
	refused(t, locks().Share, "acme")
	refused(t, locks().Share, "alpha", "beta")
	refused(t, locks().Exclude, "beta")
	alone()
	taken(t, locks().Exclude, "alpha", "beta")() // what failed kept nothing
	if len(waited) != 4 || waited[0] != "acme" {
		t.Errorf("waited for %v", waited)
	}
}

func TestTwoNamesOfOneStateFileAreOne(t *testing.T) {
	path := state(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	release := taken(t, ownerlock.New(link, nil).Share, "acme")
	refused(t, ownerlock.New(path, nil).Exclude, "acme")
	release()
}

func TestWhoWaitsToBeAloneIsNext(t *testing.T) {
	path := state(t)
	waits, got := make(chan string, 1), make(chan error, 1)
	first := taken(t, ownerlock.New(path, nil).Share, "acme")
	go func() {
		release, err := ownerlock.New(path, func(owner string) { waits <- owner }).Exclude(t.Context(), "acme")
		if err == nil {
			defer release()
		}
		got <- err
	}()
	<-waits
	refused(t, ownerlock.New(path, nil).Share, "acme") // no sharer comes before it
	first()
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}

func TestALockDiesWithItsProcess(t *testing.T) {
	path := state(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holder+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("%q %v", line, err)
	}
	refused(t, ownerlock.New(path, nil).Share, "acme")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it says that it was killed
	taken(t, ownerlock.New(path, nil).Exclude, "acme")()
}

func TestAFileThatCannotBeLockedIsAnError(t *testing.T) {
	if _, err := ownerlock.New(filepath.Join(state(t), "no", "folder"), nil).Share(t.Context(), "acme"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
