package githubsim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const restSeed = `{"owners":[
 {"login":"acme","packages":[
  {"name":"team/api","package_type":"container","repository":"acme/api","versions":[
    {"key":"old","id":11,"created_at":"-9d"},
    {"key":"v1","id":12,"created_at":"-5d","tags":["v1"]},
    {"key":"gone","id":13,"created_at":"-20d","deleted_at":"-2d","tags":["v0"]},
    {"key":"expired","id":14,"created_at":"-90d","deleted_at":"-31d"}]},
  {"name":"popular","package_type":"container","visibility":"public","versions":[
    {"key":"a","id":21,"downloads":5001},{"key":"b","id":22,"tags":["x"]}]},
  {"name":"enough","package_type":"container","visibility":"public","versions":[
    {"key":"a","id":31,"downloads":5000},{"key":"b","id":32,"tags":["x"]}]},
  {"name":"single","package_type":"npm","versions":[{"name":"1.0.0","id":41}]},
  {"name":"lost","package_type":"npm","deleted_at":"-3d","versions":[{"name":"1.0.0","id":51}]},
  {"name":"ancient","package_type":"npm","deleted_at":"-40d","versions":[{"name":"1.0.0","id":61}]},
  {"name":"legacy","package_type":"docker","versions":[{"name":"1.0","id":71,"tags":["1.0"]}]},
  {"name":"legacy","package_type":"container","versions":[{"key":"a","id":81}]}]},
 {"login":"mona","kind":"user","packages":[{"name":"mine/tool","package_type":"npm","versions":[{"name":"1.0.0","id":91},{"name":"1.1.0","id":92}]}]}],
 "tokens":[
  {"token":"full","login":"mona","scopes":["read:packages","write:packages","delete:packages"],"packages_admin":true},
  {"token":"reader","login":"mona","scopes":["read:packages"],"packages_admin":true},
  {"token":"member","login":"mona","scopes":["read:packages","write:packages","delete:packages"]},
  {"token":"partial","login":"mona","scopes":["read:packages","delete:packages"],"packages":["leg*"],"packages_admin":true},
  {"token":"expiring","login":"mona","scopes":["read:packages"],"expires_at":"+1h"}]}`

