package inventory_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/inventory/inventorytest"
	"github.com/shelflife-dev/shelflife/internal/inventory/listings"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var (
	start = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	org   = retention.Owner{Login: "acme", Kind: retention.Organization}
)

type bearer struct{ next http.RoundTripper }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer ghp_reader")
	return b.next.RoundTrip(r)
}

// simulated returns a simulator of acme's packages and a reader of it.
func simulated(t *testing.T, faults []githubsim.Fault, pkgs ...githubsim.Package) (*githubsim.Server, *inventory.Reader) {
	t.Helper()
	clock := func() time.Time { return start }
	sim, err := githubsim.New(githubsim.Seed{
		Owners: []githubsim.Owner{{Login: "acme", Kind: retention.Organization, Packages: pkgs}},
		Faults: faults, Clock: start,
	}, githubsim.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	rest, err := packages.New(&http.Client{Transport: bearer{server.Client().Transport}}, server.URL+"/api/v3", packages.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	graphs, err := oci.New(oci.Options{
		Client: server.Client(), Registry: server.URL, Now: clock, Cache: &oci.MemoryCache{},
		Credential: func(context.Context, string) (string, error) { return "ghp_reader", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := inventory.New(inventory.Config{
		GitHub: listings.Of(rest), Graphs: graphs, Ledger: inventorytest.NoDeletions{}, Snapshots: inventorytest.NewSnapshots(), Now: clock,
		IsPause: func(err error) bool { _, ok := packages.RateLimitedUntil(err); return ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	return sim, r
}

// twoPlatforms is an image of two platforms, pushed so many hours ago.
func twoPlatforms(key string, hours int, tags ...string) []githubsim.Version {
	at := githubsim.Ago(time.Duration(hours) * time.Hour)
	return []githubsim.Version{
		{Key: key + "-amd64", CreatedAt: at, Platform: "linux/amd64"},
		{Key: key + "-arm64", CreatedAt: at, Platform: "linux/arm64"},
		{Key: key, CreatedAt: at, Tags: tags, Index: []string{key + "-amd64", key + "-arm64"}},
	}
}

func container(versions ...githubsim.Version) githubsim.Package {
	return githubsim.Package{Name: "team/api", Type: retention.Container, Versions: versions}
}

func onlyPackage(t *testing.T, r *inventory.Reader) retention.Package {
	t.Helper()
	l, err := r.List(t.Context(), org, []retention.PackageType{retention.Container})
	if err != nil || len(l.Packages) != 1 || len(l.Problems) > 0 {
		t.Fatalf("%d packages, problems %v, %v", len(l.Packages), l.Problems, err)
	}
	return l.Packages[0]
}

func TestCallsOfAPackageOfAThousandVersions(t *testing.T) {
	var versions []githubsim.Version
	for i := range 300 {
		versions = append(versions, twoPlatforms(fmt.Sprint("i", i), i+48, fmt.Sprint("v", i))...)
	}
	for i := range 100 {
		versions = append(versions, githubsim.Version{Key: fmt.Sprint("s", i), CreatedAt: githubsim.Ago(time.Duration(i+48) * time.Hour), Platform: "linux/amd64"})
	}
	sim, r := simulated(t, nil, container(versions...))
	for _, c := range []struct {
		reading string
		opts    inventory.Options
		want    githubsim.Counts
	}{
		{"cold", inventory.Options{}, githubsim.Counts{REST: 1 + 10, Registry: 1 + 400, Token: 1}}, // a challenge, 400 manifests
		{"with a snapshot", inventory.Options{}, githubsim.Counts{REST: 1}},
		{"fresh, manifests cached", inventory.Options{Fresh: true}, githubsim.Counts{REST: 1 + 10}},
	} {
		sim.ResetCalls()
		inv, err := r.Read(t.Context(), org, onlyPackage(t, r), c.opts)
		if err != nil || !inv.Complete || inv.Graph.Len() != 1000 {
			t.Fatalf("%s: %d nodes, problems %v, %v", c.reading, inv.Graph.Len(), inv.Problems, err)
		}
		if diff := cmp.Diff(c.want, sim.CallCounts()); diff != "" {
			t.Errorf("%s: %s", c.reading, diff)
		}
	}
}

func TestReadingOfSimulatedPackages(t *testing.T) {
	image := twoPlatforms("v1", 48, "v1")
	with := func(change func(vs []githubsim.Version)) githubsim.Package {
		vs := slices.Clone(image)
		change(vs)
		return container(append(vs, githubsim.Version{Key: "other", CreatedAt: githubsim.Ago(time.Hour), Tags: []string{"other"}})...)
	}
	cases := []struct {
		name    string
		pkg     githubsim.Package
		fault   githubsim.Fault
		missing int
		problem string // "" when the reading is complete
	}{
		{"all there", with(func([]githubsim.Version) {}), githubsim.Fault{}, 0, ""},
		{"a child is missing", with(func(vs []githubsim.Version) { vs[0].Missing = true }), githubsim.Fault{}, 1, ""},
		{"a child is not listed", with(func(vs []githubsim.Version) { vs[0].Unlisted = true }), githubsim.Fault{}, 0, "GitHub does not list it"},
		{"a manifest is refused", with(func(vs []githubsim.Version) { vs[2].ManifestStatus = 403 }), githubsim.Fault{}, 0, "403 Forbidden"},
		{"a manifest is corrupt", with(func(vs []githubsim.Version) { vs[2].Corrupt = true }), githubsim.Fault{}, 0, "changed on the way"},
		{"a listed manifest is gone", with(func(vs []githubsim.Version) { vs[2].RegistryMissing = true }), githubsim.Fault{}, 0, "the registry has no such manifest"},
		{"a manifest is of a type that is not asked for", with(func(vs []githubsim.Version) { vs[2].MediaType = "application/vnd.example.bundle.v1+json" }), githubsim.Fault{}, 0, "the registry has no such manifest"},
		{"the registry is down", with(func([]githubsim.Version) {}), githubsim.Fault{Match: "GET /v2/**", Status: 503}, 0, "503"},
		{"the versions cannot be listed", with(func([]githubsim.Version) {}), githubsim.Fault{Match: "GET /orgs/*/packages/*/*/versions", Status: 500}, 0, "could not be listed"},
		{"the list of versions is truncated", with(func([]githubsim.Version) {}), githubsim.Fault{Match: "GET /orgs/*/packages/*/*/versions", Kind: githubsim.FaultTruncate}, 0, "could not be listed"},
		{"GitHub counts more than it lists", func() githubsim.Package {
			p, n := with(func([]githubsim.Version) {}), 9
			p.VersionCount = &n
			return p
		}(), githubsim.Fault{}, 0, "fewer than half"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var faults []githubsim.Fault
			if c.fault.Match != "" {
				faults = []githubsim.Fault{c.fault}
			}
			_, r := simulated(t, faults, c.pkg)
			inv, err := r.Read(t.Context(), org, onlyPackage(t, r), inventory.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if inv.Complete != (c.problem == "") || !strings.Contains(fmt.Sprint(inv.Problems), c.problem) {
				t.Errorf("complete %t, problems %v; want %q", inv.Complete, inv.Problems, c.problem)
			}
			missing := 0
			for _, d := range inv.Graph.Digests() {
				n, _ := inv.Graph.Node(d)
				missing += len(n.Missing)
			}
			if missing != c.missing {
				t.Errorf("%d missing children, want %d", missing, c.missing)
			}
		})
	}
}

func TestRateLimitOfTheSimulatorIsAPause(t *testing.T) {
	_, r := simulated(t, []githubsim.Fault{{Match: "GET /orgs/*/packages/*/*/versions", Kind: githubsim.FaultSecondary}}, container(twoPlatforms("v1", 48, "v1")...))
	_, err := r.Read(t.Context(), org, onlyPackage(t, r), inventory.Options{})
	if _, ok := packages.RateLimitedUntil(err); !ok {
		t.Errorf("error %v", err)
	}
}
