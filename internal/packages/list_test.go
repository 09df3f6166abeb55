package packages_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const versionsPath = "GET /orgs/acme/packages/npm/api/versions?page=%d&per_page=100&state=active"

func at(n int) string { return fmt.Sprintf(versionsPath, n) }

// link writes a Link header as GitHub does; 0 leaves a relation out.
func link(next, last int) map[string]string {
	var parts []string
	for _, rel := range []struct {
		name string
		page int
	}{{"next", next}, {"last", last}} {
		if rel.page > 0 {
			parts = append(parts, fmt.Sprintf(`<https://api.github.com/x?per_page=100&page=%d>; rel="%s"`, rel.page, rel.name))
		}
	}
	return map[string]string{"Link": strings.Join(parts, ", ")}
}

func listPage(from, n, next, last int) reply {
	return reply{header: link(next, last), body: npmVersions(from, n)}
}

func readVersions(t *testing.T, replies map[string][]reply, opts ...packages.Option) (packages.VersionList, []string, error) {
	t.Helper()
	srv := serve(t, replies)
	list, err := newClient(t, srv.URL, opts...).ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active)
	return list, srv.requests(), err
}

func TestListsAreWholeOnlyWithoutContradiction(t *testing.T) {
	moved := func(first, second []reply) map[string][]reply {
		return map[string][]reply{at(1): first, at(2): second}
	}
	cases := map[string]struct {
		replies   map[string][]reply
		ids       []retention.ID
		pages     int
		shortfall string // "" for complete
		requests  int
	}{
		"empty":         {map[string][]reply{at(1): {listPage(0, 0, 0, 0)}}, nil, 1, "", 1},
		"one full page": {map[string][]reply{at(1): {listPage(1, 100, 0, 0)}}, sequence(1, 100), 1, "", 1},
		"three pages in order": {map[string][]reply{
			at(1): {listPage(1, 100, 2, 3)}, at(2): {listPage(101, 100, 3, 3)}, at(3): {listPage(201, 7, 0, 0)}},
			sequence(1, 207), 3, "", 3},
		"next without last is followed": {map[string][]reply{
			at(1): {listPage(1, 100, 2, 0)}, at(2): {listPage(101, 100, 3, 0)}, at(3): {listPage(201, 1, 0, 0)}},
			sequence(1, 201), 3, "", 3},
		"next without last, short in between": {map[string][]reply{
			at(1): {listPage(1, 100, 2, 0)}, at(2): {listPage(101, 9, 3, 0)}, at(3): {listPage(201, 1, 0, 0)}},
			append(sequence(1, 109), 201), 3, "page 2 of 3 holds 9 entries instead of 100", 6},
		"next that goes in circles": {moved(
			[]reply{listPage(1, 100, 2, 0)}, []reply{listPage(101, 100, 1, 0)}),
			sequence(1, 200), 2, "page 2 names another page than 3 as the next", 4},
		"short page": {moved([]reply{listPage(1, 60, 2, 2)}, []reply{listPage(101, 5, 0, 0)}),
			append(sequence(1, 60), sequence(101, 5)...), 2, "page 1 of 2 holds 60 entries instead of 100", 4},
		"empty last page": {moved([]reply{listPage(1, 100, 2, 2)}, []reply{listPage(0, 0, 0, 0)}),
			sequence(1, 100), 2, "page 2 of 2 is empty", 4},
		"more pages than promised": {moved([]reply{listPage(1, 100, 2, 2)}, []reply{listPage(101, 100, 3, 3)}),
			sequence(1, 200), 2, "page 2 was to be the last and names another", 4},
		"duplicates": {moved([]reply{listPage(1, 100, 2, 2)}, []reply{listPage(100, 5, 0, 0)}),
			sequence(1, 104), 2, "id 100 shows up again on page 2: the list changed while it was read", 4},
		"duplicates, gone at the second reading": {moved(
			[]reply{listPage(1, 100, 2, 2)}, []reply{listPage(100, 5, 0, 0), listPage(101, 5, 0, 0)}),
			sequence(1, 105), 2, "", 4},
		"unreadable next": {map[string][]reply{
			at(1): {{header: map[string]string{"Link": `<https://x/?after=abc>; rel="next"`}, body: npmVersions(1, 100)}}},
			sequence(1, 100), 1, "page 1 has a next page whose number can't be read", 2},
		"absurd last": {map[string][]reply{at(1): {listPage(1, 100, 2, 2_000_000_000)}},
			sequence(1, 100), 1, "the Link header promises 2000000000 pages, more than can be", 2},
		"left out for want of single sign-on": {map[string][]reply{
			at(1): {{header: map[string]string{"X-GitHub-SSO": "partial-results; organizations=1,2"}, body: npmVersions(1, 1)}}},
			sequence(1, 1), 1, "GitHub left out what needs a SAML single sign-on session (partial-results; organizations=1,2): authorize the token for it", 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, requests, err := readVersions(t, tc.replies)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "ids", tc.ids, versionIDs(got.Items))
			got.Items = nil
			equal(t, "list", packages.VersionList{Pages: tc.pages, Complete: tc.shortfall == "", Shortfall: tc.shortfall}, got)
			equal(t, "number of requests", tc.requests, len(requests))
		})
	}
}

