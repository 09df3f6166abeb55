package githubsim

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Server is a running simulator. It is safe for concurrent use.
type Server struct {
	clock     func() time.Time
	baseURL   string
	client    *http.Client
	seed      Seed // as given, for tokens, limits and switches
	latency   time.Duration
	apps      map[int64]*app
	anyToken  bool   // no token is configured: every one works
	anyLogin  string // and acts as this login
	startedAt time.Time
	startReal time.Time
	effects   func(Effect) // told of each deletion and restoring

	mu          sync.Mutex
	owners      map[string]*owner // by lower-case login
	ownerOrder  []*owner
	nextPackage int64
	nextVersion int64
	minted      map[string]*principal // installation tokens
	pullTokens  map[string]pullToken  // registry bearer tokens
	windows     map[string]*window    // rate limits by caller
	inflight    map[string]int        // concurrent calls by Authorization header
	faults      []*armedFault
	fired       int // calls that faults have struck, of all faults so far
	staleShown  int // lists that showed what is deleted
	holds       []*Held
	calls       []*Call
	requests    int // for request ids; unlike calls never reset
	deliveries  []*delivery
}

// Option changes how a Server is made.
type Option func(*Server)

// WithClock sets the simulator's clock; the seed's clock is then ignored.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.clock = now } }

// WithBaseURL sets the address that URLs in answers, Link headers and the
// registry's token realm start with. Without it they follow each request's Host.
func WithBaseURL(url string) Option { return func(s *Server) { s.baseURL = url } }

// New checks the seed and builds a simulator from it. It calls nothing.
func New(seed Seed, opts ...Option) (*Server, error) {
	if err := seed.check(); err != nil {
		return nil, fmt.Errorf("simulator seed: %w", err)
	}
	s := &Server{
		client: &http.Client{Timeout: 10 * time.Second}, seed: seed, latency: time.Duration(seed.Latency),
		owners: map[string]*owner{}, minted: map[string]*principal{}, pullTokens: map[string]pullToken{},
		windows: map[string]*window{}, inflight: map[string]int{}, startReal: time.Now(),
	}
	s.startedAt = seed.Clock
	for _, opt := range opts {
		opt(s)
	}
	switch {
	case s.clock != nil:
		s.startedAt = s.clock()
	case s.startedAt.IsZero():
		s.startedAt = s.startReal
	}
	if err := s.build(seed); err != nil {
		return nil, fmt.Errorf("simulator seed: %w", err)
	}
	if err := s.readApps(seed.Apps); err != nil {
		return nil, fmt.Errorf("simulator seed: %w", err)
	}
	s.anyToken, s.anyLogin = anyToken(seed)
	s.faults = arm(seed.Faults)
	return s, nil
}

// now is the simulator's clock: WithClock's, or one that started at the seed's
// clock and runs on.
func (s *Server) now() time.Time {
	if s.clock != nil {
		return s.clock().UTC()
	}
	return s.startedAt.Add(time.Since(s.startReal)).UTC()
}

// Handler serves the API (also below /api/v3), the registry and /_sim on one address.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if isControl(r) {
		s.control(w, r)
		return
	}
	q := s.begin(r)
	defer s.end(q)
	if !pause(r.Context(), s.latency) {
		return // the client went away before the call had any effect
	}
	f := s.takeFault(q)
	before, after := s.takeHolds(q)
	if !stand(w, before) {
		return
	}
	a := s.answer(q, f)
	if a.after != nil {
		a.after(r.Context())
	}
	if stand(w, after) {
		s.send(w, q, f, a)
	}
}

// answer handles the call, or lets the fault stand in for it.
func (s *Server) answer(q *request, f *Fault) answer {
	if f != nil && f.replaces() && !f.AfterEffect {
		return s.faultAnswer(q, f)
	}
	a := s.handle(q, f)
	if f != nil && f.replaces() {
		after := a.after
		a = s.faultAnswer(q, f)
		a.after = after
	}
	return a
}

// handle holds the lock for the whole of one call: calls are atomic, as seen
// from outside.
func (s *Server) handle(q *request, f *Fault) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.stale = f != nil && f.Kind == FaultStale
	switch q.call.Kind {
	case KindRegistry:
		return s.registry(q)
	case KindToken:
		return s.pullTokenFor(q)
	case KindApp:
		return s.appAPI(q)
	}
	return s.restAPI(q)
}

// pause waits for d of real time; false means that ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
