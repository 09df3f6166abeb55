package packages_test

import (
	"testing"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestOwner(t *testing.T) {
	org := once(200, `{"id":1,"login":"Acme","type":"Organization"}`)
	user := once(200, `{"id":2,"login":"mona","type":"User"}`)
	cases := map[string]struct {
		login   string
		kind    retention.OwnerKind
		replies map[string][]reply
		want    retention.Owner
		refused packages.ErrorKind
	}{
		"organization":            {"acme", retention.Organization, map[string][]reply{"GET /orgs/acme": org}, retention.Owner{Login: "Acme", Kind: retention.Organization, ID: 1}, ""},
		"user":                    {"mona", retention.User, map[string][]reply{"GET /users/mona": user}, retention.Owner{Login: "mona", Kind: retention.User, ID: 2}, ""},
		"self":                    {"", retention.User, map[string][]reply{"GET /user": user}, retention.Owner{Login: "mona", Kind: retention.User, ID: 2}, ""},
		"found out: organization": {"acme", "", map[string][]reply{"GET /users/acme": org}, retention.Owner{Login: "Acme", Kind: retention.Organization, ID: 1}, ""},
		"found out: user":         {"mona", "", map[string][]reply{"GET /users/mona": user}, retention.Owner{Login: "mona", Kind: retention.User, ID: 2}, ""},
		"wrong kind":              {"acme", retention.User, map[string][]reply{"GET /users/acme": org}, retention.Owner{}, packages.Refused},
		"renamed":                 {"old", retention.Organization, map[string][]reply{"GET /orgs/old": org}, retention.Owner{}, packages.Refused},
		"a bot":                   {"bot", "", map[string][]reply{"GET /users/bot": once(200, `{"id":3,"login":"bot","type":"Bot"}`)}, retention.Owner{}, packages.Refused},
		"nobody":                  {"acme", "", map[string][]reply{"GET /users/acme": once(200, `{}`)}, retention.Owner{}, packages.Transient},
		"null":                    {"acme", "", map[string][]reply{"GET /users/acme": once(200, `null`)}, retention.Owner{}, packages.Transient},
		"not found":               {"acme", "", map[string][]reply{"GET /users/acme": once(404, message("Not Found"))}, retention.Owner{}, packages.NotFound},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, serve(t, tc.replies).URL).Owner(t.Context(), tc.login, tc.kind)
			equal(t, "owner", tc.want, got)
			equal(t, "kind of error", tc.refused, packages.KindOf(err))
		})
	}
}

func TestDockerConflicts(t *testing.T) {
	srv := serve(t, map[string][]reply{
		"GET /orgs/acme/docker/conflicts":  once(200, `[{"id":1,"name":"a","package_type":"docker"},{"id":2,"name":"b","package_type":"container"}]`),
		"GET /users/mona/docker/conflicts": {{header: link(2, 2), body: `[]`}},
		"GET /user/docker/conflicts":       once(200, `[{"id":1,"name":"a","package_type":"helm"}]`),
	})
	c := newClient(t, srv.URL)
	got, err := c.DockerConflicts(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "conflicts", []retention.Package{
		{ID: 1, Name: "a", Type: retention.Docker, State: retention.Active},
		{ID: 2, Name: "b", Type: retention.Container, State: retention.Active},
	}, got)
	for _, o := range []retention.Owner{mona, self} {
		if _, err := c.DockerConflicts(t.Context(), o); !packages.IsTransient(err) {
			t.Errorf("conflicts of %q: %v, want a transient error", o.Login, err)
		}
	}
}

func TestConfirm(t *testing.T) {
	const (
		pkg     = "GET /orgs/acme/packages/npm/api"
		version = pkg + "/versions/5"
		deleted = pkg + "/versions" + versionsPage + "deleted"
		active  = pkg + "/versions" + versionsPage + "active"
	)
	readable := once(200, `{"id":1,"name":"api","package_type":"npm"}`)
	gone := once(404, message("Package version not found."))
	cases := map[string]struct {
		replies map[string][]reply
		want    packages.Presence
		kind    packages.ErrorKind
		fails   bool
	}{
		"it is there":              {map[string][]reply{version: once(200, `{"id":5,"name":"1.0.0"}`)}, packages.Present, "", false},
		"it bears deleted_at":      {map[string][]reply{version: once(200, `{"id":5,"name":"1.0.0","deleted_at":"2025-01-02T03:04:05Z"}`)}, packages.Deleted, "", false},
		"in the deleted list":      {map[string][]reply{version: gone, pkg: readable, deleted: once(200, npmVersions(4, 3))}, packages.Deleted, "", false},
		"neither":                  {map[string][]reply{version: gone, pkg: readable, deleted: once(200, `[]`), active: once(200, npmVersions(2, 3))}, packages.Gone, "", false},
		"listed and not shown":     {map[string][]reply{version: gone, pkg: readable, deleted: once(200, `[]`), active: once(200, npmVersions(4, 3))}, packages.NotVisible, "", false},
		"active list unreadable":   {map[string][]reply{version: gone, pkg: readable, deleted: once(200, `[]`), active: once(500, "")}, "", packages.Transient, true},
		"package not found":        {map[string][]reply{version: gone, pkg: once(404, "")}, packages.NotVisible, "", false},
		"package forbidden":        {map[string][]reply{version: gone, pkg: once(403, "")}, packages.NotVisible, "", false},
		"both forbidden":           {map[string][]reply{version: once(403, ""), pkg: once(403, "")}, packages.NotVisible, "", false},
		"only version forbidden":   {map[string][]reply{version: once(403, ""), pkg: readable}, "", packages.Forbidden, true},
		"version unreadable":       {map[string][]reply{version: once(500, "")}, "", packages.Transient, true},
		"package unreadable":       {map[string][]reply{version: gone, pkg: once(500, "")}, "", packages.Transient, true},
		"deleted list unreadable":  {map[string][]reply{version: gone, pkg: readable, deleted: once(500, "")}, "", packages.Transient, true},
		"deleted list hidden":      {map[string][]reply{version: gone, pkg: readable, deleted: once(404, "")}, "", packages.NotFound, true},
		"deleted list not whole":   {map[string][]reply{version: gone, pkg: readable, deleted: {{header: map[string]string{"X-GitHub-SSO": "partial-results"}, body: `[]`}}}, "", "", true},
		"credentials not accepted": {map[string][]reply{version: once(401, "")}, "", packages.Unauthorized, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, serve(t, tc.replies).URL).Confirm(t.Context(), acme, retention.NPM, "api", 5)
			equal(t, "presence", tc.want, got)
			equal(t, "kind of error", tc.kind, packages.KindOf(err))
			equal(t, "fails", tc.fails, err != nil)
		})
	}
	t.Run("package alone", func(t *testing.T) {
		srv := serve(t, map[string][]reply{pkg: append(readable, once(404, "")...)})
		c := newClient(t, srv.URL)
		for _, want := range []packages.Presence{packages.Present, packages.NotVisible} {
			got, err := c.Confirm(t.Context(), acme, retention.NPM, "api", 0)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "presence", want, got)
		}
	})
}
