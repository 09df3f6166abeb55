package oci

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	// flushEvery is the number of fetched manifests after which they are
	// cached: what an interruption makes it fetch twice at most.
	flushEvery = 256
	// flushTimeout bounds the last write to the cache, whose context has no end.
	flushTimeout = 10 * time.Second
	// maxFailures is the number of failed requests after which the registry is
	// taken to be down.
	maxFailures = 5
)

// session is one reading of one package.
type session struct {
	r      *Reader
	repo   repository
	calls  *counters
	active []retention.Version // newest first, digests unique and valid
	index  map[string]int      // digest → position in active
	slots  chan struct{}       // one per request under way

	mu        sync.Mutex
	known     map[string]record // by digest: read from the cache or the registry
	described map[string]bool   // children about which a known index says enough
	missing   map[string]bool   // children that the registry no longer has
	broken    map[string]bool   // active versions whose manifest it no longer has
	unread    map[string]string // digest, or "" for the package → reason
	fresh     map[string][]byte // records not yet in the cache
	edges     int
	served    bool   // the registry has shown a manifest of this package
	failures  int    // requests without a usable answer
	halted    string // why nothing more is asked for; "" while it is
	paused    error
}

func newSession(r *Reader, owner, name string) *session {
	calls := &counters{}
	return &session{
		r:         r,
		repo:      repository{r: r, owner: owner, name: repositoryOf(owner, name), calls: calls},
		calls:     calls,
		index:     map[string]int{},
		slots:     make(chan struct{}, r.parallel),
		known:     map[string]record{},
		described: map[string]bool{},
		missing:   map[string]bool{},
		broken:    map[string]bool{},
		unread:    map[string]string{},
		fresh:     map[string][]byte{},
	}
}

// admit takes the active versions, newest first.
func (s *session) admit(versions []retention.Version) {
	sorted := slices.Clone(versions)
	retention.SortVersions(sorted)
	for _, v := range sorted {
		if !v.IsActive() {
			continue
		}
		if _, err := v1.NewHash(v.Name); err != nil {
			s.fail("", fmt.Sprintf("version %s is listed under a name that is no digest: %v", v.ID, err))
			continue
		}
		if _, twice := s.index[v.Name]; twice {
			s.fail(v.Name, "it is listed as two versions")
			continue
		}
		if len(s.active) == s.r.limits.Nodes {
			s.fail("", fmt.Sprintf("it has more than %d active versions, the limit", s.r.limits.Nodes))
			return
		}
		s.index[v.Name] = len(s.active)
		s.active = append(s.active, v)
	}
}

func (s *session) loadCached(ctx context.Context) {
	if len(s.active) == 0 || s.isHalted() {
		return
	}
	digests := make([]string, len(s.active))
	for i, v := range s.active {
		digests[i] = v.Name
	}
	stored, err := s.r.cache.Manifests(ctx, digests)
	if err != nil {
		s.stop(fmt.Sprintf("the digest cache could not be read, so the registry was not asked: %v", err))
		return
	}
	for _, v := range s.active {
		b, ok := stored[v.Name]
		if !ok {
			continue
		}
		// A record that cannot be used is fetched again.
		if rec, err := decodeRecord(b, s.r.limits); err == nil {
			s.learn(v.Name, rec)
		}
	}
}

// learn takes over what a manifest says. An artifact that an index lists is
// described only if the index is a fallback index, whose tag says what its
// artifacts refer to: otherwise it could go with the index although its subject
// stays.
func (s *session) learn(digest string, rec record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.edges+len(rec.Children) > s.r.limits.Edges {
		s.unread[digest] = fmt.Sprintf("the indexes of the package list more than %d children, the limit", s.r.limits.Edges)
		return
	}
	s.edges += len(rec.Children)
	s.known[digest] = rec
	at, active := s.index[digest]
	fallback := active && fallbackSubject(s.active[at]) != ""
	for _, c := range rec.Children {
		if _, listed := s.index[c.Digest]; listed && c.describes() && (fallback || !c.mayRefer()) {
			s.described[c.Digest] = true
		}
	}
}

