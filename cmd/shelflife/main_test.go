package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"shelflife": main})
}

// TestScripts plays every script below testdata/script: one behaviour each,
// with the real commands against a simulated GitHub.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("SHELFLIFE_STATE", filepath.Join(env.WorkDir, "state", "shelflife.db"))
			env.Setenv("GITHUB_ACTOR", "tester")
			env.Values[worldKey{}] = &world{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sim":      cmdSim,
			"faults":   cmdFaults,
			"state":    cmdState,
			"planned":  cmdPlanned,
			"calls":    cmdCalls,
			"exits":    cmdExits,
			"json":     cmdJSON,
			"getjson":  cmdGetJSON,
			"replace":  cmdReplace,
			"first":    cmdFirst,
			"samejson": cmdSameJSON,
			"equal":    cmdEqual,
			"appkey":   cmdAppKey,
			"asked":    cmdAsked,
			"keypair":  cmdKeyPair,
			"publish":  cmdPublish,
			"now":      cmdNow,
		},
	})
}

// cmdSim starts a simulator and points the environment at it:
//
//	sim [sample|user|SEED]     within the test
//	sim -process [ARG…]        as shelflife sim ARG…
func cmdSim(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	w := worldOf(ts)
	if len(args) > 0 && args[0] == "-process" {
		w.process(ts, args[1:])
	} else {
		w.inProcess(ts, args)
	}
	ts.Setenv("GITHUB_API_URL", w.url)
	ts.Setenv("SHELFLIFE_REGISTRY_URL", w.url)
	ts.Setenv("GITHUB_TOKEN", "sim-token")
	w.start = w.state(ts)
}

func (w *world) inProcess(ts *testscript.TestScript, args []string) {
	seed := githubsim.SampleSeed()
	if len(args) > 0 && args[0] == "user" {
		seed = githubsim.UserSeed()
	} else if len(args) > 0 && args[0] != "sample" {
		var err error
		seed, err = githubsim.ReadSeed(strings.NewReader(ts.ReadFile(args[0])))
		ts.Check(err)
	}
	server, err := githubsim.New(seed)
	ts.Check(err)
	listener := httptest.NewServer(server.Handler())
	ts.Defer(listener.Close)
	w.url = listener.URL
}

// process runs shelflife sim until the script ends.
func (w *world) process(ts *testscript.TestScript, args []string) {
	cmd := exec.Command("shelflife", append([]string{"sim"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			ts.Logf("shelflife sim ended with %v", err)
		}
	})
	line := make([]byte, 256)
	n, err := out.Read(line)
	ts.Check(err)
	url, ok := strings.CutPrefix(strings.TrimSpace(string(line[:n])), "listening on ")
	if !ok {
		ts.Fatalf("shelflife sim says %q", line[:n])
	}
	w.url = url
}

// cmdFaults replaces the simulator's faults: faults FILE.
func cmdFaults(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	worldOf(ts).post(ts, "faults", ts.ReadFile(one(ts, args)))
}

// cmdExits runs a command that must end with a code: exits CODE COMMAND ARG….
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdReplace changes text in a file: replace OLD NEW FILE. OLD must be there.
func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%s does not hold %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.ReplaceAll(text, args[0], args[1])), 0o600))
}

// cmdFirst cuts a file to its first lines: first N FILE.
func cmdFirst(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := strings.SplitAfter(ts.ReadFile(args[1]), "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(lines[:min(n, len(lines))], "")), 0o600))
}

func refuse(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command can't be negated")
	}
}

func one(ts *testscript.TestScript, args []string) string {
	if len(args) != 1 {
		ts.Fatalf("this command takes one argument")
	}
	return args[0]
}

// cmdNow puts the time into a variable: now NAME.
func cmdNow(ts *testscript.TestScript, neg bool, args []string) {
	refuse(ts, neg)
	ts.Setenv(one(ts, args), time.Now().UTC().Format(time.RFC3339Nano))
}

// cmdEqual demands that two texts are the same.
func cmdEqual(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || (args[0] == args[1]) == neg {
		ts.Fatalf("%q", args)
	}
}