func TestPagesThatAreExpectedAreAskedForAtOnce(t *testing.T) {
	three := map[string][]reply{at(1): {listPage(1, 100, 2, 3)}, at(2): {listPage(101, 100, 3, 3)}, at(3): {listPage(201, 7, 0, 0)}}
	with := func(n int, r reply) map[string][]reply {
		out := maps.Clone(three)
		out[at(n)] = []reply{r}
		return out
	}
	cases := map[string]struct {
		expect    int
		replies   map[string][]reply
		n, pages  int
		shortfall string
		requests  int
	}{
		"just as many":          {207, three, 207, 3, "", 3},
		"fewer than there are":  {120, three, 207, 3, "", 3},
		"none":                  {0, three, 207, 3, "", 3},
		"less than none":        {-5, three, 207, 3, "", 3},
		"more than there are":   {301, with(4, listPage(0, 0, 0, 0)), 207, 3, "", 4},
		"far more, as far as 4": {1_000_000_000, with(4, listPage(0, 0, 0, 0)), 207, 3, "", 4},
		"more than one page holds": {150, map[string][]reply{at(1): {listPage(1, 60, 0, 0)}, at(2): {listPage(0, 0, 0, 0)}},
			60, 1, "", 2},
		"entries behind the last page": {301, with(4, listPage(208, 1, 0, 0)), 207, 3, "page 1 promises 3 pages, and page 4 holds entries", 8},
		"entries behind a single page": {150, map[string][]reply{at(1): {listPage(1, 60, 0, 0)}, at(2): {listPage(61, 1, 0, 0)}},
			60, 1, "page 1 promises 1 pages, and page 2 holds entries", 4},
		"next without last": {207, map[string][]reply{
			at(1): {listPage(1, 100, 2, 0)}, at(2): {listPage(101, 100, 3, 0)}, at(3): {listPage(201, 1, 0, 0)}}, 201, 3, "", 5},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, tc.replies)
			got, err := newClient(t, srv.URL).ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active, packages.Expecting(tc.expect))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "ids", sequence(1, tc.n), versionIDs(got.Items))
			got.Items = nil
			equal(t, "list", packages.VersionList{Pages: tc.pages, Complete: tc.shortfall == "", Shortfall: tc.shortfall}, got)
			equal(t, "number of requests", tc.requests, len(srv.requests()))
		})
	}
}

func TestAPageThatWasExpectedAndFailsIsAnError(t *testing.T) {
	srv := serve(t, map[string][]reply{at(1): {listPage(1, 60, 0, 0)}, at(2): {{status: 502, body: "<html>"}}})
	got, err := newClient(t, srv.URL).ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active, packages.Expecting(150))
	if !packages.IsTransient(err) || got.Complete {
		t.Errorf("complete: %t, error: %v", got.Complete, err)
	}
}

