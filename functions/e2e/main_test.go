package e2e

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/lambdatest"
)

// built are the bootstraps of both functions, made once for the test binary.
type built struct{ dir, enforcer, webhook string }

var build = sync.OnceValues(func() (b built, err error) {
	if b.dir, err = os.MkdirTemp("", "shelflife-functions-"); err != nil {
		return b, err
	}
	buildDir.Store(&b.dir)
	if b.enforcer, err = lambdatest.BuildHere(b.dir, "EnforcerFunction"); err != nil {
		return b, err
	}
	b.webhook, err = lambdatest.BuildHere(b.dir, "WebhookFunction")
	return b, err
})

// buildDir is what to remove in the end.
var buildDir atomic.Pointer[string]

// total is what this run of the test binary has done.
var total = &tally{}

// bootstraps skips the test, saying so, where none can be run, unless CI=true.
func bootstraps(t testing.TB) built {
	t.Helper()
	b, err := build()
	if errors.Is(err, lambdatest.ErrNotHere) && os.Getenv("CI") != "true" {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir := buildDir.Load(); dir != nil {
		if err := os.RemoveAll(*dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	total.print()
	os.Exit(code)
}
