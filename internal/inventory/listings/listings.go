// Package listings is GitHub's REST client in the form that the inventory asks for.
package listings

import (
	"context"

	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Of makes a client the inventory's GitHub.
func Of(client *packages.Client) inventory.GitHub { return adapter{client} }

type adapter struct{ client *packages.Client }

func (l adapter) Packages(ctx context.Context, o retention.Owner, t retention.PackageType) (inventory.List[retention.Package], error) {
	list, err := l.client.ListPackages(ctx, o, packages.Query{Type: t})
	return inventory.List[retention.Package](list), err
}

func (l adapter) Versions(
	ctx context.Context, o retention.Owner, t retention.PackageType, name string, state retention.State, how inventory.Paging,
) (inventory.List[retention.Version], error) {
	opts := []packages.ListOption{packages.Expecting(how.Expect)}
	if how.Settled {
		opts = append(opts, packages.Settled())
	}
	list, err := l.client.ListVersions(ctx, o, t, name, state, opts...)
	return inventory.List[retention.Version](list), err
}
