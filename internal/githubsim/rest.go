package githubsim

import (
	"net/http"
	"strconv"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// scope is the way an owner was addressed: orgs, users or user.
type scope string

const (
	scopeOrgs  scope = "orgs"
	scopeUsers scope = "users"
	scopeSelf  scope = "user"
)

func notFound() answer { return fail(http.StatusNotFound, "Not Found", docsRoot) }

// restAPI routes the REST API. Paths are matched segment by segment on the
// escaped path: a package name with a bare slash fits no route.
func (s *Server) restAPI(q *request) answer {
	if a, ok := s.authenticate(q); !ok {
		return a
	}
	if q.path == "/rate_limit" {
		return s.rateLimit(q)
	}
	if a, ok := s.charge(q); !ok {
		return a
	}
	seg := q.segments
	switch scope(seg[0]) {
	case scopeSelf:
		if q.who.inst != nil {
			return fail(http.StatusForbidden, "Resource not accessible by integration", docsRoot)
		}
		if len(seg) == 1 {
			return s.account(q, q.who.login)
		}
		return s.ownerAPI(q, scopeSelf, s.self(q), seg[1:])
	case scopeOrgs, scopeUsers:
		if len(seg) < 2 {
			return notFound()
		}
		o := s.owner(seg[1])
		if len(seg) == 2 {
			return s.account(q, seg[1])
		}
		if o == nil || (o.kind == retention.Organization) != (scope(seg[0]) == scopeOrgs) {
			return notFound()
		}
		return s.ownerAPI(q, scope(seg[0]), o, seg[2:])
	}
	return notFound()
}

// self is the account behind the token. One that owns nothing has an empty
// list rather than none.
func (s *Server) self(q *request) *owner {
	if o := s.owner(q.who.login); o != nil && o.kind == retention.User {
		return o
	}
	return &owner{id: stableID(q.who.login), login: q.who.login, kind: retention.User}
}

// account answers GET /orgs/{org}, /users/{username} and /user.
func (s *Server) account(q *request, login string) answer {
	if q.r.Method != http.MethodGet {
		return notFound()
	}
	o := s.owner(login)
	if scope(q.segments[0]) == scopeSelf {
		o = s.self(q)
	}
	if o == nil || scope(q.segments[0]) == scopeOrgs && o.kind != retention.Organization {
		return notFound()
	}
	return jsonAnswer(http.StatusOK, accountJSON(q, o, scope(q.segments[0])))
}

// ownerAPI routes what lies below an owner: docker/conflicts and packages.
func (s *Server) ownerAPI(q *request, sc scope, o *owner, seg []string) answer {
	c := packagesCall{request: q, scope: sc, owner: o}
	get := q.r.Method == http.MethodGet
	if len(seg) == 2 && seg[0] == "docker" && seg[1] == "conflicts" && get {
		return s.dockerConflicts(c)
	}
	if seg[0] != "packages" {
		return notFound()
	}
	if len(seg) == 1 && get {
		return s.listPackages(c)
	}
	if len(seg) < 3 || !retention.PackageType(seg[1]).Valid() {
		return notFound()
	}
	c.typ, c.name = retention.PackageType(seg[1]), seg[2]
	return s.packageAPI(c, seg[3:])
}

func (s *Server) packageAPI(c packagesCall, seg []string) answer {
	method := c.r.Method
	switch {
	case len(seg) == 0 && method == http.MethodGet:
		return s.getPackage(c)
	case len(seg) == 0 && method == http.MethodDelete:
		return s.deletePackage(c)
	case len(seg) == 1 && seg[0] == "restore" && method == http.MethodPost:
		return s.restorePackage(c)
	case len(seg) == 0 || seg[0] != "versions":
		return notFound()
	case len(seg) == 1 && method == http.MethodGet:
		return s.listVersions(c)
	case len(seg) == 1:
		return notFound()
	}
	id, err := strconv.ParseInt(seg[1], 10, 64)
	if err != nil || id <= 0 {
		return notFound()
	}
	c.versionID = id
	switch {
	case len(seg) == 2 && method == http.MethodGet:
		return s.getVersion(c)
	case len(seg) == 2 && method == http.MethodDelete:
		return s.deleteVersion(c)
	case len(seg) == 3 && seg[2] == "restore" && method == http.MethodPost:
		return s.restoreVersion(c)
	}
	return notFound()
}

// packagesCall is one call on an owner's packages.
type packagesCall struct {
	*request
	scope     scope
	owner     *owner
	typ       retention.PackageType
	name      string
	versionID int64
}

// docs is the documentation_url of an operation.
func (c packagesCall) docs(op string) string {
	suffix := map[scope]string{scopeOrgs: "-for-an-organization", scopeUsers: "-for-a-user", scopeSelf: "-for-the-authenticated-user"}
	return docsRoot + "/packages/packages#" + op + suffix[c.scope]
}

func (c packagesCall) packageNotFound(op string) answer {
	return fail(http.StatusNotFound, "Package not found.", c.docs(op))
}

func (c packagesCall) versionNotFound(op string) answer {
	return fail(http.StatusNotFound, "Package version not found.", c.docs(op))
}

// may checks the credential's rights before the package is looked at. need is
// the scope of a classic token; installations need packages read or write.
func (s *Server) may(c packagesCall, op, need string) (answer, bool) {
	c.accepted = need
	if c.who.inst != nil {
		return s.installationMay(c, op, need)
	}
	for _, scope := range []string{"read:packages", need} {
		if !c.who.hasScope(scope) {
			return fail(http.StatusForbidden, "You need at least "+scope+" scope to "+words[op]+".", c.docs(op)), false
		}
	}
	return answer{}, true
}

var words = map[string]string{
	opConflicts: "list packages", opList: "list packages", opGet: "get a package", opDelete: "delete a package", opRestore: "restore a package",
	opListVersions: "list package versions", opGetVersion: "get a package version",
	opDeleteVersion: "delete a package version", opRestoreVersion: "restore a package version",
}

const (
	opConflicts      = "get-list-of-conflicting-packages-during-docker-migration"
	opList           = "list-packages"
	opGet            = "get-a-package"
	opDelete         = "delete-a-package"
	opRestore        = "restore-a-package"
	opListVersions   = "list-package-versions"
	opGetVersion     = "get-a-package-version"
	opDeleteVersion  = "delete-package-version"
	opRestoreVersion = "restore-package-version"
)

// installationMay holds what the field reports of Apps say: with
// app_tokens_accepted false a list is 400 and everything else 403.
func (s *Server) installationMay(c packagesCall, op, need string) (answer, bool) {
	refused := fail(http.StatusForbidden, "Resource not accessible by integration", c.docs(op))
	if s.seed.AppTokensAccepted != nil && !*s.seed.AppTokensAccepted {
		if op == opList && c.scope == scopeOrgs {
			return fail(http.StatusBadRequest, "Invalid argument.", c.docs(op)), false
		}
		return refused, false
	}
	if !c.who.reaches(c.owner) {
		if c.name != "" {
			return c.packageNotFound(op), false
		}
		return refused, false
	}
	level := c.who.permissions["packages"]
	if level == "write" || level == "read" && need == "read:packages" {
		return answer{}, true
	}
	return refused, false
}