// A listing says of itself that it is whole only when it is, however many entries
// were expected of it.
func TestExpectationsNeverHideVersions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 650).Draw(rt, "versions")
		expect := rapid.IntRange(-1, 1200).Draw(rt, "expected")
		last := (n + 99) / 100
		replies := map[string][]reply{}
		for p := 1; p <= 12; p++ {
			r := listPage((p-1)*100+1, max(0, min(100, n-(p-1)*100)), 0, 0)
			if p < last {
				r.header = link(p+1, last)
			}
			replies[at(p)] = []reply{r}
		}
		srv := serve(t, replies)
		got, err := newClient(t, srv.URL, packages.WithParallelPages(rapid.IntRange(1, 12).Draw(rt, "parallel"))).
			ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active, packages.Expecting(expect))
		if err != nil || !got.Complete || len(got.Items) != n {
			rt.Fatalf("%d of %d, complete: %t (%s), %v", len(got.Items), n, got.Complete, got.Shortfall, err)
		}
		if calls, bound := len(srv.requests()), max(1, last, min((expect+99)/100, 12)); calls > bound {
			rt.Fatalf("%d calls, want at most %d", calls, bound)
		}
	})
}

func TestPagesThatPromiseDifferentLengthsAreAContradiction(t *testing.T) {
	got, _, err := readVersions(t, map[string][]reply{
		at(1): {listPage(1, 100, 2, 3)}, at(2): {listPage(101, 100, 3, 4)}, at(3): {listPage(201, 1, 0, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "complete", false, got.Complete)
	equal(t, "shortfall", "page 1 promises 3 pages, page 2 promises 4", got.Shortfall)
}

func TestAFailingPageIsAnErrorWithWhatWasRead(t *testing.T) {
	got, _, err := readVersions(t, map[string][]reply{
		at(1): {listPage(1, 100, 2, 3)}, at(2): {listPage(101, 100, 3, 3)},
		at(3): {{status: 502, body: "<html>", header: map[string]string{"X-GitHub-Request-Id": "R3"}}},
	}, packages.WithParallelPages(1))
	equalError(t, &packages.Error{
		Op: "list active versions of acme/npm/api, page 3", Status: 502, Outcome: packages.Transient, RequestID: "R3",
	}, err)
	equal(t, "ids", sequence(1, 200), versionIDs(got.Items))
	equal(t, "complete", false, got.Complete)
}

func TestPagesAreReadInParallelButNotMoreThanAsked(t *testing.T) {
	const last, limit = 9, 3
	var inFlight, most atomic.Int32
	together := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		if n > 1 {
			now := inFlight.Add(1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			if now == limit {
				select {
				case <-together:
				default:
					close(together)
				}
			}
			<-together // holds the first ones until as many as may are there
			inFlight.Add(-1)
		}
		p := listPage((n-1)*100+1, 100, n+1, last)
		if n == last {
			p = listPage((n-1)*100+1, 1, 0, 0)
		}
		p.write(w)
	}))
	t.Cleanup(srv.Close)
	got, err := newClient(t, srv.URL, packages.WithParallelPages(limit)).
		ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ids", sequence(1, (last-1)*100+1), versionIDs(got.Items))
	equal(t, "complete", true, got.Complete)
	equal(t, "most at once", int32(limit), most.Load())
}

// shelf serves packages by visibility with GitHub's ceiling on page × per_page.
type shelf struct {
	count    map[string]int
	noLast   bool
	requests atomic.Int32
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	offset, total := 0, 0
	for i, v := range []string{"private", "internal", "public"} {
		if q.Get("visibility") == v {
			offset, total = i*1_000_000, s.count[v]
		}
		if q.Get("visibility") == "" {
			total += s.count[v]
		}
	}
	if q.Get("package_type") != "npm" || n*100 > 10_000 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	last := (total + 99) / 100
	switch {
	case n < last && s.noLast:
		w.Header().Set("Link", link(n+1, 0)["Link"])
	case n < last:
		w.Header().Set("Link", link(n+1, last)["Link"])
	}
	_, _ = w.Write([]byte(npmPackages(offset+(n-1)*100+1, max(0, min(100, total-(n-1)*100)))))
}

func TestListingsBeyondTheCeilingAreSplitByVisibility(t *testing.T) {
	cases := map[string]struct {
		count     map[string]int
		query     string
		items     int
		requests  int
		shortfall string
	}{
		"just below":                          {map[string]int{"private": 9_950}, "", 9_950, 100, ""},
		"exactly at it, which may be cut off": {map[string]int{"private": 9_000, "public": 1_000}, "", 10_000, 2 + 90 + 1 + 10, ""},
		"beyond":                              {map[string]int{"private": 9_000, "internal": 150, "public": 2_000}, "", 11_150, 1 + 90 + 2 + 20, ""},
		"beyond in one visibility": {map[string]int{"private": 10_100, "public": 3}, "", 10_003, 1 + 100 + 1 + 1,
			"private packages: GitHub serves only the first 10000 entries of one query"},
		"beyond in the visibility asked for": {map[string]int{"private": 10_100}, "private", 10_000, 100,
			"GitHub serves only the first 10000 entries of one query"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &shelf{count: tc.count}
			srv := httptest.NewServer(s)
			t.Cleanup(srv.Close)
			got, err := newClient(t, srv.URL).ListPackages(t.Context(), acme, packages.Query{Type: retention.NPM, Visibility: tc.query})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "items", tc.items, len(got.Items))
			equal(t, "requests", tc.requests, int(s.requests.Load()))
			equal(t, "shortfall", tc.shortfall, got.Shortfall)
			equal(t, "complete", tc.shortfall == "", got.Complete)
		})
	}
}

