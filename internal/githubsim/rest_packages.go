package githubsim

import (
	"net/http"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// maxListed is how far a listing of packages reaches: page × per_page.
const maxListed = 10_000

// downloadLimit is how often a public version may have been downloaded and
// still be deleted.
const downloadLimit = 5000

// The refusals of GitHub, word for word.
const (
	msgDownloads        = "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance."
	msgPackageDownloads = "Publicly visible packages with a version with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance."
	msgLastTagged       = "You cannot delete the last tagged version of a package. You must delete the package instead."
	msgLastVersion      = "You cannot delete the last version of a package. You must delete the package instead."
)

func (s *Server) listPackages(c packagesCall) answer {
	if a, ok := s.may(c, opList, "read:packages"); !ok {
		return a
	}
	query := c.r.URL.Query()
	typ := retention.PackageType(query.Get("package_type"))
	visibility := query.Get("visibility")
	if !typ.Valid() || visibility != "" && !slices.Contains([]string{"public", "private", "internal"}, visibility) {
		return fail(http.StatusBadRequest, "Invalid argument.", c.docs(opList))
	}
	page := pageOf(c.request)
	if page.number > maxListed/page.size {
		return answer{status: http.StatusBadRequest}
	}
	var found []*pkg
	for _, p := range c.owner.packages {
		if p.typ == typ && p.deleted.IsZero() && (visibility == "" || p.visibility == visibility) && c.who.sees(p) {
			found = append(found, p)
		}
	}
	return listAnswer(c.request, page, found, func(p *pkg) any { return packageJSON(c.request, p) })
}

// dockerConflicts lists the docker packages that a container package of the
// same name would clash with on migration.
func (s *Server) dockerConflicts(c packagesCall) answer {
	if a, ok := s.may(c, opConflicts, "read:packages"); !ok {
		return a
	}
	clashes := []any{}
	for _, p := range c.owner.packages {
		if p.typ == retention.Docker && p.deleted.IsZero() && c.who.sees(p) && c.owner.packageNamed(retention.Container, p.name) != nil {
			clashes = append(clashes, packageJSON(c.request, p))
		}
	}
	return jsonAnswer(http.StatusOK, clashes)
}

// visible finds the package that the call names, if the caller may see it.
func (c packagesCall) visible() *pkg {
	if p := c.owner.packageNamed(c.typ, c.name); p != nil && c.who.sees(p) {
		return p
	}
	return nil
}

// mayAdmin reports whether the caller may change the package. Who may not is
// told that there is none.
func (c packagesCall) mayAdmin(p *pkg) bool {
	if p == nil || !c.who.sees(p) || !c.who.reaches(p.owner) {
		return false
	}
	return c.who.inst != nil || c.who.admin
}

func (s *Server) getPackage(c packagesCall) answer {
	if a, ok := s.may(c, opGet, "read:packages"); !ok {
		return a
	}
	p := c.visible()
	if p == nil {
		return c.packageNotFound(opGet)
	}
	return jsonAnswer(http.StatusOK, packageJSON(c.request, p))
}

func (s *Server) deletePackage(c packagesCall) answer {
	if a, ok := s.may(c, opDelete, "delete:packages"); !ok {
		return a
	}
	p := c.visible()
	if !c.mayAdmin(p) {
		return c.packageNotFound(opDelete)
	}
	popular := p.find(func(v *version) bool { return v.active() && v.downloads > downloadLimit })
	if p.visibility == "public" && popular != nil {
		return fail(http.StatusBadRequest, msgPackageDownloads, c.docs(opDelete))
	}
	p.deleted = stamp(c.now)
	s.happened(c.request, retention.Delete, p, nil)
	return noContent()
}

func (s *Server) restorePackage(c packagesCall) answer {
	if a, ok := s.may(c, opRestore, "write:packages"); !ok {
		return a
	}
	p := c.owner.deletedPackage(c.typ, c.name)
	if !c.mayAdmin(p) || !restorable(p.deleted, c.now) || c.owner.packageNamed(c.typ, c.name) != nil {
		return c.packageNotFound(opRestore)
	}
	p.deleted = time.Time{}
	s.happened(c.request, retention.Restore, p, nil)
	return noContent()
}
