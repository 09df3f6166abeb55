package ghapp

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestTokensAreMintedPerPhaseAndKept(t *testing.T) {
	f := newFakeGitHub(t)
	a := f.app(nil)
	var seen []string
	for _, c := range []struct {
		phase  Phase
		method string
		path   string
	}{
		{Planning, "GET", "/orgs/acme/packages"},
		{Planning, "GET", "/orgs/acme/packages"},
		{Acting, "GET", "/orgs/acme/packages"},
		{Acting, "DELETE", "/orgs/acme/packages/npm/a"},
		{Planning, "GET", "/orgs/acme/packages"},
	} {
		token, err := f.call(a, c.phase, c.method, c.path)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, token)
	}
	read, write := "ghs_42_read.1.sig", "ghs_42_write.2.sig"
	if diff := cmp.Diff([]string{read, read, write, write, read}, seen); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"read", "write"}, f.minted); diff != "" {
		t.Errorf("permissions asked for (-want +got):\n%s", diff)
	}
	user, secret, err := a.RegistryAuth(t.Context(), acme)
	if err != nil || user != "x-access-token" || secret.Reveal() != read {
		t.Errorf("registry: %s, %v; want the planning token", user, err)
	}
}

func TestPlanningNeverWrites(t *testing.T) {
	f := newFakeGitHub(t)
	_, err := f.call(f.app(nil), Planning, "DELETE", "/orgs/acme/packages/npm/a")
	var phase *PhaseError
	if !errors.As(err, &phase) || !NotSent(err) || len(f.calls) != 0 {
		t.Errorf("error %v after %v", err, f.calls)
	}
}

func TestExpiringTokensAreRenewed(t *testing.T) {
	f := newFakeGitHub(t)
	f.expires = func(minted int) time.Time {
		if minted == 1 {
			return time.Now().Add(30 * time.Second) // under the minute that a token must last
		}
		return time.Now().Add(time.Hour)
	}
	a := f.app(nil)
	var seen []string
	for range 3 {
		token, err := f.call(a, Planning, "GET", "/orgs/acme/packages")
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, token)
	}
	want := []string{"ghs_42_read.2.sig", "ghs_42_read.2.sig", "ghs_42_read.2.sig"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestConcurrentFirstUseMintsOnce(t *testing.T) {
	f := newFakeGitHub(t)
	a := f.app(func(o *AppOptions) { o.Connection = f.connection(GovernorOptions{MaxInFlight: 1}) })
	together(t, 20, func(int) error {
		_, err := f.call(a, Planning, "GET", "/orgs/acme/packages")
		return err
	})
	if diff := cmp.Diff([]string{"read"}, f.minted); diff != "" {
		t.Errorf("mints (-want +got):\n%s", diff)
	}
}

func TestInstallationIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		owner retention.Owner
		id    int64
		path  string
	}{
		"by id":            {acme, 7, "GET /app/installations/7"},
		"of organizations": {acme, 0, "GET /orgs/acme/installation"},
		"of users":         {retention.Owner{Login: "acme", Kind: retention.User}, 0, "GET /users/acme/installation"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeGitHub(t)
			f.handle("GET /users/acme/installation", f.asApp(f.installation))
			a := f.app(func(o *AppOptions) { o.Owner, o.InstallationID = c.owner, c.id })
			for range 2 {
				if _, err := f.call(a, Planning, "GET", "/orgs/acme/packages"); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{c.path, "POST /app/installations/7/access_tokens", "GET /orgs/acme/packages", "GET /orgs/acme/packages"}
			if diff := cmp.Diff(want, f.calls); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForeignOwnersAreRefused(t *testing.T) {
	f := newFakeGitHub(t)
	a := f.app(nil)
	other := retention.Owner{Login: "other", Kind: retention.Organization}
	want := &ForeignOwnerError{Bound: "acme", Asked: "other"}
	_, httpErr := a.HTTP(Planning, other)
	_, _, registryErr := a.RegistryAuth(t.Context(), other)
	_, pathErr := f.call(a, Acting, "DELETE", "/orgs/other/packages/npm/a")
	_, escapedErr := f.call(a, Acting, "DELETE", "/users/%6fther/packages/npm/a")
	for name, err := range map[string]error{"HTTP": httpErr, "registry": registryErr, "path": pathErr, "escaped path": escapedErr} {
		var foreign *ForeignOwnerError
		if !errors.As(err, &foreign) || *foreign != *want || !NotSent(err) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if len(f.calls) != 0 {
		t.Errorf("requests were sent: %v", f.calls)
	}
	if _, err := a.HTTP(Planning, retention.Owner{Login: "ACME"}); err != nil {
		t.Errorf("logins are compared without regard to case: %v", err)
	}
}

func TestAnInstallationOfSomebodyElseIsRefused(t *testing.T) {
	f := newFakeGitHub(t)
	f.handle("GET /app/installations/7", f.asApp(func(w http.ResponseWriter, _ *http.Request) {
		reply(t, w, 200, `{"id":7,"account":{"login":"other","type":"Organization"}}`)
	}))
	_, err := f.call(f.app(nil), Planning, "GET", "/orgs/acme/packages")
	var foreign *ForeignOwnerError
	if !errors.As(err, &foreign) {
		t.Fatalf("error %v, want a ForeignOwnerError", err)
	}
	if diff := cmp.Diff([]string{"GET /app/installations/7"}, f.calls); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAppAndInstallationForDoctor(t *testing.T) {
	f := newFakeGitHub(t)
	f.handle("GET /app", f.asApp(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-5*time.Minute).UTC().Format(http.TimeFormat))
		reply(t, w, 200, `{"id":42,"slug":"shelf","name":"Shelf","permissions":{"packages":"write"},"events":["package"]}`)
	}))
	a := f.app(nil)
	info, err := a.AppInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := info.ClockSkew + 5*time.Minute; d.Abs() > 5*time.Second {
		t.Errorf("clock skew %s, want about -5m", info.ClockSkew)
	}
	info.ClockSkew = 0
	wantInfo := AppInfo{ID: 42, Slug: "shelf", Name: "Shelf", Permissions: map[string]string{"packages": "write"}, Events: []string{"package"}}
	if diff := cmp.Diff(wantInfo, info); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	inst, err := a.Installation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inst.ClockSkew = 0
	wantInst := Installation{
		ID: 7, Account: retention.Owner{Login: "Acme", Kind: retention.Organization, ID: 99},
		Permissions: map[string]string{"packages": "write", "metadata": "read"},
		Events:      []string{"registry_package"}, RepositorySelection: "all",
	}
	if diff := cmp.Diff(wantInst, inst); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
