package packages

import (
	"fmt"
	"net/url"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// segment escapes one path segment, exactly once: a slash within a package name
// becomes %2F. Empty and dot segments are refused: they would turn the address
// of a version or package into that of what is above it.
func segment(what, s string) (string, error) {
	switch s {
	case "":
		return "", fmt.Errorf("no %s given", what)
	case ".", "..":
		return "", fmt.Errorf("%s can't be %q", what, s)
	}
	return url.PathEscape(s), nil
}

// ownerPath is the prefix of an owner's operations.
func ownerPath(o retention.Owner) (string, error) {
	if o.IsSelf() {
		return "user", nil
	}
	login, err := segment("owner", o.Login)
	if err != nil {
		return "", err
	}
	switch o.Kind {
	case retention.Organization:
		return "orgs/" + login, nil
	case retention.User:
		return "users/" + login, nil
	}
	return "", fmt.Errorf("owner %s is neither an organization nor a user but %q", o.Login, o.Kind)
}

func packagePath(o retention.Owner, t retention.PackageType, name string) (string, error) {
	prefix, err := ownerPath(o)
	if err != nil {
		return "", err
	}
	if !t.Valid() {
		return "", fmt.Errorf("package type %q is none of %v", t, retention.PackageTypes())
	}
	n, err := segment("package name", name)
	if err != nil {
		return "", err
	}
	return prefix + "/packages/" + string(t) + "/" + n, nil
}

func versionPath(o retention.Owner, t retention.PackageType, name string, id retention.ID) (string, error) {
	p, err := packagePath(o, t, name)
	if err != nil {
		return "", err
	}
	// The zero id prints as nothing and would address the whole list.
	if id <= 0 {
		return "", fmt.Errorf("version id %d is not a positive number", int64(id))
	}
	return p + "/versions/" + id.String(), nil
}

// label names an owner in messages.
func label(o retention.Owner) string {
	if o.IsSelf() {
		return "the authenticated user"
	}
	return o.Login
}

func packageLabel(o retention.Owner, t retention.PackageType, name string) string {
	login := o.Login
	if o.IsSelf() {
		login = "(self)"
	}
	return retention.PackageRef{Owner: login, Type: t, Name: name}.String()
}
