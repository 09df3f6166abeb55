package retention

import (
	"fmt"
	"strconv"
	"strings"
)

// ID is GitHub's numeric identifier of a package, a version or an account.
// It is written as a decimal string in JSON: policies use ids as set members
// and object keys, which the schema checker only accepts as strings.
// The zero ID means "none".
type ID int64

// ParseID reads a decimal id. The empty string is the zero ID.
func ParseID(s string) (ID, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("id %q is not a positive decimal number", s)
	}
	return ID(n), nil
}

// String returns the decimal form, or "" for the zero ID.
func (id ID) String() string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(int64(id), 10)
}

// MarshalText writes the decimal form, or nothing for the zero ID.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(b []byte) error {
	n, err := ParseID(string(b))
	if err != nil {
		return err
	}
	*id = n
	return nil
}

// OwnerKind tells an organization from a user account.
type OwnerKind string

// The kinds of owner that GitHub Packages knows.
const (
	Organization OwnerKind = "organization"
	User         OwnerKind = "user"
)

// Owner is the account that packages belong to.
type Owner struct {
	Login string    `json:"login"`
	Kind  OwnerKind `json:"kind"`
	ID    ID        `json:"id"`
}

// IsSelf reports whether o stands for the authenticated user, whose packages
// GitHub serves below /user rather than /users/{login}.
func (o Owner) IsSelf() bool { return o.Kind == User && o.Login == "" }

// SameLogin compares two logins as GitHub does, without regard to case.
func SameLogin(a, b string) bool { return strings.EqualFold(a, b) }
