package githubsim_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// faulty is a seed of one package with versions 1 to 9 and one fault.
func faulty(t *testing.T, fault string) *simtest.Running {
	t.Helper()
	var versions []string
	for i := 1; i <= 9; i++ {
		versions = append(versions, fmt.Sprintf(`{"name":"1.0.%d","id":%d}`, i, i))
	}
	sim, _ := startText(t, `{"owners":[{"login":"acme","packages":[{"name":"w","package_type":"npm","versions":[`+strings.Join(versions, ",")+`]}]}],"faults":[`+fault+`]}`)
	return sim
}

const anyDelete = `"match":"DELETE /orgs/*/packages/*/*/versions/*"`

func active(t *testing.T, sim *simtest.Running, key string) bool {
	t.Helper()
	p, _ := sim.Server.State().Package("acme", retention.NPM, "w")
	v, ok := p.Version(key)
	if !ok {
		t.Fatalf("no version %s", key)
	}
	return v.State == retention.Active
}

func TestFaultsBeforeAndAfterTheEffect(t *testing.T) {
	for _, tc := range []struct {
		name, fault string
		status      int // 0: the connection breaks
		message     string
		stillThere  bool
	}{
		{"500 before", `{` + anyDelete + `,"status":500}`, 500, "Server Error", true},
		{"500 after", `{` + anyDelete + `,"status":500,"after_effect":true}`, 500, "Server Error", false},
		{"own message", `{` + anyDelete + `,"status":422,"message":"No."}`, 422, "No.", true},
		{"reset before", `{` + anyDelete + `,"kind":"reset"}`, 0, "", true},
		{"reset after", `{` + anyDelete + `,"kind":"reset","after_effect":true}`, 0, "", false},
		{"no body to truncate", `{` + anyDelete + `,"kind":"truncate"}`, 0, "", false},
		{"slow", `{` + anyDelete + `,"kind":"slow","delay":"1ms"}`, 204, "", false},
		{"other method", `{"match":"GET /**","status":500}`, 204, "", false},
		{"any method", `{"match":"* /**","status":500}`, 500, "Server Error", true},
		{"too few segments", `{"match":"DELETE /orgs/*","status":500}`, 204, "", false},
		{"rest in the middle", `{"match":"DELETE /orgs/**/versions/3","status":502}`, 502, "Server Error", true},
		{"other version", `{"match":"DELETE /orgs/**/versions/4","status":502}`, 204, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sim := faulty(t, tc.fault)
			r, err := try(t, "DELETE", sim.URL+"/orgs/acme/packages/npm/w/versions/3", "any", "")
			switch {
			case tc.status == 0 && err == nil:
				t.Errorf("answer %d, want a broken connection", r.Status)
			case tc.status != 0 && err != nil:
				t.Fatal(err)
			case r.Status != tc.status:
				t.Errorf("status %d, want %d", r.Status, tc.status)
			case tc.message != "" && r.message(t) != tc.message:
				t.Errorf("message %q", r.message(t))
			}
			if got := active(t, sim, "1.0.3"); got != tc.stillThere {
				t.Errorf("version is there: %v, want %v", got, tc.stillThere)
			}
		})
	}
}

