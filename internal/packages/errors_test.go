package packages_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	deletePath = "DELETE /orgs/acme/packages/npm/api/versions/5"
	deleteOp   = "delete version 5 of acme/npm/api"
)

func deleteWith(t *testing.T, r reply) (packages.Receipt, error) {
	t.Helper()
	if r.header == nil {
		r.header = map[string]string{}
	}
	r.header["X-GitHub-Request-Id"] = "R5"
	srv := serve(t, map[string][]reply{deletePath: {r}})
	return newClient(t, srv.URL).DeleteVersion(t.Context(), acme, retention.NPM, "api", 5)
}

func message(m string) string {
	return `{"message":` + strconv.Quote(m) + `,"documentation_url":"https://d","status":"400"}`
}

func TestAReceiptBearsTheRequestID(t *testing.T) {
	got, err := deleteWith(t, reply{status: 204})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "receipt", packages.Receipt{Status: 204, RequestID: "R5"}, got)
}

func TestWhatARefusedDeletionMeans(t *testing.T) {
	lastTagged := "You cannot delete the last tagged version of a package. You must delete the package instead."
	last := "You cannot delete the last version of a package. You must delete the package instead."
	versionDownloads := "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance."
	packageDownloads := "Publicly visible packages with a version with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance."
	cases := map[string]struct {
		status int
		body   string
		want   packages.Error
		next   string
		may    bool
	}{
		"last tagged version":            {400, message(lastTagged), packages.Error{Outcome: packages.Blocked, Rule: packages.RuleLastTagged, Message: lastTagged}, "delete the whole package", false},
		"last version":                   {400, message(last), packages.Error{Outcome: packages.Blocked, Rule: packages.RuleLastVersion, Message: last}, "delete the whole package", false},
		"downloads of a version":         {400, message(versionDownloads), packages.Error{Outcome: packages.Blocked, Rule: packages.RuleDownloads, Message: versionDownloads}, "GitHub Support", false},
		"downloads of a package, loudly": {422, message(strings.ToUpper(packageDownloads)), packages.Error{Outcome: packages.Blocked, Rule: packages.RuleDownloads, Message: strings.ToUpper(packageDownloads)}, "GitHub Support", false},
		"downloads told with 403":        {403, message(versionDownloads), packages.Error{Outcome: packages.Blocked, Rule: packages.RuleDownloads, Message: versionDownloads}, "GitHub Support", false},
		"a new rule":                     {400, message("Thou shalt not."), packages.Error{Outcome: packages.Blocked, Rule: packages.RuleOther, Message: "Thou shalt not."}, "what its message says", false},
		"a new rule with details": {422, `{"message":"Validation Failed","documentation_url":"https://d","errors":[{"message":"It is pinned"},"and old",{"code":7}]}`,
			packages.Error{Outcome: packages.Blocked, Rule: packages.RuleOther, Message: "Validation Failed: It is pinned; and old"}, "what its message says", false},
		"version not found":  {404, message("Package version not found."), packages.Error{Outcome: packages.NotFound, Missing: packages.MissingVersion, Message: "Package version not found."}, "delete:packages", false},
		"package not found":  {404, message("Package not found."), packages.Error{Outcome: packages.NotFound, Missing: packages.MissingPackage, Message: "Package not found."}, "admin on the package", false},
		"not found":          {404, message("Not Found"), packages.Error{Outcome: packages.NotFound, Message: "Not Found"}, "not visible", false},
		"unauthorized":       {401, message("Bad credentials"), packages.Error{Outcome: packages.Unauthorized, Message: "Bad credentials"}, "expired", false},
		"forbidden":          {403, message("Must have admin rights to Repository."), packages.Error{Outcome: packages.Forbidden, Message: "Must have admin rights to Repository."}, "delete:packages, and admin", false},
		"App token":          {403, message("Resource not accessible by integration"), packages.Error{Outcome: packages.Forbidden, Message: "Resource not accessible by integration"}, "Manage Actions access", false},
		"fine-grained token": {403, message("Resource not accessible by personal access token"), packages.Error{Outcome: packages.Forbidden, Message: "Resource not accessible by personal access token"}, "classic token", false},
		"moved":              {301, message("Moved Permanently"), packages.Error{Outcome: packages.Refused, Message: "Moved Permanently"}, "renamed", false},
		"teapot":             {418, message("short and stout"), packages.Error{Outcome: packages.Refused, Message: "short and stout"}, "documentation", false},
		"accepted":           {202, "", packages.Error{Outcome: packages.Transient}, "read it again", true},
		"ok with a page":     {200, "<html>", packages.Error{Outcome: packages.Transient, Message: "an answer other than the documented 204"}, "read it again", true},
		"500":                {500, message("boom"), packages.Error{Outcome: packages.Transient, Message: "boom"}, "read it again", true},
		"502 in HTML":        {502, "<html><body>bad gateway", packages.Error{Outcome: packages.Transient}, "read it again", true},
		"408":                {408, "", packages.Error{Outcome: packages.Transient}, "read it again", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := deleteWith(t, reply{status: tc.status, body: tc.body})
			tc.want.Op, tc.want.Status, tc.want.RequestID = deleteOp, tc.status, "R5"
			if tc.want.Message != "" && strings.HasPrefix(tc.body, "{") {
				tc.want.DocumentationURL = "https://d"
			}
			equalError(t, &tc.want, err)
			equal(t, "may have happened", tc.may, packages.MayHaveHappened(err))
			e, _ := errors.AsType[*packages.Error](err)
			if !strings.Contains(e.Next, tc.next) || !strings.HasSuffix(err.Error(), e.Next) {
				t.Errorf("error %q doesn't end with a step that holds %q", err, tc.next)
			}
		})
	}
}

