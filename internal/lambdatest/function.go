package lambdatest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// Config describes a function as a template does.
type Config struct {
	Name      string
	Bootstrap string   // path of the program
	Env       []string // of the function; Lambda's own variables are added
	// Timeout is how long an invocation may take. Lambda's 3 s when zero.
	Timeout time.Duration
	// Concurrency bounds the sandboxes at work at once. Lambda's 1,000 when zero.
	Concurrency int
	Log         *Log // where lines go; a log of its own when nil
}

// maxInit is how long Lambda waits for the first request for an event.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
const maxInit = 10 * time.Second

// Counts is what has happened to a function so far.
type Counts struct {
	Invocations int // that reached a sandbox
	Failed      int // of these, in whatever way
	Timeouts    int // of the failed
	Sandboxes   int // started
	Killed      int // by Kill
}

// Function runs one function's sandboxes. It is safe for concurrent use.
type Function struct {
	Config

	mu     sync.Mutex
	closed bool
	all    []*sandbox // not yet ended
	idle   []*sandbox // ready, the last used one last
	inits  []time.Duration
	counts Counts
}

// New prepares a function. Sandboxes are started by invocations, as on Lambda, and
// killed when the test ends; the log's end is shown when it failed.
func New(t testing.TB, c Config) *Function {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = 3 * time.Second
	}
	if c.Concurrency == 0 {
		c.Concurrency = 1000
	}
	if c.Log == nil {
		c.Log = &Log{}
	}
	f := &Function{Config: c}
	t.Cleanup(func() {
		f.Close()
		if t.Failed() {
			t.Logf("%s wrote at last:\n%s", c.Name, c.Log.Tail(60))
		}
	})
	return f
}

// Invoke hands an event to an idle sandbox, or a fresh one, and waits for the answer.
// A FunctionError is a failed invocation; ErrThrottled one that did not begin. When ctx
// ends, the sandbox is killed.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var s *sandbox
	var answer []byte
	err := errGone
	for errors.Is(err, errGone) { // the event was not handed over
		if s, err = f.acquire(); err != nil {
			return nil, err
		}
		answer, err = s.invoke(ctx, event)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Invocations++
	if err != nil {
		f.counts.Failed++
	}
	if IsType(err, TypeTimeout) {
		f.counts.Timeouts++
	}
	if s.alive() {
		f.idle = append(f.idle, s)
	}
	return answer, err
}

// Start starts a sandbox and waits until it is ready for an event.
func (f *Function) Start(ctx context.Context) error {
	s, err := f.fresh()
	if err != nil {
		return err
	}
	if err := s.awaitInit(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.alive() {
		f.idle = append(f.idle, s)
	}
	return nil
}

// acquire takes the sandbox that was used last, or starts one.
func (f *Function) acquire() (*sandbox, error) {
	f.mu.Lock()
	for len(f.idle) > 0 {
		s := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if s.alive() {
			f.mu.Unlock()
			return s, nil
		}
	}
	f.mu.Unlock()
	return f.fresh()
}

// fresh starts a sandbox.
func (f *Function) fresh() (*sandbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return nil, errors.New(f.Name + ": the test has ended")
	case len(f.all) >= f.Concurrency:
		return nil, ErrThrottled
	}
	f.counts.Sandboxes++
	s, err := start(f, f.counts.Sandboxes)
	if err != nil {
		return nil, err
	}
	f.all = append(f.all, s)
	return s, nil
}

// ended forgets a sandbox whose process is gone.
func (f *Function) ended(s *sandbox) {
	f.mu.Lock()
	defer f.mu.Unlock()
	is := func(other *sandbox) bool { return other == s }
	f.all, f.idle = slices.DeleteFunc(f.all, is), slices.DeleteFunc(f.idle, is)
}

func (f *Function) ready(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inits = append(f.inits, took)
}

// Kill ends all sandboxes at once by SIGKILL, as when their host fails, and returns how
// many. What they were at fails.
func (f *Function) Kill() int {
	f.mu.Lock()
	all := slices.Clone(f.all)
	f.counts.Killed += len(all)
	f.mu.Unlock()
	for _, s := range all {
		s.kill()
	}
	return len(all)
}

// Recycle kills the idle sandboxes, as Lambda does now and then: the next
// invocation is a cold one.
func (f *Function) Recycle() {
	f.mu.Lock()
	idle := slices.Clone(f.idle)
	f.mu.Unlock()
	for _, s := range idle {
		s.kill()
		<-s.exited
	}
}

// Inits returns how long each sandbox took from the start of its process to its first
// request for an event.
func (f *Function) Inits() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.inits)
}

// Counts returns what has happened so far.
func (f *Function) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

// Close kills all sandboxes and waits until they are gone. Further invocations fail.
func (f *Function) Close() {
	f.mu.Lock()
	f.closed = true
	all := slices.Clone(f.all)
	f.mu.Unlock()
	for _, s := range all {
		s.kill()
		<-s.exited
	}
}
