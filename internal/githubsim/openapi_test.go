package githubsim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

const walkSeed = `{"owners":[
 {"login":"acme","packages":[
  {"name":"team/api","package_type":"container","visibility":"public","repository":"acme/api","versions":[
   {"key":"a","id":1,"license":"MIT","description":"text"},{"key":"b","id":2,"tags":["b"]}]},
  {"name":"api","package_type":"docker","versions":[{"name":"1.0","id":3,"tags":["1.0"]},{"name":"1.1","id":4,"tags":["1.1"]}]},
  {"name":"api","package_type":"container","versions":[{"key":"a","id":5}]}]},
 {"login":"mona","kind":"user","packages":[
  {"name":"mine/tool","package_type":"container","repository":"mona/tool","versions":[{"key":"a","id":11},{"key":"b","id":12,"tags":["b"]}]},
  {"name":"api","package_type":"docker","versions":[{"name":"1.0","id":13}]},
  {"name":"api","package_type":"container","versions":[{"key":"a","id":15}]}]}],
 "tokens":[{"token":"full","login":"mona","scopes":["read:packages","write:packages","delete:packages"],"packages_admin":true},
           {"token":"none","login":"mona","scopes":[]}]}`

// TestEveryOperationFitsGitHubsDescription walks through all operations, each
// with success and with the refusals that it can have.
func TestEveryOperationFitsGitHubsDescription(t *testing.T) {
	spec := simtest.LoadOpenAPI(t)
	walked := map[string]bool{}
	sim := simtest.StartWith(t, seedOf(t, walkSeed), func(next http.Handler) http.Handler { return simtest.ValidateOpenAPI(t, next) },
		githubsim.WithClock(testclock.New(start).Now))
	for _, owner := range []struct{ prefix, template, pkg, version, other string }{
		{"/orgs/acme", "/orgs/{org}", "team%2Fapi", "1", "2"},
		{"/users/mona", "/users/{username}", "mine%2Ftool", "11", "12"},
		{"/user", "/user", "mine%2Ftool", "11", "12"},
	} {
		pkg, template := owner.prefix+"/packages/container/"+owner.pkg, owner.template+"/packages/{package_type}/{package_name}"
		for _, step := range []struct {
			method, path, template, token string
			status                        int
		}{
			{"GET", owner.prefix + "/docker/conflicts", owner.template + "/docker/conflicts", "full", 200},
			{"GET", owner.prefix + "/docker/conflicts", "", "none", 403},
			{"GET", owner.prefix + "/packages?package_type=container&per_page=1", owner.template + "/packages", "full", 200},
			{"GET", owner.prefix + "/packages?package_type=docker&visibility=private", "", "full", 200},
			{"GET", owner.prefix + "/packages?package_type=container&page=101&per_page=100", "", "full", 400},
			{"GET", owner.prefix + "/packages?package_type=container", "", "wrong", 401},
			{"GET", pkg, template, "full", 200},
			{"GET", owner.prefix + "/packages/npm/none", "", "full", 404},
			{"GET", owner.prefix + "/packages/docker/api/versions", "", "full", 200},
			{"GET", pkg + "/versions?per_page=1", template + "/versions", "full", 200},
			{"GET", pkg + "/versions/" + owner.version, template + "/versions/{package_version_id}", "full", 200},
			{"GET", pkg + "/versions/999", "", "full", 404},
			{"DELETE", pkg + "/versions/" + owner.other, "", "full", 400},
			{"DELETE", pkg + "/versions/" + owner.version, "", "none", 403},
			{"DELETE", pkg + "/versions/" + owner.version, template + "/versions/{package_version_id}", "full", 204},
			{"DELETE", pkg + "/versions/" + owner.version, "", "full", 404},
			{"GET", pkg + "/versions?state=deleted", "", "full", 200},
			{"POST", pkg + "/versions/" + owner.version + "/restore", template + "/versions/{package_version_id}/restore", "full", 204},
			{"POST", pkg + "/versions/" + owner.version + "/restore", "", "full", 404},
			{"DELETE", pkg, template, "full", 204},
			{"DELETE", pkg, "", "full", 404},
			{"POST", pkg + "/restore?token=x", template + "/restore", "full", 204},
			{"POST", pkg + "/restore", "", "full", 404},
		} {
			if r := ask(t, step.method, sim.URL+step.path, step.token); r.Status != step.status {
				t.Errorf("%s %s: %d %s, want %d", step.method, step.path, r.Status, r.Body, step.status)
			}
			if step.template != "" {
				walked[step.method+" "+step.template] = true
			}
		}
	}
	var got []string
	for op := range walked {
		got = append(got, op)
	}
	slices.Sort(got)
	if diff := cmp.Diff(spec.Operations(), got); diff != "" {
		t.Errorf("operations (-described +walked):\n%s", diff)
	}
	if len(got) != 27 {
		t.Errorf("%d operations, want 27", len(got))
	}
}

// fakeT notes failures instead of failing.
type fakeT struct {
	testing.TB
	failed []string
}

func (f *fakeT) Errorf(format string, _ ...any) { f.failed = append(f.failed, format) }

func TestValidationNoticesWhatDoesNotFit(t *testing.T) {
	for _, tc := range []struct{ name, path, body, want string }{
		{"undocumented parameter", "/orgs/acme/packages?package_type=npm&sort=name", "[]", "request does not fit"},
		{"required parameter missing", "/orgs/acme/packages", "[]", "request does not fit"},
		{"answer without a field", "/orgs/acme/packages/npm/w", `{"id":1}`, "answer %d does not fit"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := &fakeT{TB: t}
			handler := simtest.ValidateOpenAPI(fake, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				if _, err := w.Write([]byte(tc.body)); err != nil {
					t.Error(err)
				}
			}))
			serveOnce(t, handler, tc.path)
			if len(fake.failed) != 1 || !strings.Contains(fake.failed[0], tc.want) {
				t.Errorf("noticed %q, want %q", fake.failed, tc.want)
			}
		})
	}
}
