package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/peakmem"
)

// rig builds the binary once and runs it, as simulator and as itself, each as a
// process of its own.
type rig struct {
	dir string // temporary; holds the binary, seeds and state files
	bin string
}

func newRig(ctx context.Context) (*rig, error) {
	dir, err := os.MkdirTemp("", "shelflife-bench-")
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir, bin: filepath.Join(dir, "shelflife")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", r.bin, "./cmd/shelflife")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build shelflife (run from the project's folder): %w\n%s", err, out), r.close())
	}
	return r, nil
}

func (r *rig) close() error { return os.RemoveAll(r.dir) }

// scratch makes a new folder for one measurement.
func (r *rig) scratch() (string, error) { return os.MkdirTemp(r.dir, "run-") }

// world is a running simulator with the folder of its configuration and state.
type world struct {
	rig  *rig
	dir  string
	url  string
	stop func() error
}

// simulate starts a simulator on a port of its own.
func (r *rig) simulate(ctx context.Context, s seed) (*world, error) {
	dir, err := r.scratch()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "seed.json")
	if err := s.write(path); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, r.bin, "sim", "--seed", path, "--listen", "127.0.0.1:0")
	cmd.Env = []string{"HOME=" + dir}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	w := &world{rig: r, dir: dir, url: url}
	w.stop = func() error {
		cancel()
		_ = cmd.Wait() // it was told to end: how it did does not matter
		return os.RemoveAll(dir)
	}
	if err != nil || url == "" {
		return nil, errors.Join(fmt.Errorf("the simulator did not start: %v: %s", err, said.String()), w.stop())
	}
	return w, nil
}

// config is the shelflife.yaml of a world; the limits are out of the way.
func (w *world) config(types string, policies string) error {
	text := fmt.Sprintf(`version: 1
mode: enforce
owners: [{login: %s, kind: organization, types: [%s]}]
policies: %s
limits: {deletes_per_run: 1000000, deletes_per_day: 1000000, percent_of_package: 100, percent_of_owner: 100}
`, owner, types, policies)
	return os.WriteFile(filepath.Join(w.dir, "shelflife.yaml"), []byte(text), 0o600)
}

// fresh forgets the state: the next command is a first one.
func (w *world) fresh() error { return os.RemoveAll(filepath.Join(w.dir, "state")) }

// process is what one run of the binary took.
type process struct {
	wall, cpu time.Duration
	peak      int64 // bytes resident at most
	code      int
	stdout    []byte
	stderr    string
}

// shelflife runs the binary against the simulator. Exit codes other than 0 are
// errors unless allowed.
func (w *world) shelflife(ctx context.Context, args ...string) (process, error) {
	return w.rig.run(ctx, w.dir, []string{
		"HOME=" + w.dir, "SHELFLIFE_STATE=" + filepath.Join(w.dir, "state", "shelflife.db"),
		"GITHUB_API_URL=" + w.url, "SHELFLIFE_REGISTRY_URL=" + w.url, "GITHUB_TOKEN=any",
	}, args...)
}

func (r *rig) run(ctx context.Context, dir string, env []string, args ...string) (process, error) {
	cmd := exec.CommandContext(ctx, r.bin, args...)
	cmd.Dir, cmd.Env = dir, env
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return process{}, fmt.Errorf("start shelflife: %w", err)
	}
	peak := peakmem.Watch(cmd.Process.Pid)
	err := cmd.Wait()
	p := process{wall: time.Since(started), peak: peak(), stdout: out.Bytes(), stderr: said.String()}
	p.code = cmd.ProcessState.ExitCode()
	p.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		return p, fmt.Errorf("shelflife %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	return p, nil
}

// call is one request that the simulator was asked.
type call struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Status int    `json:"status"`
	Kind   string `json:"kind"`
}

// tally sorts the calls since it was last asked.
type tally struct {
	owner     int // who the owner is: one a command
	packages  int // below /packages
	manifests int
	challenge int
	token     int
	limited   int // refused for a limit, of all of the above
	deletes   int // that were done
}

func (t tally) registry() int { return t.manifests + t.challenge + t.token }

func (w *world) tally(ctx context.Context) (t tally, err error) {
	var calls []call
	if err := w.control(ctx, http.MethodGet, "calls", &calls); err != nil {
		return t, err
	}
	for _, c := range calls {
		switch {
		case c.Kind == "token":
			t.token++
		case c.Kind == "registry" && strings.Contains(c.Path, "/manifests/"):
			t.manifests++
		case c.Kind == "registry":
			t.challenge++
		case strings.Contains(c.Path, "/packages"):
			t.packages++
		default:
			t.owner++
		}
		if c.Status == http.StatusTooManyRequests || c.Status == http.StatusForbidden {
			t.limited++
		}
		if c.Method == http.MethodDelete && c.Status == http.StatusNoContent {
			t.deletes++
		}
	}
	return t, w.control(ctx, http.MethodPost, "reset-calls", nil)
}

func (w *world) control(ctx context.Context, method, what string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, w.url+"/_sim/"+what, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the simulator for %s: %w", what, err)
	}
	defer resp.Body.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
