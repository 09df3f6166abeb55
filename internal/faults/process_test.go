package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// workshop holds the programs under test, built once from this tree.
type workshop struct {
	dir   string
	build func(name, pkg string) (string, error)
}

func newWorkshop() (*workshop, error) {
	dir, err := os.MkdirTemp("", "shelflife-faults-bin-")
	if err != nil {
		return nil, err
	}
	type built struct {
		path string
		err  error
	}
	var mu sync.Mutex
	done := map[string]built{}
	return &workshop{dir: dir, build: func(name, pkg string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if b, ok := done[name]; ok {
			return b.path, b.err
		}
		path := filepath.Join(dir, name)
		cmd := exec.Command("go", "build", "-o", path, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
		done[name] = built{path, err}
		return path, err
	}}, nil
}

func (ws *workshop) shelflife() (string, error) {
	return ws.build("shelflife", "github.com/shelflife-dev/shelflife/cmd/shelflife")
}

// process is a run of the real binary.
type process struct {
	cmd   *exec.Cmd
	out   safeBuffer
	err   safeBuffer
	over  chan struct{} // closed when it has ended
	ended error
}

// safeBuffer is a buffer that may be read while it is written.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start runs shelflife in the world's folder.
func (w *world) start(ws *workshop, args ...string) *process {
	bin, err := ws.shelflife()
	w.Must(err)
	p := &process{cmd: exec.Command(bin, args...), over: make(chan struct{})}
	p.cmd.Dir = w.dir
	p.cmd.Env = append([]string{
		"HOME=" + w.dir, "SHELFLIFE_STATE=" + w.path("state/shelflife.db"), "GITHUB_ACTOR=faults",
		"GITHUB_API_URL=" + w.url, "SHELFLIFE_REGISTRY_URL=" + w.url, "GITHUB_TOKEN=any",
	}, w.env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	w.Must(p.cmd.Start())
	go func() {
		p.ended = p.cmd.Wait()
		close(p.over)
	}()
	w.Cleanup(p.kill)
	return p
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // one that has ended needs none
	<-p.over
}

// wait waits for the process's own end and returns its exit code.
func (w *world) wait(p *process) int {
	select {
	case <-p.over:
	case <-w.Context().Done():
		p.kill()
		w.Fatalf("shelflife %s did not end:\n%s%s", strings.Join(p.cmd.Args[1:], " "), p.out.String(), p.err.String())
	}
	if exit, ok := errors.AsType[*exec.ExitError](p.ended); ok {
		return exit.ExitCode()
	}
	w.Must(p.ended)
	return 0
}

// run runs a command that must end with one of the codes.
func (w *world) run(ws *workshop, codes []int, args ...string) int {
	p := w.start(ws, args...)
	got := w.wait(p)
	for _, code := range codes {
		if got == code {
			return got
		}
	}
	w.Fatalf("shelflife %s ended with %d, want %v:\n%s%s", strings.Join(args, " "), got, codes, p.out.String(), p.err.String())
	return got
}
