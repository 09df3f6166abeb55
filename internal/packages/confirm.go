package packages

import (
	"context"
	"errors"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Presence is what a second look says about something that answered 404.
type Presence string

// The presences. The zero Presence says nothing and comes with an error.
const (
	Present    Presence = "present"     // it can be read: the 404 meant missing rights, or has passed
	Deleted    Presence = "deleted"     // it is in the list of deleted versions
	Gone       Presence = "gone"        // the package can be read, and lists the version neither as active nor as deleted
	NotVisible Presence = "not_visible" // the package can't be seen, or lists what it does not show: nothing is known
)

// Confirm looks again, in other scopes, at a version that answered 404: at the
// version, then at its package, then at the package's deleted and active versions.
// Only answers count: whatever can't be read is an error, never Gone. A version
// that is listed as active and answers 404 all the same may be there: what it
// needs must not be taken from it, so that it is never Gone either. With the zero
// id it looks at the package alone, and is then Present or NotVisible, since
// GitHub lists no deleted packages.
func (c *Client) Confirm(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (Presence, error) {
	var forbidden error
	if id != 0 {
		v, err := c.GetVersion(ctx, owner, t, name, id)
		switch {
		case IsForbidden(err):
			forbidden = err
		case err == nil && v.State == retention.Deleted:
			return Deleted, nil
		case err == nil:
			return Present, nil
		case !IsNotFound(err):
			return "", confirming(owner, t, name, err)
		}
	}
	_, err := c.GetPackage(ctx, owner, t, name)
	switch {
	case IsNotFound(err) || IsForbidden(err):
		return NotVisible, nil
	case err != nil:
		return "", confirming(owner, t, name, err)
	case forbidden != nil:
		return "", confirming(owner, t, name, forbidden)
	case id == 0:
		return Present, nil
	}
	for _, state := range []retention.State{retention.Deleted, retention.Active} {
		found, err := c.listed(ctx, owner, t, name, id, state)
		switch {
		case err != nil:
			return "", confirming(owner, t, name, err)
		case found != "":
			return found, nil
		}
	}
	return Gone, nil
}

// listed looks for a version in a listing; "" means that it is not there, which takes
// a list that has settled.
func (c *Client) listed(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID, state retention.State) (Presence, error) {
	for _, opts := range [][]ListOption{nil, {Settled()}} {
		list, err := c.ListVersions(ctx, owner, t, name, state, opts...)
		if found := presence(list, id); found != "" {
			return found, nil
		}
		if err == nil && !list.Complete {
			err = errors.New(list.Shortfall + ": try again later")
		}
		if err != nil || list.Pages == 1 {
			return "", err
		}
	}
	return "", nil
}

func presence(list VersionList, id retention.ID) Presence {
	for _, v := range list.Items {
		switch {
		case v.ID != id:
		case v.State == retention.Deleted:
			return Deleted
		default:
			return NotVisible
		}
	}
	return ""
}

func confirming(owner retention.Owner, t retention.PackageType, name string, err error) error {
	return fmt.Errorf("confirm what is left of %s: %w", packageLabel(owner, t, name), err)
}