func TestFaultsSkipAndRunOutInOrder(t *testing.T) {
	sim := faulty(t, `{"match":"GET /user","status":500,"skip":1,"times":2},{"match":"GET /user","status":503,"times":1}`)
	var got []int
	for range 5 {
		got = append(got, ask(t, "GET", sim.URL+"/user", "any").Status)
	}
	if diff := cmp.Diff([]int{200, 500, 500, 503, 200}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaultMatchesQueryParameters(t *testing.T) {
	sim := faulty(t, `{"match":"GET /orgs/*/packages/*/*/versions?page=2","status":500}`)
	url := sim.URL + "/orgs/acme/packages/npm/w/versions?per_page=2&page="
	if one, two := ask(t, "GET", url+"1", "any").Status, ask(t, "GET", url+"2", "any").Status; one != 200 || two != 500 {
		t.Errorf("page 1: %d, page 2: %d", one, two)
	}
}

func TestTruncatedBodyEndsEarly(t *testing.T) {
	sim := faulty(t, `{"match":"GET /orgs/**","kind":"truncate"}`)
	r, err := try(t, "GET", sim.URL+"/orgs/acme/packages/npm/w/versions", "any", "")
	if !errors.Is(err, io.ErrUnexpectedEOF) || r.Status != 200 {
		t.Errorf("status %d, error %v", r.Status, err)
	}
}

func TestSlowBodyArrivesWhole(t *testing.T) {
	sim := faulty(t, `{"match":"GET /orgs/**","kind":"slow","delay":"2ms","times":1}`)
	url := sim.URL + "/orgs/acme/packages/npm/w/versions"
	slow, quick := ask(t, "GET", url, "any"), ask(t, "GET", url, "any")
	if slow.Body != quick.Body || slow.Status != 200 {
		t.Errorf("slow %d %q", slow.Status, slow.Body)
	}
}

func TestStaleListShowsWhatIsDeleted(t *testing.T) {
	sim := faulty(t, `{"match":"GET /orgs/**/versions","kind":"stale"}`)
	version := sim.URL + "/orgs/acme/packages/npm/w/versions/3"
	ask(t, "DELETE", version, "any")
	list := ask(t, "GET", sim.URL+"/orgs/acme/packages/npm/w/versions", "any")
	if len(idsOf(t, list)) != 9 || strings.Contains(list.Body, "deleted_at") {
		t.Errorf("list %s", list.Body)
	}
	if r := ask(t, "DELETE", version, "any"); r.Status != 404 || r.message(t) != "Package version not found." {
		t.Errorf("second delete: %d %s", r.Status, r.Body)
	}
}

func TestLimitFaultsCarryGitHubsWords(t *testing.T) {
	secondary := "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID "
	for _, tc := range []struct {
		name, fault                   string
		status                        int
		message, remaining, retryWait string
	}{
		{"primary 403", `"kind":"primary_limit"`, 403, "API rate limit exceeded for user ID ", "0", ""},
		{"primary 429", `"kind":"primary_limit","status":429`, 429, "API rate limit exceeded for user ID ", "0", ""},
		{"primary bare", `"kind":"primary_limit","headers":false`, 403, "API rate limit exceeded for user ID ", "", ""},
		{"secondary 403", `"kind":"secondary_limit","retry_after":7`, 403, secondary, "", "7"},
		{"secondary 429", `"kind":"secondary_limit","status":429`, 429, secondary, "", "60"},
		{"secondary bare", `"kind":"secondary_limit","headers":false`, 403, secondary, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sim := faulty(t, `{"match":"GET /orgs/**",`+tc.fault+`,"after_effect":true}`)
			r := ask(t, "GET", sim.URL+"/orgs/acme", "any")
			if r.Status != tc.status || !strings.HasPrefix(r.message(t), tc.message) {
				t.Errorf("%d %s", r.Status, r.Body)
			}
			if tc.remaining != "" && r.Header.Get("X-Ratelimit-Remaining") != tc.remaining {
				t.Errorf("remaining %q", r.Header.Get("X-Ratelimit-Remaining"))
			}
			if strings.Contains(tc.fault, "false") && (r.Header.Get("X-Ratelimit-Remaining") != "" || r.Header.Get("X-Ratelimit-Reset") != "") {
				t.Errorf("headers %v", r.Header)
			}
			if got := r.Header.Get("Retry-After"); got != tc.retryWait {
				t.Errorf("retry-after %q, want %q", got, tc.retryWait)
			}
		})
	}
}

func TestRegistryFaultsSpeakTheRegistrysLanguage(t *testing.T) {
	sim, _ := startText(t, registrySeed)
	token := pullTokenOf(t, sim, "acme/team/api", "good")
	if err := sim.Server.SetFaults([]githubsim.Fault{{Match: "GET /v2/acme/team/api/manifests/*", Kind: githubsim.FaultSecondary, Status: 429, RetryAfter: 3}}); err != nil {
		t.Fatal(err)
	}
	r := ask(t, "GET", sim.URL+"/v2/acme/team/api/manifests/v1", token, "Accept", allFour)
	if r.Status != 429 || !strings.Contains(r.Body, `"code":"TOOMANYREQUESTS"`) || r.Header.Get("Retry-After") != "3" {
		t.Errorf("%d %s %v", r.Status, r.Body, r.Header)
	}
}

func TestPrimaryLimitIsEnforcedForAnHour(t *testing.T) {
	sim, clk := startText(t, `{"owners":[{"login":"acme"}],"rate_limits":{"limit":2,"enforce":true,"status":429}}`)
	url := sim.URL + "/orgs/acme"
	var got []string
	for range 3 {
		r := ask(t, "GET", url, "any")
		got = append(got, fmt.Sprintf("%d %s/%s", r.Status, r.Header.Get("X-Ratelimit-Remaining"), r.Header.Get("X-Ratelimit-Limit")))
		if reset := r.Header.Get("X-Ratelimit-Reset"); reset != jsonNumber(start.Add(time.Hour).Unix()) {
			t.Errorf("reset %s", reset)
		}
	}
	clk.Advance(time.Hour)
	got = append(got, fmt.Sprint(ask(t, "GET", url, "any").Status))
	if diff := cmp.Diff([]string{"200 1/2", "200 0/2", "429 0/2", "200"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDeletesPerMinuteAreLimited(t *testing.T) {
	sim, clk := startText(t, `{"owners":[{"login":"acme"}],"rate_limits":{"secondary_points_per_minute":11,"enforce":true}}`)
	url := sim.URL + "/orgs/acme/packages/npm/none"
	var got []int
	for _, method := range []string{"DELETE", "DELETE", "GET", "GET", "DELETE"} {
		got = append(got, ask(t, method, url, "any").Status)
	}
	clk.Advance(time.Minute)
	got = append(got, ask(t, "DELETE", url, "any").Status)
	if diff := cmp.Diff([]int{404, 404, 404, 403, 403, 404}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLimitsOnlyShowUnlessEnforced(t *testing.T) {
	sim, _ := startText(t, `{"owners":[{"login":"acme"}],"rate_limits":{"limit":2,"secondary_points_per_minute":1}}`)
	var last reply
	for range 4 {
		last = ask(t, "GET", sim.URL+"/orgs/acme", "any")
	}
	if last.Status != 200 || last.Header.Get("X-Ratelimit-Remaining") != "1" {
		t.Errorf("%d, remaining %s", last.Status, last.Header.Get("X-Ratelimit-Remaining"))
	}
}

// heldWriter holds a call in flight, at its answer, until it is released.
type heldWriter struct {
	*httptest.ResponseRecorder
	reached, release chan struct{}
}

func (w heldWriter) WriteHeader(status int) {
	close(w.reached)
	<-w.release
	w.ResponseRecorder.WriteHeader(status)
}

func TestTooManyAtOnce(t *testing.T) {
	sim, _ := startText(t, `{"owners":[{"login":"acme"}],"rate_limits":{"concurrent":1,"enforce":true}}`)
	held := heldWriter{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	first := httptest.NewRequestWithContext(t.Context(), "GET", "/orgs/acme", nil)
	first.Header.Set("Authorization", "Bearer any")
	done := make(chan struct{})
	go func() {
		defer close(done)
		sim.Server.Handler().ServeHTTP(held, first)
	}()
	<-held.reached
	second := ask(t, "GET", sim.URL+"/orgs/acme", "any")
	close(held.release)
	<-done
	third := ask(t, "GET", sim.URL+"/orgs/acme", "any")
	if held.Code != http.StatusOK || second.Status != http.StatusForbidden || third.Status != http.StatusOK {
		t.Errorf("first %d, second %d, after both %d", held.Code, second.Status, third.Status)
	}
}
