package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/inventory/inventorytest"
	"github.com/shelflife-dev/shelflife/internal/inventory/listings"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// reading is the inventory with the clients that the command gives it, and
// what it keeps in memory.
type reading struct{ reader *inventory.Reader }

func newReading(url string) (*reading, error) {
	base := ghapp.BaseTransport()
	rest, err := ghapp.NewGovernor(ghapp.GovernorOptions{MaxInFlight: 16})
	if err != nil {
		return nil, err
	}
	opts := ghapp.RegistryGovernorOptions()
	opts.MaxInFlight = 64
	registry, err := ghapp.NewGovernor(opts)
	if err != nil {
		return nil, err
	}
	client, err := packages.New(&http.Client{Transport: bearer{rest.Wrap(base)}}, url, packages.WithParallelPages(10))
	if err != nil {
		return nil, err
	}
	graphs, err := oci.New(oci.Options{
		Client: &http.Client{Transport: ghapp.NewRegistryTransport(base, registry, "shelflife-bench")}, Registry: url,
		Credential: func(context.Context, string) (string, error) { return "any", nil }, Cache: &oci.MemoryCache{}, Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	r, err := inventory.New(inventory.Config{
		GitHub: listings.Of(client), Graphs: graphs, Ledger: inventorytest.NoDeletions{}, Snapshots: inventorytest.NewSnapshots(), Now: time.Now,
	})
	return &reading{reader: r}, err
}

// read lists the owner's containers and reads the only one.
func (r *reading) read(ctx context.Context, fresh bool) (retention.Inventory, error) {
	acme := retention.Owner{Login: owner, Kind: retention.Organization}
	listing, err := r.reader.List(ctx, acme, []retention.PackageType{retention.Container})
	if err != nil {
		return retention.Inventory{}, err
	}
	if len(listing.Packages) != 1 {
		return retention.Inventory{}, fmt.Errorf("listed %d packages, want one: %v", len(listing.Packages), listing.Problems)
	}
	return r.reader.Read(ctx, acme, listing.Packages[0], inventory.Options{Deleted: true, Fresh: fresh})
}

type bearer struct{ next http.RoundTripper }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer any")
	return b.next.RoundTrip(r)
}
