package githubsim

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// owner is an account at run time. Everything below is guarded by Server.mu.
type owner struct {
	id       int64
	login    string
	kind     retention.OwnerKind
	packages []*pkg // deleted ones included, in the order of the seed
}

// pkg is a package at run time.
type pkg struct {
	owner      *owner
	id         int64
	name       string
	typ        retention.PackageType
	visibility string
	repository string // owner/name, or ""
	created    time.Time
	updated    time.Time
	deleted    time.Time // zero while the package is there
	claimed    *int      // version_count as the seed has it lie
	versions   []*version
	listed     int // active versions that the API shows

	built map[string]content // by key, missing ones included
	blobs map[string][]byte  // by digest; those of deleted versions stay
}

// version is a version at run time.
type version struct {
	id          int64
	key         string
	name        string
	tags        []string
	created     time.Time
	updated     time.Time
	deleted     time.Time
	license     string
	description string
	downloads   int
	manifest    *content // containers only
}

func (v *version) active() bool { return v.deleted.IsZero() }

// unlisted reports whether the REST API does not know the version.
func (v *version) unlisted() bool { return v.manifest != nil && v.manifest.spec.Unlisted }

// restorable reports whether the restore window is still open at now.
func restorable(deleted, now time.Time) bool {
	return !deleted.IsZero() && now.Sub(deleted) <= retention.RestoreWindow
}

func (s *Server) owner(login string) *owner {
	return s.owners[strings.ToLower(login)]
}

// packageNamed finds the active package, or nil.
func (o *owner) packageNamed(typ retention.PackageType, name string) *pkg {
	return o.find(func(p *pkg) bool { return p.typ == typ && p.name == name && p.deleted.IsZero() })
}

// deletedPackage finds the package of that name that was deleted last, or nil.
func (o *owner) deletedPackage(typ retention.PackageType, name string) *pkg {
	var last *pkg
	for _, p := range o.packages {
		if p.typ == typ && p.name == name && !p.deleted.IsZero() && (last == nil || p.deleted.After(last.deleted)) {
			last = p
		}
	}
	return last
}

func (o *owner) find(is func(*pkg) bool) *pkg {
	if i := slices.IndexFunc(o.packages, is); i >= 0 {
		return o.packages[i]
	}
	return nil
}

func (p *pkg) find(is func(*version) bool) *version {
	if i := slices.IndexFunc(p.versions, is); i >= 0 {
		return p.versions[i]
	}
	return nil
}

func (p *pkg) versionByID(id int64) *version {
	return p.find(func(v *version) bool { return v.id == id })
}

// activeNamed finds the active version of a name: a version string or a digest.
func (p *pkg) activeNamed(name string) *version {
	return p.find(func(v *version) bool { return v.name == name && v.active() })
}

func (p *pkg) activeTagged(tag string) *version {
	return p.find(func(v *version) bool { return v.active() && slices.Contains(v.tags, tag) })
}

// versionCount is what the API says, which need not be true.
func (p *pkg) versionCount() int {
	if p.claimed != nil {
		return *p.claimed
	}
	return p.listed
}

// otherTagged counts the listed active versions with a tag, v not among them.
// Referrer tags count: GitHub knows no difference.
func (p *pkg) otherTagged(v *version) int {
	n := 0
	for _, w := range p.versions {
		if w != v && w.active() && !w.unlisted() && len(w.tags) > 0 {
			n++
		}
	}
	return n
}

// recount must follow every change of state of a version.
func (p *pkg) recount() {
	p.listed = 0
	for _, v := range p.versions {
		if v.active() && !v.unlisted() {
			p.listed++
		}
	}
}

// sortVersions puts the newest first, as GitHub lists them.
func (p *pkg) sortVersions() {
	slices.SortStableFunc(p.versions, func(a, b *version) int {
		return cmp.Or(b.created.Compare(a.created), cmp.Compare(b.id, a.id))
	})
}

// stableID is a positive number made from a name, for what has no id of its own.
func stableID(name string) int64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return int64(h.Sum64()%900_000_000) + 1_000_000
}
