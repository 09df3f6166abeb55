package githubsim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

func TestControlShowsStateAndCalls(t *testing.T) {
	sim, _ := startText(t, `{"owners":[{"login":"acme","packages":[{"name":"w","package_type":"npm","id":5,"versions":[
		{"name":"1.0.0","id":1,"downloads":3},{"name":"1.1.0","id":2},{"name":"0.9.0","id":3,"deleted_at":"-1d"}]}]}]}`)
	ask(t, "DELETE", sim.URL+"/api/v3/orgs/acme/packages/npm/w/versions/1", "any")
	ask(t, "GET", sim.URL+"/v2/acme/w/tags/list?n=1", "")
	var state githubsim.State
	ask(t, "GET", sim.URL+"/_sim/state", "").decode(t, &state)
	want := githubsim.State{Owners: []githubsim.OwnerState{{Login: "acme", Kind: "organization", Packages: []githubsim.PackageState{{
		ID: 5, Name: "w", Type: "npm", State: "active", Versions: []githubsim.VersionState{
			{ID: 1, Key: "1.0.0", Name: "1.0.0", Tags: []string{}, State: "deleted", DeletedAt: start, Downloads: 3},
			{ID: 2, Key: "1.1.0", Name: "1.1.0", Tags: []string{}, State: "active"},
			{ID: 3, Key: "0.9.0", Name: "0.9.0", Tags: []string{}, State: "deleted", DeletedAt: start.Add(-24 * time.Hour)},
		}}}}}}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Error(diff)
	}
	var calls []githubsim.Call
	ask(t, "GET", sim.URL+"/_sim/calls", "").decode(t, &calls)
	for i := range calls {
		calls[i].RequestID = ""
	}
	if diff := cmp.Diff([]githubsim.Call{
		{N: 1, At: start, Method: "DELETE", Path: "/orgs/acme/packages/npm/w/versions/1", Status: 204, Kind: "rest", Mutating: true, Caller: "octocat"},
		{N: 2, At: start, Method: "GET", Path: "/v2/acme/w/tags/list", Query: "n=1", Status: 401, Kind: "registry"},
	}, calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(githubsim.Counts{REST: 1, Registry: 1, Mutating: 1}, sim.Server.CallCounts()); diff != "" {
		t.Error(diff)
	}
	ask(t, "POST", sim.URL+"/_sim/reset-calls", "")
	if n := len(sim.Server.Calls()); n != 0 {
		t.Errorf("%d calls after the reset", n)
	}
}

func TestControlPublishesAndSetsFaults(t *testing.T) {
	sim, _ := startText(t, `{"owners":[{"login":"acme"}]}`)
	for _, tc := range []struct {
		name, path, body string
		status           int
		contains         string
	}{
		{"publish", "publish", `{"owner":"acme","package_type":"container","package":"api","versions":[{"key":"a","tags":["v1"]}]}`, 201, `"action":"published"`},
		{"publish nonsense", "publish", `{"ownr":"acme"}`, 400, `unknown field`},
		{"publish nowhere", "publish", `{"owner":"x","package_type":"npm","package":"w","versions":[{"name":"1"}]}`, 400, "no such owner"},
		{"faults", "faults", `{"faults":[{"match":"GET /user","status":500}]}`, 204, ""},
		{"bad fault", "faults", `{"faults":[{"match":"GET /user"}]}`, 400, "status 0"},
		{"unknown", "odd", ``, 404, "reset-calls"},
	} {
		r, err := try(t, "POST", sim.URL+"/_sim/"+tc.path, "", tc.body)
		if err != nil || r.Status != tc.status || !strings.Contains(r.Body, tc.contains) {
			t.Errorf("%s: %d %s %v", tc.name, r.Status, r.Body, err)
		}
	}
	if got := ask(t, "GET", sim.URL+"/user", "any").Status; got != 500 {
		t.Errorf("fault set over HTTP gives %d", got)
	}
	if got := ask(t, "GET", sim.URL+"/orgs/acme/packages/container/api", "any").Status; got != 200 {
		t.Errorf("published package gives %d", got)
	}
}

func TestSeedClockRunsOn(t *testing.T) {
	server, err := githubsim.New(seedOf(t, `{"clock":"2030-01-02T03:04:05Z","owners":[{"login":"acme","packages":[{"name":"w","package_type":"npm","versions":[{"name":"1","created_at":"-1d","deleted_at":"-1h"}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := server.State().Owners[0].Packages[0].Versions[0].DeletedAt
	if want := time.Date(2030, 1, 2, 2, 4, 5, 0, time.UTC); got.Sub(want).Abs() > time.Minute {
		t.Errorf("deleted at %s, want %s", got, want)
	}
}
