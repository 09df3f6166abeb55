package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// published are GitHub's own example answers, by operation path.
type published map[string]json.RawMessage

func readPublished(t *testing.T) published {
	t.Helper()
	file := filepath.Join("..", "..", "..", "shared", "data", "packages-openapi.json")
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("GitHub's OpenAPI description is not there: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct {
					Examples map[string]struct{ Value json.RawMessage }
				}
			}
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	out := published{}
	for path, operations := range doc.Paths {
		if get, ok := operations["get"]; ok {
			out[path] = get.Responses["200"].Content["application/json"].Examples["default"].Value
		}
	}
	return out
}

// The published examples that belong together: the container packages and
// versions of either kind of owner, and a user's gem.
const (
	orgList    = "/orgs/{org}/packages"
	orgPackage = "/orgs/{org}/packages/{package_type}/{package_name}"
	userList   = "/users/{username}/packages"
	gem        = "/users/{username}/packages/{package_type}/{package_name}"
	gems       = gem + "/versions"
	npm        = orgPackage + "/versions"
	images     = "/user/packages/{package_type}/{package_name}/versions"
)

// serve answers with the examples as they are published; what they don't tell is
// not there.
func (p published) serve(t *testing.T) string {
	t.Helper()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	answers := map[string]json.RawMessage{
		"/orgs/github":                    raw(`{"login": "github", "id": 9919, "type": "Organization"}`),
		"/users/github":                   raw(`{"login": "github", "id": 9919, "type": "Organization"}`),
		"/users/octocat":                  raw(`{"login": "octocat", "id": 583231, "type": "User"}`),
		"/orgs/github/packages?container": p[orgList],
		"/orgs/github/packages/container/hello_docker":               p[orgPackage],
		"/orgs/github/packages/container/hello_docker/versions":      p[images],
		"/orgs/github/packages/container/hello_docker/versions/881":  p[npm+"/{package_version_id}"],
		"/orgs/github/packages/container/goodbye_docker/versions":    p[images],
		"/orgs/github/packages/npm/hello-world-npm/versions":         p[npm],
		"/users/octocat/packages?container":                          p[userList],
		"/users/octocat/packages?rubygems":                           raw("[" + string(p[gem]) + "]"),
		"/users/octocat/packages/rubygems/octo-name":                 p[gem],
		"/users/octocat/packages/rubygems/octo-name/versions":        p[gems],
		"/users/octocat/packages/rubygems/octo-name/versions/387039": p[gems+"/{package_version_id}"],
		"/users/octocat/packages/container/hello_docker/versions":    p[images],
		"/users/octocat/packages/container/goodbye_docker/versions":  p[images],
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			t.Errorf("%s %s: nothing may be written", r.Method, r.URL)
		}
		what := r.URL.Path
		if typ := r.URL.Query().Get("package_type"); typ != "" {
			what += "?" + typ
		}
		answer, ok := answers[what]
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Query().Get("state") == "deleted", strings.Contains(what, "?") && !ok:
			answer = raw("[]")
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			answer = raw(`{"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}`)
		}
		if _, err := w.Write(answer); err != nil {
			t.Errorf("answer %s: %v", what, err)
		}
	})
	server := httptest.NewServer(simtest.ValidateOpenAPI(t, handler))
	t.Cleanup(server.Close)
	return server.URL
}

// GitHub's published examples are read without stumbling over a field: planned,
// listed and shown. Their manifests are not published, so every image stays.
func TestPlanReadsPublishedExamples(t *testing.T) {
	examples := readPublished(t)
	type count struct {
		Login              string
		Packages, Versions int
	}
	cases := map[string]struct {
		count  count
		unread []string // the packages that keep everything, since images can't be read
	}{
		"organization": {count{"github", 2, 4}, []string{"github/container/goodbye_docker", "github/container/hello_docker"}},
		"user":         {count{"octocat", 3, 7}, []string{"octocat/container/goodbye_docker", "octocat/container/hello_docker"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cli := newCLI(t, examples.serve(t))
			var plan struct {
				Owners   []count
				Items    []retention.Item
				Problems []retention.Problem
			}
			out := cli.exec(exitPartly, "plan", c.count.Login, "--mode", "enforce", "--format", "json")
			if err := json.Unmarshal([]byte(out), &plan); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]count{c.count}, plan.Owners); diff != "" {
				t.Errorf("what was read (-want +got):\n%s", diff)
			}
			var unread []string
			for _, p := range plan.Problems {
				if p.Kind != retention.ProblemIncomplete || !strings.Contains(p.Detail, "manifest") {
					t.Errorf("%s: %s: %s", p.Package, p.Kind, p.Detail)
				}
				unread = append(unread, p.Package)
			}
			if diff := cmp.Diff(c.unread, slices.Compact(unread)); diff != "" {
				t.Errorf("packages with unread manifests (-want +got):\n%s", diff)
			}
			for _, it := range plan.Items {
				if it.Status == retention.StatusPlanned {
					t.Errorf("%s %s is to be deleted", it.Ref(), it.Version)
				}
			}
		})
	}
}

func TestOperationsReadPublishedExamples(t *testing.T) {
	cli := newCLI(t, readPublished(t).serve(t))
	for _, c := range []struct {
		args []string
		list string
		want []string
	}{
		{[]string{"packages", "list", "github"}, "packages", []string{"goodbye_docker", "hello_docker"}},
		{[]string{"packages", "get", "github/container/hello_docker"}, "packages", []string{"hello_docker"}},
		{[]string{"versions", "list", "github/npm/hello-world-npm"}, "versions", []string{"1.0.4", "1.0.3"}},
		{[]string{"packages", "list", "octocat"}, "packages", []string{"goodbye_docker", "hello_docker", "octo-name"}},
		{[]string{"packages", "get", "octocat/rubygems/octo-name"}, "packages", []string{"octo-name"}},
		{[]string{"versions", "list", "octocat/rubygems/octo-name"}, "versions", []string{"0.3.0", "0.2.0", "0.1.0"}},
		{[]string{"versions", "get", "octocat/rubygems/octo-name@0.2.0"}, "versions", []string{"0.2.0"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var doc map[string]json.RawMessage
			if err := json.Unmarshal([]byte(cli.exec(exitDone, append(c.args, "--format", "json")...)), &doc); err != nil {
				t.Fatal(err)
			}
			var rows []struct{ Name string }
			if err := json.Unmarshal(doc[c.list], &rows); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rows {
				got = append(got, r.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}
