package faults

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/awstest"
)

// reasons keeps why tests skipped themselves, by name: go test writes it into its
// log and gives it to nobody.
type reasons struct{ of sync.Map }

// noting is start with the reason kept when it skips the test.
func (r *reasons) noting(start func(testing.TB) *awstest.Env) func(testing.TB) *awstest.Env {
	return func(t testing.TB) *awstest.Env { return start(notingTB{t, r}) }
}

// onAWS is a play with AWS services of its own.
func (r *reasons) onAWS(play func(*testing.T, *workshop, *awstest.Env) func(*Case)) func(*testing.T, *workshop) func(*Case) {
	return func(t *testing.T, ws *workshop) func(*Case) {
		return play(t, ws, r.noting(awstest.Own)(t))
	}
}

// why is the reason that a test gave.
func (r *reasons) why(test string) string {
	if text, ok := r.of.Load(test); ok {
		return fmt.Sprint(text)
	}
	return "the test's log says why"
}

// notingTB notes the reason of a skip before it skips.
type notingTB struct {
	testing.TB
	reasons *reasons
}

func (t notingTB) note(text string) {
	t.reasons.of.Store(t.Name(), strings.TrimPrefix(strings.TrimSpace(text), "skipped: "))
}

func (t notingTB) Skip(args ...any) {
	t.Helper()
	t.note(fmt.Sprintln(args...))
	t.TB.Skip(args...)
}

func (t notingTB) Skipf(format string, args ...any) {
	t.Helper()
	t.note(fmt.Sprintf(format, args...))
	t.TB.Skipf(format, args...)
}

// mustPlay is true where nothing may be left out: in the long form under CI.
func mustPlay() bool { return long && os.Getenv("CI") == "true" }

func TestReasonOfASkipIsKept(t *testing.T) {
	kept := &reasons{}
	for name, start := range map[string]func(testing.TB) *awstest.Env{
		"no moto installed": func(t testing.TB) *awstest.Env { t.Skip("skipped: no", "moto", "installed"); return nil },
		"no jars in /x":     func(t testing.TB) *awstest.Env { t.Skipf("no jars in %s", "/x"); return nil },
	} {
		var full string
		t.Run("skips", func(t *testing.T) {
			full = t.Name()
			kept.noting(start)(t)
		})
		if got := kept.why(full); got != name {
			t.Errorf("%q, want %q", got, name)
		}
	}
	if got := kept.why("another"); got != "the test's log says why" {
		t.Errorf("%q of a test that gave no reason", got)
	}
}
