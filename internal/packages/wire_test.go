package packages_test

import (
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const versionsPage = "?page=1&per_page=100&state="

func TestVersionsCarryEverythingGitHubSays(t *testing.T) {
	digest := "sha256:" + "0000000000000000000000000000000000000000000000000000000000000001"
	sig := "sha256-0000000000000000000000000000000000000000000000000000000000000002.sig"
	at := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	cases := map[string]struct {
		kind  retention.PackageType
		state retention.State
		body  string
		want  retention.Version
	}{
		"container with tags and a referrer tag": {retention.Container, retention.Active,
			`[{"id":7,"name":"` + digest + `","created_at":"2025-01-02T03:04:05Z","updated_at":"2025-01-02T04:04:05+01:00","html_url":"https://x/7","future":{"a":1},
			"metadata":{"package_type":"container","container":{"tags":["v2","` + sig + `","latest"]}}}]`,
			retention.Version{ID: 7, Name: digest, CreatedAt: at, UpdatedAt: at, State: retention.Active, HTMLURL: "https://x/7",
				Tags: []string{"latest", "v2"}, Referrers: []string{sig}}},
		"legacy docker with tag": {retention.Docker, retention.Active,
			`[{"id":8,"name":"x","metadata":{"docker":{"tag":["b","a"]}}}]`,
			retention.Version{ID: 8, Name: "x", State: retention.Active, Tags: []string{"a", "b"}}},
		"legacy docker with tags": {retention.Docker, retention.Active,
			`[{"id":8,"name":"x","metadata":{"docker":{"tags":["b"]}}}]`,
			retention.Version{ID: 8, Name: "x", State: retention.Active, Tags: []string{"b"}}},
		"legacy docker with one tag": {retention.Docker, retention.Active,
			`[{"id":8,"name":"x","metadata":{"docker":{"tag":"b"}}}]`,
			retention.Version{ID: 8, Name: "x", State: retention.Active, Tags: []string{"b"}}},
		"license and description": {retention.NPM, retention.Active,
			`[{"id":9,"name":"1.0.0","license":"MIT","description":"words","metadata":{"package_type":"npm"}}]`,
			retention.Version{ID: 9, Name: "1.0.0", State: retention.Active, License: "MIT", Description: "words"}},
		"odd license and null description": {retention.NPM, retention.Active,
			`[{"id":9,"name":"1.0.0","license":{"key":"mit"},"description":null}]`,
			retention.Version{ID: 9, Name: "1.0.0", State: retention.Active}},
		"times of the year 1 and absent": {retention.NPM, retention.Active,
			`[{"id":9,"name":"1.0.0","created_at":"0001-01-01T00:00:00Z","updated_at":null,"deleted_at":""}]`,
			retention.Version{ID: 9, Name: "1.0.0", State: retention.Active}},
		"deleted_at in the active list": {retention.NPM, retention.Active,
			`[{"id":9,"name":"1.0.0","deleted_at":"2025-01-02T03:04:05Z"}]`,
			retention.Version{ID: 9, Name: "1.0.0", State: retention.Deleted, DeletedAt: at}},
		"deleted list without deleted_at": {retention.NPM, retention.Deleted,
			`[{"id":9,"name":"1.0.0"}]`,
			retention.Version{ID: 9, Name: "1.0.0", State: retention.Deleted}},
		"deleted container without tags": {retention.Container, retention.Deleted,
			`[{"id":9,"name":"x","deleted_at":"2025-01-02T03:04:05Z"}]`,
			retention.Version{ID: 9, Name: "x", State: retention.Deleted, DeletedAt: at}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, map[string][]reply{
				"GET /orgs/acme/packages/" + string(tc.kind) + "/api/versions" + versionsPage + string(tc.state): once(200, tc.body),
			})
			got, err := newClient(t, srv.URL).ListVersions(t.Context(), acme, tc.kind, "api", tc.state)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "list", packages.VersionList{Items: []retention.Version{tc.want}, Pages: 1, Complete: true}, got)
		})
	}
}

