package githubsim

import (
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Effect is one change that a call made: what happened, whatever the caller was
// told about it.
type Effect struct {
	At        time.Time
	Call      int // N of the call
	Action    retention.Action
	Owner     string
	Type      retention.PackageType
	Package   string
	VersionID int64  // 0 when it is about the package as a whole
	Key       string // of the version
}

// WithEffects names a function that is told of each deletion and restoring in
// the instant that it happens. Nothing else happens in the simulator meanwhile,
// so it must not ask the simulator for anything.
func WithEffects(f func(Effect)) Option { return func(s *Server) { s.effects = f } }

// happened reports a change; v is nil when it is about the package. s.mu is held.
func (s *Server) happened(q *request, a retention.Action, p *pkg, v *version) {
	if s.effects == nil {
		return
	}
	e := Effect{At: q.now, Call: q.call.N, Action: a, Owner: p.owner.login, Type: p.typ, Package: p.name}
	if v != nil {
		e.VersionID, e.Key = v.id, v.key
	}
	s.effects(e)
}
