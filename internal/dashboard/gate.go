package dashboard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// How long things last.
const (
	codeLife    = 15 * time.Minute // of the address that is printed at the start
	sessionLife = 12 * time.Hour
	idleLife    = 2 * time.Hour // of a session that nobody uses
	// After freeTries wrong tokens from one address each further one doubles the
	// wait, from a second up to maxWait. An hour without one forgets them.
	freeTries = 5
	maxWait   = time.Minute
	memory    = time.Hour
	// What is kept of strangers is bounded.
	maxSessions  = 100
	maxStrangers = 10_000
)

// session is one person who has signed in.
type session struct {
	form  secret.Secret // that every form of the session must bear
	until time.Time
	used  time.Time
}

// stranger is an address that wrong tokens came from.
type stranger struct {
	failures int
	last     time.Time
	wait     time.Time // no further try before
}

// gate knows who is signed in. Sessions are kept by the digest of their id, in
// memory only: they end with the process.
type gate struct {
	now   func() time.Time
	token [sha256.Size]byte
	code  secret.Secret // signs in once, until codeUntil

	mu        sync.Mutex
	codeUntil time.Time
	sessions  map[[sha256.Size]byte]session
	strangers map[string]stranger
}

func newGate(token secret.Secret, now func() time.Time) *gate {
	return &gate{
		now: now, token: sha256.Sum256([]byte(token.Reveal())), code: secret.New(rand.Text()), codeUntil: now().Add(codeLife),
		sessions: map[[sha256.Size]byte]session{}, strangers: map[string]stranger{},
	}
}

// enter signs in whoever has the token or the code. from is the address that asks.
// It returns the id of a new session, or how long to wait before the next try.
func (g *gate) enter(given, from string) (id string, wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	s := g.strangers[from]
	if now.Before(s.wait) {
		return "", s.wait.Sub(now), false // not even looked at
	}
	if !g.right(given, now) {
		g.remember(from, s, now)
		return "", 0, false
	}
	delete(g.strangers, from)
	g.forget(now)
	id = rand.Text()
	g.sessions[sha256.Sum256([]byte(id))] = session{form: secret.New(rand.Text()), until: now.Add(sessionLife), used: now}
	return id, 0, true
}

// right compares in a time that does not depend on where two texts differ.
func (g *gate) right(given string, now time.Time) bool {
	sum := sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1 {
		return true
	}
	code := sha256.Sum256([]byte(g.code.Reveal()))
	if subtle.ConstantTimeCompare(sum[:], code[:]) == 1 && now.Before(g.codeUntil) {
		g.codeUntil = time.Time{} // once
		return true
	}
	return false
}

// remember counts a wrong token.
func (g *gate) remember(from string, s stranger, now time.Time) {
	if now.Sub(s.last) > memory {
		s = stranger{}
	}
	s.failures++
	s.last = now
	if over := s.failures - freeTries; over >= 0 {
		s.wait = now.Add(min(maxWait, time.Second<<min(over, 10)))
	}
	if len(g.strangers) >= maxStrangers {
		clear(g.strangers) // ten thousand addresses at it: the token's length is what holds
	}
	g.strangers[from] = s
}

// forget drops sessions that are over, and the oldest when there are too many.
func (g *gate) forget(now time.Time) {
	for id, s := range g.sessions {
		if !s.lives(now) {
			delete(g.sessions, id)
		}
	}
	for len(g.sessions) >= maxSessions {
		var oldest [sha256.Size]byte
		var at time.Time
		for id, s := range g.sessions {
			if at.IsZero() || s.used.Before(at) {
				oldest, at = id, s.used
			}
		}
		delete(g.sessions, oldest)
	}
}

func (s session) lives(now time.Time) bool {
	return now.Before(s.until) && now.Sub(s.used) < idleLife
}

// find returns the session of an id and counts as its use.
func (g *gate) find(id string) (session, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key, now := sha256.Sum256([]byte(id)), g.now()
	s, ok := g.sessions[key]
	if !ok || !s.lives(now) {
		delete(g.sessions, key)
		return session{}, false
	}
	s.used = now
	g.sessions[key] = s
	return s, true
}

// leave ends a session.
func (g *gate) leave(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sessions, sha256.Sum256([]byte(id)))
}
