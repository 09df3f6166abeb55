package packages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Query selects the packages of a listing.
type Query struct {
	Type       retention.PackageType // required by GitHub
	Visibility string                // private, internal, public, or "" for all
}

func visibilities() []string { return []string{"private", "internal", "public"} }

// ListPackages reads every page of an owner's packages of one type. GitHub
// serves at most 10,000 of one query: beyond that the query is split by
// visibility, and where that doesn't suffice the list is incomplete. A page that
// can't be read is an error, returned with what was read.
func (c *Client) ListPackages(ctx context.Context, owner retention.Owner, q Query) (PackageList, error) {
	list, atCeiling, err := c.listPackages(ctx, owner, q, q.Visibility == "")
	if err != nil || !atCeiling || q.Visibility != "" {
		return list, err
	}
	var (
		whole      = PackageList{}
		shortfalls []string
		seen       = map[retention.ID]bool{}
	)
	for _, v := range visibilities() {
		part, _, err := c.listPackages(ctx, owner, Query{Type: q.Type, Visibility: v}, false)
		whole.Pages += part.Pages
		for _, p := range part.Items {
			// Where a type has no internal packages, GitHub takes internal for private.
			if !seen[p.ID] {
				seen[p.ID] = true
				whole.Items = append(whole.Items, p)
			}
		}
		if !part.Complete {
			shortfalls = append(shortfalls, v+" packages: "+part.Shortfall)
		}
		if err != nil {
			whole.Shortfall = strings.Join(shortfalls, "; ")
			return whole, err
		}
	}
	whole.Shortfall = strings.Join(shortfalls, "; ")
	whole.Complete = whole.Shortfall == ""
	return whole, nil
}

func (c *Client) listPackages(ctx context.Context, owner retention.Owner, q Query, splits bool) (PackageList, bool, error) {
	what := string(q.Type)
	if q.Visibility != "" {
		what = q.Visibility + " " + what
	}
	op := readList("list %s packages of %s", what, label(owner))
	prefix, err := ownerPath(owner)
	if err == nil && !q.Type.Valid() {
		err = fmt.Errorf("package type %q is none of %v", q.Type, retention.PackageTypes())
	}
	if err != nil {
		return PackageList{Shortfall: "nothing was read"}, false, refuseLocally(op, err)
	}
	query := url.Values{"package_type": {string(q.Type)}}
	if q.Visibility != "" {
		query.Set("visibility", q.Visibility)
	}
	return listing[retention.Package]{
		client: c, op: op, path: prefix + "/packages", query: query,
		decode:  func(b []byte) ([]retention.Package, error) { return decodePackages(b, q.Type) },
		id:      func(p retention.Package) retention.ID { return p.ID },
		ceiling: ceilingPages, splits: splits,
	}.all(ctx)
}

// DockerConflicts lists the legacy docker packages that conflict with a container
// package of the same name. The endpoint documents no paging; an answer that
// has further pages is an error.
func (c *Client) DockerConflicts(ctx context.Context, owner retention.Owner) ([]retention.Package, error) {
	op := readList("list docker conflicts of %s", label(owner))
	prefix, err := ownerPath(owner)
	if err != nil {
		return nil, refuseLocally(op, err)
	}
	a, err := c.get(ctx, op, prefix+"/docker/conflicts", nil)
	if err != nil {
		return nil, err
	}
	if a.next > 0 || a.oddLink || a.partial != "" {
		return nil, unreadable(op, a, fmt.Errorf("the answer is only a part of the list"))
	}
	list, err := decodePackages(a.body, "")
	if err != nil {
		return nil, unreadable(op, a, err)
	}
	return list, nil
}

// GetPackage reads one package. GitHub answers 404 also to callers without access.
func (c *Client) GetPackage(ctx context.Context, owner retention.Owner, t retention.PackageType, name string) (retention.Package, error) {
	op := read("get %s", packageLabel(owner, t, name))
	path, err := packagePath(owner, t, name)
	if err != nil {
		return retention.Package{}, refuseLocally(op, err)
	}
	a, err := c.get(ctx, op, path, nil)
	if err != nil {
		return retention.Package{}, err
	}
	w, err := decodeOne[wirePackage](a.body)
	if err != nil {
		return retention.Package{}, unreadable(op, a, err)
	}
	p, err := w.toPackage(t)
	if err == nil && !strings.EqualFold(p.Name, name) {
		err = fmt.Errorf("the answer is about another package, %q", clean(p.Name))
	}
	if err != nil {
		return retention.Package{}, unreadable(op, a, err)
	}
	return p, nil
}

// DeletePackage deletes a package with all its versions. It can be restored for
// 30 days while nothing else takes its name.
func (c *Client) DeletePackage(ctx context.Context, owner retention.Owner, t retention.PackageType, name string) (Receipt, error) {
	op := operation{kind: opDelete, text: "delete " + packageLabel(owner, t, name)}
	path, err := packagePath(owner, t, name)
	if err != nil {
		return Receipt{}, refuseLocally(op, err)
	}
	return c.change(ctx, op, http.MethodDelete, path, nil)
}

// RestorePackage restores a package. The token is the "package token" of
// GitHub's restore operation; "" sends none.
func (c *Client) RestorePackage(ctx context.Context, owner retention.Owner, t retention.PackageType, name, token string) (Receipt, error) {
	op := operation{kind: opRestore, text: "restore " + packageLabel(owner, t, name)}
	path, err := packagePath(owner, t, name)
	if err != nil {
		return Receipt{}, refuseLocally(op, err)
	}
	var query url.Values
	if token != "" {
		query = url.Values{"token": {token}}
	}
	return c.change(ctx, op, http.MethodPost, path+"/restore", query)
}

func decodePackages(body []byte, asked retention.PackageType) ([]retention.Package, error) {
	raw, err := decodeList[wirePackage](body)
	if err != nil {
		return nil, err
	}
	out := make([]retention.Package, 0, len(raw))
	for _, w := range raw {
		p, err := w.toPackage(asked)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
