package awstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"
)

// patience is how long a server may take to come up on a busy machine.
const patience = 60 * time.Second

// leash runs a command until its own standard input ends: the pipe to it is
// closed when this process ends, in whatever way. It ends when the command does.
const leash = `exec 3<&0
"$@" & child=$!
{ cat; kill "$child"; } <&3 3<&- >/dev/null 2>&1 &
exec 3<&-
wait "$child"`

// run starts a server on a free port, for as long as this process lives, and
// waits until it answers HTTP. It returns its address.
func run(program string, args func(port string) []string) (string, error) {
	base, _, err := leashed(program, args)
	return base, err
}

// leashed is run, and returns the pipe with which the server ends.
func leashed(program string, args func(port string) []string) (base string, pipe io.Closer, err error) {
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command("sh", append([]string{"-c", leash, "sh", program}, args(port)...)...)
	var log buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	// Waiting below keeps the pipe from being collected, and so from being closed,
	// as long as the server runs.
	if pipe, err = cmd.StdinPipe(); err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	base = "http://127.0.0.1:" + port
	if err := await(base, ended); err != nil {
		return "", nil, errors.Join(fmt.Errorf("start %s: %w\n%s", program, err, log.String()), ignoreClosed(pipe.Close()))
	}
	return base, pipe, nil
}

// ignoreClosed drops the error of closing what Wait has closed already.
func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if cerr := l.Close(); err == nil {
		err = cerr
	}
	return port, err
}

// await asks until there is an answer, whatever it is.
func await(base string, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, err := io.Copy(io.Discard, resp.Body)
			if cerr := resp.Body.Close(); err == nil {
				err = cerr
			}
			return err
		}
		select {
		case <-tick.C:
		case err := <-ended:
			return fmt.Errorf("it ended: %v", err)
		case <-ctx.Done():
			return fmt.Errorf("no answer within %s", patience)
		}
	}
}

// buffer keeps what a server says; exec writes to it from another goroutine.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// maxLog is enough to see why a server did not start.
const maxLog = 16 << 10

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Len() < maxLog {
		b.b.Write(p)
	}
	return len(p), nil
}

// String returns what was said at first.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
