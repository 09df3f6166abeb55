package packages_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// shifting is a list of versions that changes once, right before it answers the
// at-th request. It answers the pages of a reading in a given order.
type shifting struct {
	mu     sync.Mutex
	turn   *sync.Cond
	ids    []int
	order  []int // of the pages in each reading
	served int
	at     int
	change func([]int) []int
}

func (s *shifting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.order[s.served%len(s.order)] != n {
		s.turn.Wait()
	}
	if s.served == s.at {
		s.ids = s.change(s.ids)
	}
	last := (len(s.ids) + 99) / 100
	var entries []string
	for _, id := range s.ids[(n-1)*100 : min(n*100, len(s.ids))] {
		entries = append(entries, strings.Trim(npmVersions(id, 1), "[]"))
	}
	p := reply{body: "[" + strings.Join(entries, ",") + "]"}
	if n < last {
		p.header = link(n+1, last)
	}
	p.write(w)
	s.served++
	s.turn.Broadcast()
}

// A version that is there all the time is in every list that says that it is whole,
// whatever is added or deleted while the pages are read, and in whichever order
// GitHub answers them.
func TestASettledListMissesNothingThatStayed(t *testing.T) {
	changes := map[string]func([]int) []int{
		"pushed":              func(ids []int) []int { return slices.Insert(slices.Clone(ids), 0, 1000) },
		"restored":            func(ids []int) []int { return slices.Insert(slices.Clone(ids), 150, 1000) },
		"deleted from page 1": func(ids []int) []int { return slices.Delete(slices.Clone(ids), 10, 11) },
		"deleted from page 2": func(ids []int) []int { return slices.Delete(slices.Clone(ids), 110, 111) },
	}
	missed := map[bool]int{}
	for name, change := range changes {
		for _, order := range [][]int{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
			for at := range 7 {
				for _, settled := range []bool{false, true} {
					list, after := readShifting(t, order, at, change, settled)
					for _, id := range after {
						if id != 1000 && list.Complete && !slices.ContainsFunc(list.Items, func(v retention.Version) bool { return v.ID == retention.ID(id) }) {
							missed[settled]++
							if settled {
								t.Errorf("%s before request %d, pages in the order %v: %d is missed", name, at+1, order, id)
							}
						}
					}
					if settled && !list.Complete {
						t.Errorf("%s before request %d, pages in the order %v: not whole (%s)", name, at+1, order, list.Shortfall)
					}
				}
			}
		}
	}
	if missed[false] == 0 {
		t.Error("a list that is read once misses nothing either, so this proves nothing")
	}
}

func readShifting(t *testing.T, order []int, at int, change func([]int) []int, settled bool) (packages.VersionList, []int) {
	t.Helper()
	s := &shifting{ids: newestFirst(250), order: order, at: at, change: change}
	s.turn = sync.NewCond(&s.mu)
	srv := httptest.NewServer(s)
	defer srv.Close()
	opts := []packages.ListOption{packages.Expecting(250)}
	if settled {
		opts = append(opts, packages.Settled())
	}
	list, err := newClient(t, srv.URL, packages.WithParallelPages(3)).ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return list, change(newestFirst(250))
}

func newestFirst(n int) []int {
	var out []int
	for id := n; id > 0; id-- {
		out = append(out, id)
	}
	return out
}

// Pushes all the time must not keep a package from ever being read: what comes in
// front of an unchanged rest is no contradiction.
func TestAListThatOnlyGrowsInFrontSettles(t *testing.T) {
	s := &shifting{ids: newestFirst(250), order: []int{1, 2, 3}, at: -1}
	s.turn = sync.NewCond(&s.mu)
	pushed, last := 1000, 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.served%3 == 0 && s.served != last { // once between two readings
			last = s.served
			pushed++
			s.ids = slices.Insert(s.ids, 0, pushed)
		}
	}))
	defer srv.Close()
	list, err := newClient(t, srv.URL, packages.WithParallelPages(3)).
		ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active, packages.Expecting(250), packages.Settled())
	if err != nil || !list.Complete {
		t.Fatalf("complete: %t (%s), %v", list.Complete, list.Shortfall, err)
	}
	equal(t, "ids", append([]retention.ID{1001}, versionIDs(list.Items)[1:]...), versionIDs(list.Items))
	equal(t, "number of versions", 251, len(list.Items))
	if s.served != 6 {
		t.Errorf("%d requests, want two readings of 3", s.served)
	}
}

func TestAListThatNeverSettlesIsNotWhole(t *testing.T) {
	next := 1000
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		p := listPage(1, 100, 2, 2)
		if n == 2 {
			next++
			p = listPage(next, 1, 0, 0)
		}
		p.write(w)
	}))
	defer srv.Close()
	list, err := newClient(t, srv.URL).ListVersions(t.Context(), acme, retention.NPM, "api", retention.Active, packages.Settled())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "shortfall", "the list keeps changing while it is read", list.Shortfall)
	equal(t, "complete", false, list.Complete)
}
