package retention

import (
	"slices"
	"time"
)

// PackageType is one of GitHub's six package types.
type PackageType string

// The package types of the GitHub Packages API. Docker is the legacy registry
// docker.pkg.github.com; Container is ghcr.io; Gradle packages are Maven.
const (
	Container PackageType = "container"
	NPM       PackageType = "npm"
	Maven     PackageType = "maven"
	NuGet     PackageType = "nuget"
	RubyGems  PackageType = "rubygems"
	Docker    PackageType = "docker"
)

// PackageTypes returns all six types in the order in which they are listed.
func PackageTypes() []PackageType {
	return []PackageType{Container, NPM, Maven, NuGet, RubyGems, Docker}
}

// Valid reports whether t is one of the six types.
func (t PackageType) Valid() bool { return slices.Contains(PackageTypes(), t) }

// State tells whether a package or version is there or in GitHub's restore window.
type State string

// The states of a package or version.
const (
	Active  State = "active"
	Deleted State = "deleted"
)

// RestoreWindow is how long GitHub keeps a deleted package or version.
const RestoreWindow = 30 * 24 * time.Hour

// Repository is the repository that a package is linked to.
type Repository struct {
	ID       ID     `json:"id"`
	Name     string `json:"name"`
	FullName string `json:"full_name"`
	Private  bool   `json:"private"`
	HTMLURL  string `json:"html_url"`
}

// Package holds GitHub's own fields of a package.
type Package struct {
	ID           ID          `json:"id"`
	Name         string      `json:"name"`
	Type         PackageType `json:"package_type"`
	Visibility   string      `json:"visibility"`    // private, public or internal
	VersionCount int         `json:"version_count"` // a hint: GitHub does not promise that it is exact
	URL          string      `json:"url"`
	HTMLURL      string      `json:"html_url"`
	CreatedAt    time.Time   `json:"created_at"`
	UpdatedAt    time.Time   `json:"updated_at"`
	Repository   *Repository `json:"repository,omitempty"` // nil when the package is not linked
	State        State       `json:"state"`
}

// Ref names a package within GitHub.
func (p Package) Ref(owner string) PackageRef {
	return PackageRef{Owner: owner, Type: p.Type, Name: p.Name}
}

// PackageRef names one package: owner, type and full name (which may hold slashes).
type PackageRef struct {
	Owner string      `json:"owner"`
	Type  PackageType `json:"package_type"`
	Name  string      `json:"package"`
}

// String returns owner/type/name, the form that the command line takes.
func (r PackageRef) String() string { return r.Owner + "/" + string(r.Type) + "/" + r.Name }

// Version is one version of a package. Containers have a digest as Name.
type Version struct {
	ID          ID        `json:"id"`
	Name        string    `json:"name"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	DeletedAt   time.Time `json:"deleted_at,omitzero"` // zero when GitHub gave none
	State       State     `json:"state"`
	Tags        []string  `json:"tags,omitempty"` // container tags, sorted, without referrer tags
	Referrers   []string  `json:"referrer_tags,omitempty"`
	HTMLURL     string    `json:"html_url,omitempty"`
	License     string    `json:"license,omitempty"`
	Description string    `json:"description,omitempty"`
	// DeletedBy is set by the ledger for deleted versions that this system deleted.
	DeletedBy *DeletedBy `json:"deleted_by,omitempty"`
}

// DeletedBy names the run and policy that deleted a version. A deleted version
// without one was deleted by somebody else.
type DeletedBy struct {
	Run    string `json:"run"`
	Policy string `json:"policy"`
}

// IsActive reports whether the version is there.
func (v Version) IsActive() bool { return v.State == Active }

// Tagged reports whether the version carries a tag of its own. Referrer tags do
// not count: they are how signatures are attached, not names people pull by.
func (v Version) Tagged() bool { return len(v.Tags) > 0 }