func TestVisibilitiesThatOverlapAreCountedOnce(t *testing.T) {
	key := func(v string) string {
		return "GET /users/mona/packages?package_type=npm&page=1&per_page=100" + v
	}
	over := reply{header: link(2, 150), body: npmPackages(1, 100)}
	srv := serve(t, map[string][]reply{
		key(""):                     {over},
		key("&visibility=private"):  once(200, npmPackages(1, 3)),
		key("&visibility=internal"): once(200, npmPackages(1, 3)),
		key("&visibility=public"):   once(500, ""),
	})
	got, err := newClient(t, srv.URL).ListPackages(t.Context(), mona, packages.Query{Type: retention.NPM})
	equal(t, "kind", packages.Transient, packages.KindOf(err))
	equal(t, "ids", sequence(1, 3), packageIDs(got.Items))
	equal(t, "shortfall", "public packages: a page could not be read", got.Shortfall)
	equal(t, "complete", false, got.Complete)
}

func TestWithoutRelLastTheCeilingIsFoundOnTheWay(t *testing.T) {
	s := &shelf{count: map[string]int{"private": 10_100}, noLast: true}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	got, err := newClient(t, srv.URL).ListPackages(t.Context(), acme, packages.Query{Type: retention.NPM, Visibility: "private"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "items", 10_000, len(got.Items))
	equal(t, "requests", 100, int(s.requests.Load()))
	equal(t, "shortfall", "GitHub serves only the first 10000 entries of one query", got.Shortfall)
	equal(t, "complete", false, got.Complete)
}

// A list that loses or gains pages, items or headers in whatever way must never
// be called complete while an item is missing that the Link header promised.
func TestCompleteListsHoldWhatWasPromised(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		total := rapid.IntRange(101, 450).Draw(rt, "total")
		last := (total + 99) / 100
		hurt := rapid.IntRange(1, last).Draw(rt, "hurt page")
		lost := rapid.IntRange(0, 100).Draw(rt, "lost")
		status := rapid.SampledFrom([]int{200, 200, 200, 404, 500}).Draw(rt, "status")
		noLast := rapid.Bool().Draw(rt, "no rel=last")
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.URL.Query().Get("page"))
			items := min(100, total-(n-1)*100)
			if n == hurt {
				items = max(items-lost, 0)
			}
			p := listPage((n-1)*100+1, items, 0, 0)
			if n < last && noLast {
				p.header = link(n+1, 0)
			} else if n < last {
				p.header = link(n+1, last)
			}
			if n == hurt {
				p.status = status
			}
			p.write(w)
		}))
		defer srv.Close()
		c, err := packages.New(srv.Client(), srv.URL)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := c.ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active)
		sound := status == 200 && lost == 0
		// A last page that is shorter can't be told from a shorter list, unless it is empty.
		shorter := status == 200 && hurt == last && lost < total-(last-1)*100
		switch {
		case (err == nil) != (status == 200):
			rt.Fatalf("error %v with status %d", err, status)
		case got.Complete && !sound && !shorter:
			rt.Fatalf("complete with %d of %d items", len(got.Items), total)
		case !got.Complete && sound:
			rt.Fatalf("incomplete although sound: %s", got.Shortfall)
		}
	})
}