func TestOddErrorBodiesStillTellWhatTheyCan(t *testing.T) {
	long := strings.Repeat("x", 600)
	cases := map[string]struct{ body, message, doc string }{
		"empty":              {"", "", ""},
		"html":               {"<html>", "", ""},
		"array":              {`["a"]`, "", ""},
		"message is a list":  {`{"message":["a"]}`, "", ""},
		"broken after words": {`{"message":"You cannot delete the last version of a package","documentation_u`, "You cannot delete the last version of a package", ""},
		"broken in words":    {`{"message":"You cannot delete the last ver`, "", ""},
		"errors is a string": {`{"message":"m","errors":"e","documentation_url":"https://d"}`, "m: e", "https://d"},
		"errors alone":       {`{"errors":["e"]}`, "e", ""},
		"control characters": {"{\"message\":\"a\\u001b[31m\\nb\\u202e\\u0000c\"}", "a[31m bc", ""},
		"very long":          {`{"message":"` + long + `"}`, long[:500] + "…", ""},
		"enormous":           {`{"message":"m","x":"` + strings.Repeat("y", 1<<20) + `"}`, "m", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := deleteWith(t, reply{status: 400, body: tc.body})
			rule := packages.RuleOther
			if strings.Contains(tc.message, "last version") {
				rule = packages.RuleLastVersion
			}
			equalError(t, &packages.Error{Op: deleteOp, Status: 400, Outcome: packages.Blocked, Rule: rule,
				Message: tc.message, DocumentationURL: tc.doc, RequestID: "R5"}, err)
			equal(t, "may have happened", false, packages.MayHaveHappened(err))
		})
	}
}