func TestAnswersOfTheAPI(t *testing.T) {
	api := "/orgs/acme/packages/container/team%2Fapi"
	for _, tc := range []struct {
		name, method, path, token string
		status                    int
		message                   string // "" for success
	}{
		{"no token", "GET", "/orgs/acme/packages?package_type=npm", "", 401, "Requires authentication"},
		{"wrong token", "GET", "/orgs/acme/packages?package_type=npm", "nope", 401, "Bad credentials"},
		{"installation token never minted", "GET", api, "ghs_x", 401, "Bad credentials"},
		{"list", "GET", "/orgs/acme/packages?package_type=npm", "full", 200, ""},
		{"list below the GHES prefix", "GET", "/api/v3/orgs/acme/packages?package_type=npm", "full", 200, ""},
		{"list without a type", "GET", "/orgs/acme/packages", "full", 400, "Invalid argument."},
		{"list of an odd visibility", "GET", "/orgs/acme/packages?package_type=npm&visibility=odd", "full", 400, "Invalid argument."},
		{"unknown owner", "GET", "/orgs/nobody/packages?package_type=npm", "full", 404, "Not Found"},
		{"organization asked for as user", "GET", "/users/acme/packages?package_type=npm", "full", 404, "Not Found"},
		{"user asked for as organization", "GET", "/orgs/mona/packages?package_type=npm", "full", 404, "Not Found"},
		{"login in capitals", "GET", "/orgs/ACME/packages?package_type=npm", "full", 200, ""},
		{"named package", "GET", api, "full", 200, ""},
		{"slash not escaped", "GET", "/orgs/acme/packages/container/team/api", "full", 404, "Not Found"},
		{"slash escaped twice", "GET", "/orgs/acme/packages/container/team%252Fapi", "full", 404, "Package not found."},
		{"package of another type", "GET", "/orgs/acme/packages/npm/team%2Fapi", "full", 404, "Package not found."},
		{"package of no type", "GET", "/orgs/acme/packages/gem/x", "full", 404, "Not Found"},
		{"package that the token does not see", "GET", api, "partial", 404, "Package not found."},
		{"deleted package", "GET", "/orgs/acme/packages/npm/lost", "full", 404, "Package not found."},
		{"version", "GET", api + "/versions/12", "full", 200, ""},
		{"deleted version", "GET", api + "/versions/13", "full", 404, "Package version not found."},
		{"version of another package", "GET", api + "/versions/21", "full", 404, "Package version not found."},
		{"version that is no number", "GET", api + "/versions/x", "full", 404, "Not Found"},
		{"versions in an odd state", "GET", api + "/versions?state=odd", "full", 400, "Invalid argument."},
		{"delete without the scope", "DELETE", api + "/versions/11", "reader", 403, "You need at least delete:packages scope to delete a package version."},
		{"restore without the scope", "POST", api + "/versions/13/restore", "partial", 403, "You need at least write:packages scope to restore a package version."},
		{"delete without admin", "DELETE", api + "/versions/11", "member", 404, "Package not found."},
		{"delete a package without admin", "DELETE", api, "member", 404, "Package not found."},
		{"delete an untagged version", "DELETE", api + "/versions/11", "full", 204, ""},
		{"delete what is gone", "DELETE", api + "/versions/13", "full", 404, "Package version not found."},
		{"last tagged version though untagged remain", "DELETE", api + "/versions/12", "full", 400, "You cannot delete the last tagged version of a package. You must delete the package instead."},
		{"last version", "DELETE", "/orgs/acme/packages/npm/single/versions/41", "full", 400, "You cannot delete the last version of a package. You must delete the package instead."},
		{"more than 5,000 downloads", "DELETE", "/orgs/acme/packages/container/popular/versions/21", "full", 400, "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance."},
		{"package with such a version", "DELETE", "/orgs/acme/packages/container/popular", "full", 400, "Publicly visible packages with a version with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance."},
		{"exactly 5,000 downloads", "DELETE", "/orgs/acme/packages/container/enough/versions/31", "full", 204, ""},
		{"delete a package", "DELETE", "/orgs/acme/packages/npm/single", "full", 204, ""},
		{"restore a version", "POST", api + "/versions/13/restore", "full", 204, ""},
		{"restore a version after 30 days", "POST", api + "/versions/14/restore", "full", 404, "Package version not found."},
		{"restore an active version", "POST", api + "/versions/11/restore", "full", 404, "Package version not found."},
		{"restore a package", "POST", "/orgs/acme/packages/npm/lost/restore", "full", 204, ""},
		{"restore a package after 30 days", "POST", "/orgs/acme/packages/npm/ancient/restore", "full", 404, "Package not found."},
		{"restore an active package", "POST", "/orgs/acme/packages/npm/single/restore", "full", 404, "Package not found."},
		{"own packages", "GET", "/user/packages?package_type=npm", "full", 200, ""},
		{"delete one's own version", "DELETE", "/user/packages/npm/mine%2Ftool/versions/91", "full", 204, ""},
		{"delete a user's version", "DELETE", "/users/mona/packages/npm/mine%2Ftool/versions/91", "full", 204, ""},
		{"organization", "GET", "/orgs/acme", "full", 200, ""},
		{"user", "GET", "/users/mona", "full", 200, ""},
		{"self", "GET", "/user", "full", 200, ""},
		{"rate limit", "GET", "/rate_limit", "full", 200, ""},
		{"method that is not there", "PUT", api, "full", 404, "Not Found"},
		{"path that is not there", "GET", "/repos/acme/api", "full", 404, "Not Found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sim, _ := startText(t, restSeed)
			r := ask(t, tc.method, sim.URL+tc.path, tc.token)
			if r.Status != tc.status {
				t.Errorf("status %d, want %d: %s", r.Status, tc.status, r.Body)
			}
			if tc.message != "" {
				want := map[string]string{"message": tc.message, "status": fmt.Sprint(tc.status)}
				got := map[string]string{}
				r.decode(t, &got)
				if !strings.HasPrefix(got["documentation_url"], "https://docs.github.com/rest") {
					t.Errorf("documentation_url %q", got["documentation_url"])
				}
				delete(got, "documentation_url")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			if r.Header.Get("X-Github-Request-Id") == "" {
				t.Error("no X-GitHub-Request-Id")
			}
		})
	}
}

