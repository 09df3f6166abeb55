package lambdatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// echoPath is the program of testdata/echo, built once.
var echoPath = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lambdatest-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", path, "./testdata/echo")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := echoPath(); err == nil {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

func echo(t testing.TB, c Config) *Function {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: sandboxes are frozen and killed as on Linux")
	}
	path, err := echoPath()
	if err != nil {
		t.Fatal(err)
	}
	c.Name, c.Bootstrap = "echo", path
	return New(t, c)
}

func order(t testing.TB, f *Function, do string) (string, error) {
	t.Helper()
	out, err := f.Invoke(t.Context(), []byte(`{"do":"`+do+`"}`))
	return string(out), err
}

type about struct {
	LeftMS  int64 `json:"left_ms"`
	Request string
	ARN     string
	Name    string
	PID     int
	Served  int
	Home    string
	Own     string
}

func askAbout(t testing.TB, f *Function) about {
	t.Helper()
	out, err := order(t, f, "about")
	if err != nil {
		t.Fatal(err)
	}
	var a about
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAFunctionHearsWhatLambdaTells(t *testing.T) {
	f := echo(t, Config{Timeout: 20 * time.Second, Env: []string{"ECHO_OWN=yes"}})
	a := askAbout(t, f)
	if a.LeftMS < 15_000 || a.LeftMS > 20_000 || len(a.Request) != 36 || a.ARN != "arn:aws:lambda:us-east-1:123456789012:function:echo" ||
		a.Name != "echo" || a.Served != 1 || a.Home != "" || a.Own != "yes" {
		t.Errorf("%+v", a)
	}
	b := askAbout(t, f)
	if b.PID != a.PID || b.Served != 2 || b.Request == a.Request {
		t.Errorf("the sandbox is not used again: %+v, then %+v", a, b)
	}
	if in := f.Inits(); len(in) != 1 || in[0] <= 0 || in[0] > 5*time.Second {
		t.Errorf("inits %v", in)
	}
	if got, want := f.Counts(), (Counts{Invocations: 2, Sandboxes: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestFailuresAreTold(t *testing.T) {
	for do, tc := range map[string]struct {
		typ, message string
		fresh        bool // the next event goes to another process
	}{
		"fail":  {"errorString", "as ordered", false},
		"panic": {"string", "as ordered", true},
		"exit":  {TypeExit, "exit status 4", true},
		"hang":  {TypeTimeout, "Task timed out after 1.00 seconds", true},
	} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			f := echo(t, Config{Timeout: time.Second})
			first := askAbout(t, f)
			out, err := order(t, f, do)
			if out != "" || !IsType(err, tc.typ) || !strings.Contains(err.Error(), tc.message) {
				t.Errorf("%q, %v; want %s: %s", out, err, tc.typ, tc.message)
			}
			if next := askAbout(t, f); (next.PID != first.PID) != tc.fresh {
				t.Errorf("served by %d, then by %d", first.PID, next.PID)
			}
			if c := f.Counts(); c.Failed != 1 || (c.Timeouts == 1) != (do == "hang") {
				t.Errorf("%+v", c)
			}
			if do == "exit" && len(f.Log.Matching("no newline at the end")) != 1 {
				t.Error("what was written last is lost")
			}
		})
	}
}

func TestAnInitThatFailsFailsTheInvocation(t *testing.T) {
	f := echo(t, Config{Env: []string{"ECHO_INIT=exit"}})
	for n := 1; n <= 2; n++ { // each on a fresh sandbox
		if _, err := order(t, f, "about"); !IsType(err, TypeExit) || !strings.Contains(err.Error(), "before it asked for an event") {
			t.Errorf("%v", err)
		}
		if lines := f.Log.Matching("no configuration"); len(lines) != n {
			t.Errorf("lines: %q", lines)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := echo(t, Config{Env: []string{"ECHO_INIT=hang"}}).Invoke(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestAKilledSandboxFailsItsInvocationOnly(t *testing.T) {
	f := echo(t, Config{Timeout: time.Minute})
	first := askAbout(t, f)
	failed := make(chan error)
	go func() {
		_, err := f.Invoke(context.Background(), []byte(`{"do":"hang"}`))
		failed <- err
	}()
	for {
		f.Kill()
		select {
		case err := <-failed:
			// Killed while idle, before it took the event, another one took it.
			if !IsType(err, TypeExit) || !strings.Contains(err.Error(), "signal: killed") {
				t.Errorf("%v", err)
			}
			if next := askAbout(t, f); next.PID == first.PID {
				t.Error("the killed process answers")
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestSandboxesWorkSideBySide(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	f := echo(t, Config{Timeout: 30 * time.Second, Concurrency: 3, Env: []string{"ECHO_GATE=" + gate}})
	var all sync.WaitGroup
	errs := make(chan error, 3)
	for range 3 {
		all.Go(func() {
			_, err := f.Invoke(t.Context(), []byte(`{"do":"wait"}`))
			errs <- err
		})
	}
	deadline := time.Now().Add(10 * time.Second)
	for f.Counts().Sandboxes < 3 && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if _, err := order(t, f, "about"); !errors.Is(err, ErrThrottled) {
		t.Errorf("%v, want that the fourth is throttled", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if c := f.Counts(); c.Sandboxes != 3 || c.Failed != 0 {
		t.Errorf("%+v", c)
	}
}

func TestAnIdleSandboxIsFrozen(t *testing.T) {
	f := echo(t, Config{Timeout: 10 * time.Second})
	awake := func() int { return len(f.Log.Matching("awake")) }
	askAbout(t, f)
	settle(t, func() bool { return state(t, f) == "T" })
	before := awake()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for range 10 {
		<-ticks.C
	}
	if got := awake(); got != before {
		t.Errorf("it wrote %d lines while frozen", got-before)
	}
	askAbout(t, f)
	settle(t, func() bool { return awake() > before })
}

// state is what the kernel says of the function's only process: T is stopped.
func state(t *testing.T, f *Function) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.all[0].cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(stat))[2]
}

func settle(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if done() {
			return
		}
		<-tick.C
	}
	t.Fatal("it did not come to that within 10 s")
}

func TestRecycledSandboxesStartCold(t *testing.T) {
	f := echo(t, Config{})
	a := askAbout(t, f)
	f.Recycle()
	if b := askAbout(t, f); b.PID == a.PID || len(f.Inits()) != 2 {
		t.Errorf("%+v, then %+v", a, b)
	}
	f.Close()
	if _, err := order(t, f, "about"); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("%v", err)
	}
}

func TestABootstrapThatIsNotThere(t *testing.T) {
	f := New(t, Config{Name: "none", Bootstrap: filepath.Join(t.TempDir(), "bootstrap")})
	if _, err := f.Invoke(t.Context(), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