func TestTagsThatWereNotToldMakeTheListIncomplete(t *testing.T) {
	for name, body := range map[string]string{
		"no metadata":           `[{"id":7,"name":"x"}]`,
		"no container":          `[{"id":7,"name":"x","metadata":{"package_type":"container"}}]`,
		"no tags":               `[{"id":7,"name":"x","metadata":{"container":{}}}]`,
		"null tags":             `[{"id":7,"name":"x","metadata":{"container":{"tags":null}}}]`,
		"docker's tags instead": `[{"id":7,"name":"x","metadata":{"docker":{"tag":[]}}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, map[string][]reply{
				"GET /orgs/acme/packages/container/api/versions" + versionsPage + "active": once(200, body),
				"GET /orgs/acme/packages/container/api/versions/7":                         once(200, body[1:len(body)-1]),
			})
			c := newClient(t, srv.URL)
			got, err := c.ListVersions(t.Context(), acme, retention.Container, "api", retention.Active)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "list", packages.VersionList{
				Items: []retention.Version{{ID: 7, Name: "x", State: retention.Active}}, Pages: 1,
				Shortfall: "version 7 came without its tags",
			}, got)
			if _, err := c.GetVersion(t.Context(), acme, retention.Container, "api", 7); !packages.IsTransient(err) {
				t.Errorf("GetVersion: %v, want a transient error", err)
			}
		})
	}
}

func TestDeletedListOfAUserNeedsDeletedAt(t *testing.T) {
	body := `[{"id":1,"name":"a","deleted_at":"2025-01-02T03:04:05Z"},{"id":2,"name":"b"}]`
	srv := serve(t, map[string][]reply{
		"GET /users/mona/packages/npm/api/versions" + versionsPage + "deleted": once(200, body),
		"GET /user/packages/npm/api/versions" + versionsPage + "deleted":       once(200, body),
	})
	c := newClient(t, srv.URL)
	got, err := c.ListVersions(t.Context(), mona, retention.NPM, "api", retention.Deleted)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ids of /users", sequence(1, 1), versionIDs(got.Items))
	equal(t, "completeness of /users", false, got.Complete)
	got, err = c.ListVersions(t.Context(), self, retention.NPM, "api", retention.Deleted)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ids of /user", sequence(1, 2), versionIDs(got.Items))
	equal(t, "completeness of /user", true, got.Complete)
}

func TestUnreadableAnswersAreErrorsAndNeverEmptyLists(t *testing.T) {
	for name, body := range map[string]string{
		"empty":           ``,
		"null":            `null`,
		"object":          `{}`,
		"null entry":      `[null]`,
		"truncated":       `[{"id":1,"name":"a"},{"id":`,
		"trailing":        `[{"id":1,"name":"a"}]]`,
		"html":            `<html>busy</html>`,
		"no id":           `[{"name":"a"}]`,
		"negative id":     `[{"id":-1,"name":"a"}]`,
		"id too large":    `[{"id":92233720368547758089,"name":"a"}]`,
		"no name":         `[{"id":1}]`,
		"odd time":        `[{"id":1,"name":"a","created_at":"yesterday"}]`,
		"number for time": `[{"id":1,"name":"a","created_at":5}]`,
		"odd tags":        `[{"id":1,"name":"a","metadata":{"container":{"tags":[1]}}}]`,
		"null tag":        `[{"id":1,"name":"a","metadata":{"container":{"tags":[null]}}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, map[string][]reply{
				"GET /orgs/acme/packages/container/api/versions" + versionsPage + "active": {{status: 200, body: body, header: map[string]string{"X-GitHub-Request-Id": "R1"}}},
			})
			got, err := newClient(t, srv.URL).ListVersions(t.Context(), acme, retention.Container, "api", retention.Active)
			equalError(t, &packages.Error{
				Op: "list active versions of acme/container/api, page 1", Status: 200, Outcome: packages.Transient, RequestID: "R1",
			}, err)
			equal(t, "list", packages.VersionList{Shortfall: "a page could not be read"}, got)
			equal(t, "may have happened", false, packages.MayHaveHappened(err))
		})
	}
}

func TestPackagesCarryEverythingGitHubSays(t *testing.T) {
	srv := serve(t, map[string][]reply{
		"GET /orgs/acme/packages?package_type=container&page=1&per_page=100&visibility=internal": once(200, `[
			{"id":1,"name":"team/api","package_type":"CONTAINER","visibility":"internal","version_count":3,"url":"https://u","html_url":"https://h",
			 "created_at":"2025-01-02T03:04:05Z","updated_at":"2025-01-02T03:04:05Z","owner":{"login":"acme"},
			 "repository":{"id":9,"name":"r","full_name":"acme/r","private":true,"html_url":"https://r"}},
			{"id":2,"name":"lone","repository":null},
			{"id":3,"name":"odd","repository":{},"html_url":4}]`),
	})
	got, err := newClient(t, srv.URL).ListPackages(t.Context(), acme, packages.Query{Type: retention.Container, Visibility: "internal"})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	equal(t, "list", packages.PackageList{Pages: 1, Complete: true, Items: []retention.Package{
		{ID: 1, Name: "team/api", Type: retention.Container, Visibility: "internal", VersionCount: 3, URL: "https://u", HTMLURL: "https://h",
			CreatedAt: at, UpdatedAt: at, State: retention.Active,
			Repository: &retention.Repository{ID: 9, Name: "r", FullName: "acme/r", Private: true, HTMLURL: "https://r"}},
		{ID: 2, Name: "lone", Type: retention.Container, State: retention.Active},
		{ID: 3, Name: "odd", Type: retention.Container, State: retention.Active},
	}}, got)
}

func TestAPackageOfAnotherTypeIsNotTaken(t *testing.T) {
	srv := serve(t, map[string][]reply{
		"GET /orgs/acme/packages/npm/api": once(200, `{"id":1,"name":"api","package_type":"maven"}`),
		"GET /orgs/acme/packages/npm/old": once(200, `{"id":1,"name":"new","package_type":"npm"}`),
		"GET /orgs/acme/packages/npm/nil": once(200, `null`),
	})
	for _, name := range []string{"api", "old", "nil"} {
		if _, err := newClient(t, srv.URL).GetPackage(t.Context(), acme, retention.NPM, name); !packages.IsTransient(err) {
			t.Errorf("GetPackage(%s): %v, want a transient error", name, err)
		}
	}
}
