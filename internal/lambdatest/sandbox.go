package lambdatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// sandbox is one execution environment: a process and the Runtime API that it alone
// asks. It works one event at a time.
type sandbox struct {
	fn      *Function
	cmd     *exec.Cmd
	api     *http.Server
	started time.Time

	events chan *invocation   // to the process that asks for one
	ready  chan struct{}      // closed when it has asked for the first time
	broken chan FunctionError // what it reported of its init
	exited chan struct{}      // closed when the process is gone
	how    error              // of its end; set before exited is closed

	mu      sync.Mutex
	current *invocation
	asked   bool
}

// invocation is one event on its way.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	done     chan struct{} // closed with the answer

	once   sync.Once
	answer []byte
	err    error
}

func (i *invocation) finish(answer []byte, err error) {
	i.once.Do(func() {
		i.answer, i.err = answer, err
		close(i.done)
	})
}

// start runs the bootstrap. It returns before its init is over.
func start(f *Function, n int) (*sandbox, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sandbox{
		fn: f, cmd: exec.Command(f.Bootstrap), events: make(chan *invocation), ready: make(chan struct{}),
		broken: make(chan FunctionError, 1), exited: make(chan struct{}),
	}
	s.api = &http.Server{Handler: s.routes()}
	out := &splitter{log: f.Log, line: Line{Function: f.Name, Sandbox: n}}
	// One writer for both, so that exec writes from one goroutine.
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.Dir, s.cmd.SysProcAttr, s.cmd.WaitDelay = filepath.Dir(f.Bootstrap), attributes(), time.Second
	s.cmd.Env = append(f.lambdaEnv(l.Addr().String(), n), f.Env...)
	s.started = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", f.Name, err), l.Close())
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.api.Serve(l) // always ErrServerClosed: the process's end closes it
	}()
	go func() {
		s.how = s.cmd.Wait()
		out.flush()
		_ = s.api.Close() // its connections are to a process that is gone
		<-served
		close(s.exited)
		f.ended(s)
	}()
	return s, nil
}

// lambdaEnv is what Lambda sets for a function of a custom runtime.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (f *Function) lambdaEnv(api string, n int) []string {
	task := filepath.Dir(f.Bootstrap)
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + api, "AWS_LAMBDA_FUNCTION_NAME=" + f.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name, "AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]" + strconv.Itoa(n),
		"LAMBDA_TASK_ROOT=" + task, "LAMBDA_RUNTIME_DIR=" + task, "_HANDLER=bootstrap",
		"LANG=en_US.UTF-8", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin:/bin",
	}
}

func (s *sandbox) alive() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// kill ends the process. A group that is gone already is what was wanted.
func (s *sandbox) kill() { _ = killGroup(s.cmd.Process.Pid) }

// errGone says that a sandbox ended between two events: another one takes this.
var errGone = errors.New("the sandbox is gone")

// invoke works one event. After a failure other than the program's own the process
// is gone.
func (s *sandbox) invoke(ctx context.Context, event []byte) ([]byte, error) {
	if err := s.awaitInit(ctx); err != nil {
		return nil, err
	}
	i := &invocation{id: requestID(), event: event, deadline: time.Now().Add(s.fn.Timeout), done: make(chan struct{})}
	late := time.NewTimer(s.fn.Timeout)
	defer late.Stop()
	select {
	case s.events <- i:
	case <-s.exited:
		return nil, errGone
	case <-ctx.Done():
		return nil, s.end(ctx.Err())
	}
	select {
	case <-i.done:
		return i.answer, i.err
	case <-s.exited:
		select {
		case <-i.done: // it had answered before it ended
			return i.answer, i.err
		default:
			return nil, s.exitError("RequestId: " + i.id)
		}
	case <-late.C:
		return nil, s.end(&FunctionError{s.fn.Name, TypeTimeout, fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", i.id, s.fn.Timeout.Seconds())})
	case <-ctx.Done():
		return nil, s.end(ctx.Err())
	}
}

// awaitInit waits until the process has asked for its first event.
func (s *sandbox) awaitInit(ctx context.Context) error {
	late := time.NewTimer(time.Until(s.started.Add(maxInit)))
	defer late.Stop()
	select {
	case <-s.ready:
		return nil
	case e := <-s.broken:
		return s.end(&e)
	case <-s.exited:
		select {
		case e := <-s.broken:
			return &e
		default:
			return s.exitError("before it asked for an event")
		}
	case <-late.C:
		select {
		case <-s.ready:
			return nil
		default:
			return s.end(&FunctionError{s.fn.Name, TypeInitError, fmt.Sprintf("no request for an event within %s", maxInit)})
		}
	case <-ctx.Done():
		return s.end(ctx.Err())
	}
}

// end kills the process, waits until it is gone, and returns err.
func (s *sandbox) end(err error) error {
	s.kill()
	<-s.exited
	return err
}

func (s *sandbox) exitError(when string) error {
	how := "exit status 0"
	if s.how != nil {
		how = s.how.Error()
	}
	return &FunctionError{s.fn.Name, TypeExit, when + " Error: Runtime exited with error: " + how}
}

// requestID looks like one of Lambda's.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