func TestRateLimits(t *testing.T) {
	const (
		primary   = `{"message":"API rate limit exceeded for installation ID 1.","documentation_url":"https://d"}`
		secondary = `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
		abuse     = `{"message":"You have triggered an abuse detection mechanism."}`
	)
	in10 := strconv.FormatInt(fixedNow().Add(10*time.Minute).Unix(), 10)
	past := strconv.FormatInt(fixedNow().Add(-time.Minute).Unix(), 10)
	type headers = map[string]string
	cases := map[string]struct {
		body   string
		header headers
		limit  packages.LimitKind
		wait   time.Duration
	}{
		"primary, reset":            {primary, headers{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in10}, packages.PrimaryLimit, 10 * time.Minute},
		"primary, no words":         {"", headers{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in10}, packages.PrimaryLimit, 10 * time.Minute},
		"primary, no headers":       {primary, nil, packages.PrimaryLimit, time.Minute},
		"primary, reset passed":     {primary, headers{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": past}, packages.PrimaryLimit, time.Minute},
		"primary, reset absurd":     {primary, headers{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, packages.PrimaryLimit, time.Minute},
		"secondary, retry after":    {secondary, headers{"Retry-After": "30", "X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": in10}, packages.SecondaryLimit, 30 * time.Second},
		"secondary, a date":         {secondary, headers{"Retry-After": fixedNow().Add(90 * time.Second).Format(http.TimeFormat)}, packages.SecondaryLimit, 90 * time.Second},
		"secondary, only reset":     {secondary, headers{"X-RateLimit-Reset": in10}, packages.SecondaryLimit, 10 * time.Minute},
		"secondary, quota left":     {secondary, headers{"X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": in10}, packages.SecondaryLimit, time.Minute},
		"secondary, no headers":     {secondary, nil, packages.SecondaryLimit, time.Minute},
		"secondary, garbage":        {secondary, headers{"Retry-After": "soon"}, packages.SecondaryLimit, time.Minute},
		"secondary, negative":       {secondary, headers{"Retry-After": "-5"}, packages.SecondaryLimit, time.Minute},
		"secondary, without end":    {secondary, headers{"Retry-After": "9223372036854775807"}, packages.SecondaryLimit, 24 * time.Hour},
		"abuse detection":           {abuse, nil, packages.SecondaryLimit, time.Minute},
		"retry after without words": {"", headers{"Retry-After": "5"}, packages.SecondaryLimit, 5 * time.Second},
	}
	for name, tc := range cases {
		for _, status := range []int{403, 429} {
			t.Run(strconv.Itoa(status)+" "+name, func(t *testing.T) {
				header := headers{}
				for k, v := range tc.header {
					header[k] = v
				}
				_, err := deleteWith(t, reply{status: status, body: tc.body, header: header})
				e, ok := errors.AsType[*packages.Error](err)
				if !ok {
					t.Fatalf("error is %v", err)
				}
				equal(t, "kind", packages.RateLimited, e.Outcome)
				equal(t, "limit", tc.limit, e.Limit)
				equal(t, "wait", tc.wait, e.RetryAfter)
				until, ok := packages.RateLimitedUntil(err)
				equal(t, "until", fixedNow().Add(tc.wait), until)
				equal(t, "is limited", true, ok)
				equal(t, "may have happened", false, packages.MayHaveHappened(err))
			})
		}
	}
	t.Run("429 without anything", func(t *testing.T) {
		_, err := deleteWith(t, reply{status: 429})
		until, _ := packages.RateLimitedUntil(err)
		equal(t, "until", fixedNow().Add(time.Minute), until)
	})
}

func TestASpentQuotaDoesNotStopTheNextCallHere(t *testing.T) {
	spent := map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}
	srv := serve(t, map[string][]reply{deletePath: {{status: 403, header: spent}, {status: 204, header: spent}}})
	c := newClient(t, srv.URL)
	if _, err := c.DeleteVersion(t.Context(), acme, retention.NPM, "api", 5); packages.KindOf(err) != packages.RateLimited {
		t.Fatalf("error is %v, want a rate limit", err)
	}
	for range 2 {
		if _, err := c.DeleteVersion(t.Context(), acme, retention.NPM, "api", 5); err != nil {
			t.Fatalf("the transport paces, but the call was stopped before it: %v", err)
		}
	}
}

func TestListingsThatRefuseTheToken(t *testing.T) {
	key := "GET /orgs/acme/packages?package_type=npm&page=1&per_page=100"
	cases := map[string]struct {
		r    reply
		kind packages.ErrorKind
		next string
	}{
		"invalid argument": {reply{status: 400, body: message("Invalid argument.")}, packages.Forbidden, "machine user"},
		"empty 400":        {reply{status: 400}, packages.Refused, "10,000"},
		"other 400":        {reply{status: 400, body: message("Nope")}, packages.Refused, "documentation"},
		"single sign-on": {reply{status: 403, body: message("Resource protected by organization SAML enforcement."),
			header: map[string]string{"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso?x=1"}}, packages.Forbidden, "X-GitHub-SSO) at https://github.com/orgs/acme/sso?x=1"},
		"scope": {reply{status: 403, body: message("You need at least read:packages scope")}, packages.Forbidden, "read:packages"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, map[string][]reply{key: {tc.r}})
			_, err := newClient(t, srv.URL).ListPackages(t.Context(), acme, packages.Query{Type: retention.NPM})
			equal(t, "kind", tc.kind, packages.KindOf(err))
			if err == nil || !strings.Contains(err.Error(), tc.next) {
				t.Errorf("error %v lacks %q", err, tc.next)
			}
		})
	}
}

func TestForeignErrors(t *testing.T) {
	foreign := &url.Error{Op: "Get", URL: "x", Err: io.EOF}
	equal(t, "kind", packages.ErrorKind(""), packages.KindOf(foreign))
	equal(t, "may have happened", true, packages.MayHaveHappened(foreign))
	e := &packages.Error{Op: "delete x", Outcome: packages.Unauthorized, Err: io.EOF}
	equal(t, "unauthorized", true, packages.IsUnauthorized(e))
	equal(t, "may have happened", false, e.MayHaveHappened())
	equal(t, "nil may have happened", false, packages.MayHaveHappened(nil))
	_, ok := packages.BlockedRule(foreign)
	equal(t, "blocked", false, ok)
	_, ok = packages.MissingSubject(foreign)
	equal(t, "missing", false, ok)
}
