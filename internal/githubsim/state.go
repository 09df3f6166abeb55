package githubsim

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// State is everything that is in the simulator, sorted: owners by login,
// packages by type and name, versions by id.
type State struct {
	Owners []OwnerState `json:"owners"`
}

// OwnerState is one owner in a State.
type OwnerState struct {
	Login    string              `json:"login"`
	Kind     retention.OwnerKind `json:"kind"`
	Packages []PackageState      `json:"packages"`
}

// PackageState is one package in a State, deleted ones included.
type PackageState struct {
	ID        int64                 `json:"id"`
	Name      string                `json:"name"`
	Type      retention.PackageType `json:"package_type"`
	State     retention.State       `json:"state"`
	DeletedAt time.Time             `json:"deleted_at,omitzero"`
	Versions  []VersionState        `json:"versions"`
}

// VersionState is one version in a State, deleted and unlisted ones included.
type VersionState struct {
	ID        int64           `json:"id"`
	Key       string          `json:"key"`
	Name      string          `json:"name"`
	Tags      []string        `json:"tags"` // sorted
	State     retention.State `json:"state"`
	DeletedAt time.Time       `json:"deleted_at,omitzero"`
	Downloads int             `json:"downloads"`
}

// State returns a copy of what is in the simulator.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := State{Owners: []OwnerState{}}
	for _, o := range s.ownerOrder {
		os := OwnerState{Login: o.login, Kind: o.kind, Packages: []PackageState{}}
		for _, p := range o.packages {
			os.Packages = append(os.Packages, p.state())
		}
		slices.SortStableFunc(os.Packages, func(a, b PackageState) int {
			return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		})
		out.Owners = append(out.Owners, os)
	}
	slices.SortFunc(out.Owners, func(a, b OwnerState) int { return cmp.Compare(strings.ToLower(a.Login), strings.ToLower(b.Login)) })
	return out
}

func (p *pkg) state() PackageState {
	ps := PackageState{ID: p.id, Name: p.name, Type: p.typ, State: stateOf(p.deleted), DeletedAt: p.deleted, Versions: []VersionState{}}
	for _, v := range p.versions {
		tags := slices.Sorted(slices.Values(v.tags))
		if tags == nil {
			tags = []string{}
		}
		ps.Versions = append(ps.Versions, VersionState{
			ID: v.id, Key: v.key, Name: v.name, Tags: tags, State: stateOf(v.deleted), DeletedAt: v.deleted, Downloads: v.downloads,
		})
	}
	slices.SortFunc(ps.Versions, func(a, b VersionState) int { return cmp.Compare(a.ID, b.ID) })
	return ps
}

func stateOf(deleted time.Time) retention.State {
	if deleted.IsZero() {
		return retention.Active
	}
	return retention.Deleted
}

// Package finds a package in a State; the one that is there before a deleted
// one of the same name.
func (st State) Package(owner string, typ retention.PackageType, name string) (PackageState, bool) {
	var found PackageState
	ok := false
	for _, o := range st.Owners {
		if !retention.SameLogin(o.Login, owner) {
			continue
		}
		for _, p := range o.Packages {
			if p.Type == typ && p.Name == name && (!ok || p.State == retention.Active) {
				found, ok = p, true
			}
		}
	}
	return found, ok
}

// Version finds the newest version of a key.
func (p PackageState) Version(key string) (VersionState, bool) {
	for _, v := range slices.Backward(p.Versions) {
		if v.Key == key {
			return v, true
		}
	}
	return VersionState{}, false
}