func TestRestoringBringsBackIDDigestAndTags(t *testing.T) {
	sim, _ := startText(t, restSeed)
	before, _ := sim.Server.State().Package("acme", retention.Container, "team/api")
	was, _ := before.Version("gone")
	url := sim.URL + "/orgs/acme/packages/container/team%2Fapi/versions/13"
	if r := ask(t, "POST", url+"/restore", "full"); r.Status != 204 {
		t.Fatalf("restore: %d %s", r.Status, r.Body)
	}
	var got struct {
		ID        int64
		Name      string
		DeletedAt string `json:"deleted_at"`
		Metadata  struct{ Container struct{ Tags []string } }
	}
	ask(t, "GET", url, "full").decode(t, &got)
	if got.ID != was.ID || got.Name != was.Name || got.DeletedAt != "" || !cmp.Equal(got.Metadata.Container.Tags, []string{"v0"}) {
		t.Errorf("restored %+v, deleted %+v", got, was)
	}
}

func TestDeletedVersionsAreListedForThirtyDays(t *testing.T) {
	sim, clk := startText(t, restSeed)
	url := sim.URL + "/orgs/acme/packages/container/team%2Fapi/versions"
	for _, tc := range []struct {
		name, query string
		later       time.Duration
		want        []int64
	}{
		{"active, newest first", "", 0, []int64{12, 11}},
		{"state active", "?state=active", 0, []int64{12, 11}},
		{"deleted within the window", "?state=deleted", 0, []int64{13}},
		{"at the end of the window", "?state=deleted", 28 * 24 * time.Hour, []int64{13}},
		{"after the window", "?state=deleted", time.Second, nil},
	} {
		clk.Advance(tc.later)
		if diff := cmp.Diff(tc.want, idsOf(t, ask(t, "GET", url+tc.query, "full"))); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func idsOf(t *testing.T, r reply) []int64 {
	t.Helper()
	var list []struct{ ID int64 }
	r.decode(t, &list)
	var ids []int64
	for _, v := range list {
		ids = append(ids, v.ID)
	}
	return ids
}

func TestDockerConflictsNamesPackagesThatClash(t *testing.T) {
	sim, _ := startText(t, restSeed)
	var got []struct {
		Name string
		Type string `json:"package_type"`
	}
	ask(t, "GET", sim.URL+"/orgs/acme/docker/conflicts", "full").decode(t, &got)
	if len(got) != 1 || got[0].Name != "legacy" || got[0].Type != "docker" {
		t.Errorf("got %+v", got)
	}
}

func TestPartialVisibilityIsSilent(t *testing.T) {
	sim, _ := startText(t, restSeed)
	r := ask(t, "GET", sim.URL+"/orgs/acme/packages?package_type=npm", "partial")
	if r.Status != 200 || r.Body != "[]" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestTokenExpiresByTheSimulatorsClock(t *testing.T) {
	sim, clk := startText(t, restSeed)
	if r := ask(t, "GET", sim.URL+"/user", "expiring"); r.Status != 200 || r.Header.Get("X-Oauth-Scopes") != "read:packages" {
		t.Errorf("before: %d %q", r.Status, r.Header.Get("X-Oauth-Scopes"))
	}
	clk.Advance(time.Hour)
	if r := ask(t, "GET", sim.URL+"/user", "expiring"); r.Status != 401 || r.message(t) != "Bad credentials" {
		t.Errorf("after: %d %s", r.Status, r.Body)
	}
}

func TestPagesAndLinks(t *testing.T) {
	seed := githubsim.Seed{Owners: []githubsim.Owner{{Login: "acme"}}}
	for i := range 250 {
		seed.Owners[0].Packages = append(seed.Owners[0].Packages, githubsim.Package{
			Name: fmt.Sprintf("p%d", i), Type: retention.NPM, Versions: []githubsim.Version{{Name: "1.0.0"}},
		})
	}
	sim := simtest.Start(t, seed)
	for _, tc := range []struct {
		name, query string
		count       int
		rels        []string
	}{
		{"default page is 30", "", 30, []string{"next 2", "last 9"}},
		{"100 at most", "&per_page=500", 100, []string{"next 2", "last 3"}},
		{"in the middle", "&per_page=100&page=2", 100, []string{"prev 1", "next 3", "last 3", "first 1"}},
		{"last page", "&per_page=100&page=3", 50, []string{"prev 2", "first 1"}},
		{"beyond the last", "&per_page=100&page=5", 0, []string{"prev 3", "first 1"}},
		{"nonsense is the default", "&per_page=-1&page=zero", 30, []string{"next 2", "last 9"}},
		{"the last page in reach", "&per_page=100&page=100", 0, []string{"prev 3", "first 1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := ask(t, "GET", sim.URL+"/orgs/acme/packages?package_type=npm"+tc.query, "any")
			if got := len(idsOf(t, r)); got != tc.count {
				t.Errorf("%d packages, want %d", got, tc.count)
			}
			if diff := cmp.Diff(tc.rels, relsOf(t, sim.URL, r.Header.Get("Link"))); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("beyond 10,000", func(t *testing.T) {
		for _, query := range []string{"&per_page=100&page=101", "&page=334", "&page=9223372036854775807"} {
			r := ask(t, "GET", sim.URL+"/orgs/acme/packages?package_type=npm"+query, "any")
			if r.Status != 400 || r.Body != "" {
				t.Errorf("%s: %d %q, want an empty 400", query, r.Status, r.Body)
			}
		}
	})
}

// relsOf turns a Link header into "rel page" and checks that each stays on the API.
func relsOf(t *testing.T, base, link string) []string {
	t.Helper()
	var out []string
	for part := range strings.SplitSeq(link, ", ") {
		target, rel, _ := strings.Cut(part, `>; rel="`)
		if !strings.HasPrefix(target, "<"+base+"/orgs/acme/packages?") || !strings.Contains(target, "package_type=npm") {
			t.Errorf("link %q", part)
		}
		_, page, _ := strings.Cut(target, "&page=")
		if page == "" {
			_, page, _ = strings.Cut(target, "?page=")
		}
		page, _, _ = strings.Cut(page, "&")
		out = append(out, strings.TrimSuffix(rel, `"`)+" "+page)
	}
	return out
}

func TestUnchangedAnswerIsNotModifiedForTheSameTokenOnly(t *testing.T) {
	sim, _ := startText(t, restSeed)
	url := sim.URL + "/orgs/acme/packages?package_type=npm"
	first := ask(t, "GET", url, "full")
	etag := first.Header.Get("Etag")
	same := ask(t, "GET", url, "full", "If-None-Match", etag)
	other := ask(t, "GET", url, "reader", "If-None-Match", etag)
	if same.Status != http.StatusNotModified || same.Body != "" || other.Status != 200 {
		t.Errorf("same token %d %q, other token %d", same.Status, same.Body, other.Status)
	}
}

func TestUsersStateCanBeIgnored(t *testing.T) {
	seed := seedOf(t, `{"users_state":"ignored","owners":[{"login":"mona","kind":"user","packages":[{"name":"p","package_type":"npm","versions":[
		{"name":"1","id":1},{"name":"2","id":2,"deleted_at":"-1d"}]}]}]}`)
	sim := simtest.Start(t, seed)
	for path, want := range map[string][]int64{"/users/mona": {1}, "/user": {2}} {
		if diff := cmp.Diff(want, idsOf(t, ask(t, "GET", sim.URL+path+"/packages/npm/p/versions?state=deleted", "any"))); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}
