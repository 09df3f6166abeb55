package packages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Expecting asks for the pages of n entries at once, as far as pages are read in
// parallel, instead of waiting for the first one to say how many there are. n is a
// hint: too small a one costs time, too great a one calls.
func Expecting(n int) ListOption { return func(o *listOptions) { o.expect = n } }

// ListOption changes how a listing is read.
type ListOption func(*listOptions)

type listOptions struct {
	expect  int
	settled bool
}

// Settled reads a list of several pages until two readings show the same versions,
// but for new ones. Whoever deletes by a list needs that: a version that moved between
// pages while they were read may be what another one belongs to.
func Settled() ListOption { return func(o *listOptions) { o.settled = true } }

// ListVersions reads every page of a package's active or deleted versions, in
// GitHub's order (newest first). Besides what List says, the list is incomplete
//   - when an active version of a container or docker package came without its
//     tags: it would pass for an untagged one;
//   - when a version in the deleted list of /users/{username}, whose state
//     parameter is not documented, bears no deleted_at: GitHub may have sent the
//     active versions. Such versions are left out.
func (c *Client) ListVersions(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, state retention.State, opts ...ListOption) (VersionList, error) {
	var how listOptions
	for _, o := range opts {
		o(&how)
	}
	op := readList("list %s versions of %s", state, packageLabel(owner, t, name))
	path, err := packagePath(owner, t, name)
	if err == nil && state != retention.Active && state != retention.Deleted {
		err = fmt.Errorf("state %q is neither %s nor %s", state, retention.Active, retention.Deleted)
	}
	if err != nil {
		return VersionList{Shortfall: "nothing was read"}, refuseLocally(op, err)
	}
	unproven := func(v version) bool {
		return v.noDeleted && state == retention.Deleted && owner.Kind == retention.User && !owner.IsSelf()
	}
	raw, _, err := listing[version]{
		client: c, op: op, path: path + "/versions", query: url.Values{"state": {string(state)}}, expect: how.expect, settled: how.settled,
		decode: func(b []byte) ([]version, error) { return decodeVersions(b, t, state) },
		id:     func(v version) retention.ID { return v.ID },
		gap: func(v version) string {
			switch {
			case v.noTags && v.IsActive():
				return fmt.Sprintf("version %s came without its tags", v.ID)
			case unproven(v):
				return fmt.Sprintf("version %s in the deleted list has no deleted_at: GitHub documents no list of a user's deleted versions and may have sent the active ones; "+
					"to go on without it, leave out the policies that restore (policies.only)", v.ID)
			}
			return ""
		},
	}.all(ctx)
	list := VersionList{Pages: raw.Pages, Complete: raw.Complete, Shortfall: raw.Shortfall, ReadAt: raw.ReadAt}
	for _, v := range raw.Items {
		if !unproven(v) {
			list.Items = append(list.Items, v.Version)
		}
	}
	return list, err
}

// GetVersion reads one version. GitHub answers 404 also to callers without access.
func (c *Client) GetVersion(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (retention.Version, error) {
	op := read("get version %d of %s", int64(id), packageLabel(owner, t, name))
	path, err := versionPath(owner, t, name, id)
	if err != nil {
		return retention.Version{}, refuseLocally(op, err)
	}
	a, err := c.get(ctx, op, path, nil)
	if err != nil {
		return retention.Version{}, err
	}
	w, err := decodeOne[wireVersion](a.body)
	if err != nil {
		return retention.Version{}, unreadable(op, a, err)
	}
	v, err := w.toVersion(t, retention.Active)
	switch {
	case err != nil:
	case v.ID != id:
		err = fmt.Errorf("the answer is about another version, %s", v.ID)
	case v.noTags && v.IsActive():
		err = errors.New("the answer doesn't say which tags the version has")
	}
	if err != nil {
		return retention.Version{}, unreadable(op, a, err)
	}
	return v.Version, nil
}

// DeleteVersion deletes a version with all its tags. It can be restored for 30 days.
func (c *Client) DeleteVersion(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (Receipt, error) {
	op := operation{kind: opDelete, text: fmt.Sprintf("delete version %d of %s", int64(id), packageLabel(owner, t, name))}
	path, err := versionPath(owner, t, name, id)
	if err != nil {
		return Receipt{}, refuseLocally(op, err)
	}
	return c.change(ctx, op, http.MethodDelete, path, nil)
}

// RestoreVersion restores a deleted version.
func (c *Client) RestoreVersion(ctx context.Context, owner retention.Owner, t retention.PackageType, name string, id retention.ID) (Receipt, error) {
	op := operation{kind: opRestore, text: fmt.Sprintf("restore version %d of %s", int64(id), packageLabel(owner, t, name))}
	path, err := versionPath(owner, t, name, id)
	if err != nil {
		return Receipt{}, refuseLocally(op, err)
	}
	return c.change(ctx, op, http.MethodPost, path+"/restore", nil)
}

func decodeVersions(body []byte, t retention.PackageType, state retention.State) ([]version, error) {
	raw, err := decodeList[wireVersion](body)
	if err != nil {
		return nil, err
	}
	out := make([]version, 0, len(raw))
	for _, w := range raw {
		v, err := w.toVersion(t, state)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
