package githubsim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

func TestFaultsFiredOutlivesTheFaults(t *testing.T) {
	sim := faulty(t, `{"match":"GET /user","status":500,"skip":1,"times":2}`)
	for range 5 {
		ask(t, "GET", sim.URL+"/user", "any")
	}
	for _, faults := range [][]githubsim.Fault{nil, {{Match: "GET /none", Status: 500}}} {
		if err := sim.Server.SetFaults(faults); err != nil {
			t.Fatal(err)
		}
		ask(t, "GET", sim.URL+"/user", "any")
	}
	if got := sim.Server.FaultsFired(); got != 2 {
		t.Errorf("%d calls were struck, want 2", got)
	}
}

func TestCallSaysWhichFaultStruckIt(t *testing.T) {
	sim := faulty(t, `{"match":"GET /user","status":500,"times":1},{"match":"GET /user","kind":"truncate","times":1}`)
	for range 3 {
		_, _ = try(t, "GET", sim.URL+"/user", "any", "") // one is cut
	}
	var got []githubsim.FaultKind
	for _, c := range sim.Server.Calls() {
		got = append(got, c.Fault)
	}
	if diff := cmp.Diff([]githubsim.FaultKind{githubsim.FaultStatus, githubsim.FaultTruncate, ""}, got); diff != "" {
		t.Error(diff)
	}
}

func TestStaleShownCountsListsThatShowWhatIsDeleted(t *testing.T) {
	sim := faulty(t, `{"match":"GET /orgs/**/versions","kind":"stale"}`)
	list := sim.URL + "/orgs/acme/packages/npm/w/versions"
	ask(t, "GET", list, "any")
	if got := sim.Server.StaleShown(); got != 0 {
		t.Errorf("%d stale lists before anything is deleted", got)
	}
	ask(t, "DELETE", list+"/3", "any")
	ask(t, "GET", list, "any")
	ask(t, "GET", list+"?state=deleted", "any")
	if got := sim.Server.StaleShown(); got != 1 {
		t.Errorf("%d stale lists, want 1", got)
	}
}

func TestFaultFitsCallsByMethodPathAndQuery(t *testing.T) {
	call := githubsim.Call{Method: "GET", Path: "/orgs/acme/packages/npm/w/versions", Query: "page=2&per_page=100"}
	for match, want := range map[string]bool{
		"* /**": true, "GET /orgs/*/packages/*/*/versions": true, "GET /orgs/**?page=2": true,
		"GET /orgs/**?page=1": false, "DELETE /**": false, "GET /v2/**": false,
	} {
		if got := (githubsim.Fault{Match: match}).Fits(call); got != want {
			t.Errorf("%s: %v, want %v", match, got, want)
		}
	}
}