// pending reports whether nothing is known about an active version yet.
func (s *session) pending(digest string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.known[digest]
	_, failed := s.unread[digest]
	return !known && !failed && !s.described[digest] && !s.broken[digest]
}

// fetch reads one manifest unless it has become known meanwhile. It reports
// whether it turned out to be an index.
func (s *session) fetch(ctx context.Context, v retention.Version) (isIndex bool) {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	if ctx.Err() != nil || s.isHalted() || !s.pending(v.Name) {
		return false
	}
	body, contentType, err := s.repo.manifest(ctx, v.Name)
	if errors.Is(err, errNotFound) {
		s.confirmBroken(ctx, v)
		return false
	}
	if err != nil {
		s.requestFailed(ctx, v.Name, err)
		return false
	}
	s.sawManifest()
	rec, err := parseManifest(body, contentType, s.r.limits)
	if err != nil {
		s.fail(v.Name, err.Error())
		return false
	}
	s.learn(v.Name, rec)
	s.store(ctx, v.Name, rec)
	return rec.Kind == retention.KindIndex
}

// confirmBroken asks a second time, in another way where there is one, before
// a listed version counts as having no manifest.
func (s *session) confirmBroken(ctx context.Context, v retention.Version) {
	ref := v.Name
	if v.Tagged() {
		ref = url.PathEscape(v.Tags[0])
	}
	there, err := s.repo.exists(ctx, ref)
	switch {
	case err != nil:
		s.requestFailed(ctx, v.Name, err)
	case there:
		s.fail(v.Name, "the registry answered 404 and then had it; run it again later")
	default:
		s.mu.Lock()
		s.broken[v.Name] = true
		s.mu.Unlock()
	}
}

// requestFailed sorts the failure of a request: a pause, a refusal that holds
// for every manifest, or this manifest's alone.
func (s *session) requestFailed(ctx context.Context, digest string, err error) {
	if ctx.Err() != nil {
		return // Graph reports it
	}
	if s.r.isPause(err) {
		s.mu.Lock()
		s.paused = err
		s.mu.Unlock()
		s.stop(err.Error())
		return
	}
	var refusal *statusError
	var auth *authError
	if errors.As(err, &auth) || errors.As(err, &refusal) && refusal.endsReading() {
		s.stop(err.Error())
	}
	s.fail(digest, err.Error())
	var content *contentError
	if errors.As(err, &content) {
		return
	}
	s.mu.Lock()
	s.failures++
	down := s.failures >= maxFailures
	s.mu.Unlock()
	if down {
		s.stop(fmt.Sprintf("%d requests to the registry failed, the last with: %v", maxFailures, err))
	}
}

func (s *session) store(ctx context.Context, digest string, rec record) {
	b, err := rec.encode()
	if err != nil {
		s.fail(digest, fmt.Sprintf("encode it for the cache: %v", err))
		return
	}
	s.mu.Lock()
	s.fresh[digest] = b
	full := len(s.fresh) >= flushEvery
	s.mu.Unlock()
	if full {
		s.flush(ctx)
	}
}

// flush caches what was fetched, also when the context has ended: it would have
// to be fetched again. A cache that cannot be written makes the
// package incomplete: every reading would fetch, and count as downloads, again.
func (s *session) flush(ctx context.Context) {
	s.mu.Lock()
	batch := s.fresh
	s.fresh = map[string][]byte{}
	s.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := s.r.cache.PutManifests(ctx, batch); err != nil {
		s.stop(fmt.Sprintf("the digest cache could not be written: %v", err))
	}
}

// stop ends the asking; what is pending stays unread.
func (s *session) stop(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.halted == "" {
		s.halted = why
	}
}

func (s *session) isHalted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.halted != ""
}

func (s *session) fail(digest, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.unread[digest]; !ok {
		s.unread[digest] = reason
	}
}

func (s *session) sawManifest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served = true
}

// each runs f over the items with as many at once as there are slots.
func each[T any](s *session, items []T, f func(T)) {
	var g errgroup.Group
	g.SetLimit(s.r.parallel)
	for _, it := range items {
		g.Go(func() error { f(it); return nil })
	}
	_ = g.Wait() // f reports into the session
}
