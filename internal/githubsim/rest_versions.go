package githubsim

import (
	"net/http"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// stamp is an instant as GitHub writes it: UTC, to the second.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func (s *Server) listVersions(c packagesCall) answer {
	if a, ok := s.may(c, opListVersions, "read:packages"); !ok {
		return a
	}
	p := c.visible()
	if p == nil {
		return c.packageNotFound(opListVersions)
	}
	state := retention.State(c.r.URL.Query().Get("state"))
	if state == "" || c.scope == scopeUsers && s.seed.UsersState == "ignored" {
		state = retention.Active
	}
	if state != retention.Active && state != retention.Deleted {
		return fail(http.StatusBadRequest, "Invalid argument.", c.docs(opListVersions))
	}
	var found []*version
	for _, v := range p.versions {
		if !v.unlisted() && c.lists(v, state) {
			found = append(found, v)
		}
	}
	if state == retention.Active && slices.ContainsFunc(found, func(v *version) bool { return !v.active() }) {
		s.staleShown++
	}
	return listAnswer(c.request, pageOf(c.request), found, func(v *version) any {
		return versionJSON(c.request, p, v, state == retention.Deleted)
	})
}

// lists reports whether v is in the listing of a state. Deleted versions are
// listed while they can be restored; a stale list shows them as active.
func (c packagesCall) lists(v *version, state retention.State) bool {
	if state == retention.Deleted {
		return restorable(v.deleted, c.now)
	}
	return v.active() || c.stale && restorable(v.deleted, c.now)
}

// activeVersion finds the version that the call names; a nil package means
// that the package, a nil version that the version is not there.
func (c packagesCall) activeVersion(p *pkg) *version {
	v := p.versionByID(c.versionID)
	if v == nil || !v.active() || v.unlisted() {
		return nil
	}
	return v
}

func (s *Server) getVersion(c packagesCall) answer {
	if a, ok := s.may(c, opGetVersion, "read:packages"); !ok {
		return a
	}
	p := c.visible()
	if p == nil {
		return c.packageNotFound(opGetVersion)
	}
	v := c.activeVersion(p)
	if v == nil {
		return c.versionNotFound(opGetVersion)
	}
	return jsonAnswer(http.StatusOK, versionJSON(c.request, p, v, false))
}

func (s *Server) deleteVersion(c packagesCall) answer {
	if a, ok := s.may(c, opDeleteVersion, "delete:packages"); !ok {
		return a
	}
	p := c.visible()
	if !c.mayAdmin(p) {
		return c.packageNotFound(opDeleteVersion)
	}
	v := c.activeVersion(p)
	if v == nil {
		return c.versionNotFound(opDeleteVersion)
	}
	if msg := refusal(p, v); msg != "" {
		return fail(http.StatusBadRequest, msg, c.docs(opDeleteVersion))
	}
	v.deleted = stamp(c.now)
	p.recount()
	s.happened(c.request, retention.Delete, p, v)
	return noContent()
}

// refusal is what GitHub says when it will not delete v, or "".
func refusal(p *pkg, v *version) string {
	switch {
	case p.visibility == "public" && v.downloads > downloadLimit:
		return msgDownloads
	case len(v.tags) > 0 && p.otherTagged(v) == 0:
		return msgLastTagged
	case p.listed == 1:
		return msgLastVersion
	}
	return ""
}

func (s *Server) restoreVersion(c packagesCall) answer {
	if a, ok := s.may(c, opRestoreVersion, "write:packages"); !ok {
		return a
	}
	p := c.visible()
	if !c.mayAdmin(p) {
		return c.packageNotFound(opRestoreVersion)
	}
	v := p.versionByID(c.versionID)
	if v == nil || v.unlisted() || !restorable(v.deleted, c.now) || p.activeNamed(v.name) != nil {
		return c.versionNotFound(opRestoreVersion)
	}
	v.tags = slices.DeleteFunc(v.tags, func(tag string) bool { return p.activeTagged(tag) != nil })
	v.deleted = time.Time{}
	p.recount()
	s.happened(c.request, retention.Restore, p, v)
	return noContent()
}
