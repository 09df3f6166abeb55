package packages_test

import (
	"testing"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestNamesAreEscapedExactlyOnceForEveryOwner(t *testing.T) {
	for prefix, owner := range map[string]retention.Owner{"orgs/acme": acme, "users/mona": mona, "user": self} {
		for name, escaped := range map[string]string{
			"api": "api", "team/api": "team%2Fapi", "@acme/ui": "@acme%2Fui", "a%2Fb": "a%252Fb",
			"a b?c#d": "a%20b%3Fc%23d", "a/../b": "a%2F..%2Fb",
		} {
			t.Run(prefix+" "+name, func(t *testing.T) {
				base := "/api/v3/" + prefix + "/packages/npm/" + escaped
				pkg := `{"id":1,"name":"` + name + `","package_type":"npm"}`
				srv := serve(t, map[string][]reply{
					"GET " + base: once(200, pkg),
					"GET " + base + "/versions" + versionsPage + "active": once(200, `[]`),
					"GET " + base + "/versions/5":                         once(200, `{"id":5,"name":"1.0.0"}`),
					"DELETE " + base:                                      once(204, ""),
					"DELETE " + base + "/versions/5":                      once(204, ""),
					"POST " + base + "/restore?token=t%2F1":               once(204, ""),
					"POST " + base + "/versions/5/restore":                once(204, ""),
				})
				c := newClient(t, srv.URL+"/api/v3///")
				ctx := t.Context()
				calls := []func() error{
					func() error { _, err := c.GetPackage(ctx, owner, retention.NPM, name); return err },
					func() error { _, err := c.ListVersions(ctx, owner, retention.NPM, name, retention.Active); return err },
					func() error { _, err := c.GetVersion(ctx, owner, retention.NPM, name, 5); return err },
					func() error { _, err := c.DeletePackage(ctx, owner, retention.NPM, name); return err },
					func() error { _, err := c.DeleteVersion(ctx, owner, retention.NPM, name, 5); return err },
					func() error { _, err := c.RestorePackage(ctx, owner, retention.NPM, name, "t/1"); return err },
					func() error { _, err := c.RestoreVersion(ctx, owner, retention.NPM, name, 5); return err },
				}
				for i, call := range calls {
					if err := call(); err != nil {
						t.Errorf("call %d: %v", i, err)
					}
				}
				equal(t, "number of requests", len(calls), len(srv.requests()))
			})
		}
	}
}

func TestNothingIsSentForAnAddressThatIsNotWhole(t *testing.T) {
	srv := serve(t, nil)
	c := newClient(t, srv.URL)
	ctx := t.Context()
	noKind := retention.Owner{Login: "acme"}
	noName := retention.Owner{Kind: retention.Organization}
	cases := map[string]func() error{
		"delete version 0": func() error { _, err := c.DeleteVersion(ctx, acme, retention.NPM, "api", 0); return err },
		"delete version -1": func() error {
			_, err := c.DeleteVersion(ctx, acme, retention.NPM, "api", -1)
			return err
		},
		"restore version 0": func() error { _, err := c.RestoreVersion(ctx, acme, retention.NPM, "api", 0); return err },
		"get version 0":     func() error { _, err := c.GetVersion(ctx, acme, retention.NPM, "api", 0); return err },
		"empty name":        func() error { _, err := c.DeletePackage(ctx, acme, retention.NPM, ""); return err },
		"name ..":           func() error { _, err := c.DeletePackage(ctx, acme, retention.NPM, ".."); return err },
		"name .":            func() error { _, err := c.RestorePackage(ctx, acme, retention.NPM, ".", ""); return err },
		"owner ..": func() error {
			_, err := c.GetPackage(ctx, retention.Owner{Login: "..", Kind: retention.User}, retention.NPM, "api")
			return err
		},
		"owner without kind":  func() error { _, err := c.GetPackage(ctx, noKind, retention.NPM, "api"); return err },
		"owner without login": func() error { _, err := c.DockerConflicts(ctx, noName); return err },
		"zero owner":          func() error { _, err := c.DeletePackage(ctx, retention.Owner{}, retention.NPM, "api"); return err },
		"unknown type":        func() error { _, err := c.DeletePackage(ctx, acme, "../npm", "api"); return err },
		"no type":             func() error { _, err := c.ListPackages(ctx, acme, packages.Query{}); return err },
		"no state":            func() error { _, err := c.ListVersions(ctx, acme, retention.NPM, "api", ""); return err },
		"no login":            func() error { _, err := c.Owner(ctx, "", ""); return err },
		"odd kind":            func() error { _, err := c.Owner(ctx, "acme", "team"); return err },
	}
	for name, call := range cases {
		t.Run(name, func(t *testing.T) {
			err := call()
			equal(t, "kind", packages.Refused, packages.KindOf(err))
			equal(t, "may have happened", false, packages.MayHaveHappened(err))
		})
	}
	equal(t, "requests", []string(nil), srv.requests())
}

func TestNewTakesOnlyPlainAddresses(t *testing.T) {
	srv := serve(t, nil)
	for _, url := range []string{"ftp://x", "api.github.com", "https://", "https://u:p@x", "https://x?q=1", "https://x#f", ":"} {
		if _, err := packages.New(srv.Client(), url); err == nil {
			t.Errorf("New(%q) has no error", url)
		}
	}
	for _, url := range []string{"", "https://api.github.com", "https://ghes.example.com/api/v3/"} {
		if _, err := packages.New(srv.Client(), url); err != nil {
			t.Errorf("New(%q): %v", url, err)
		}
	}
	if _, err := packages.New(nil, ""); err == nil {
		t.Error("New without a client has no error")
	}
}
