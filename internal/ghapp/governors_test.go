package ghapp

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestOneCredentialHasOneGovernor(t *testing.T) {
	gs, err := NewGovernors(GovernorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	app := func(base string, appID, inst int64, login string) func() (*Governor, error) {
		return func() (*Governor, error) { return gs.ForApp(base, appID, inst, retention.Owner{Login: login}) }
	}
	token := func(base, value string) func() (*Governor, error) {
		return func() (*Governor, error) { return gs.ForToken(base, NewToken(value)) }
	}
	const ghes = "https://ghes.example/api/v3"
	for i, group := range [][]func() (*Governor, error){
		{app("", 1, 7, "acme"), app("https://API.github.com:443/", 1, 7, "acme"), app("", 1, 7, "")},
		{app("", 1, 8, "acme")},
		{app("", 2, 7, "acme")},
		{app(ghes, 1, 7, "acme")},
		{app("", 1, 0, "acme"), app("", 1, 0, "Acme")},
		{app("", 1, 0, "other")},
		{token("", "ghp_a"), token("", " ghp_a\n")},
		{token("", "ghp_b")},
		{token(ghes, "ghp_a")},
	} {
		var first *Governor
		for j, get := range group {
			g, err := get()
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = g
			}
			if g != first {
				t.Errorf("group %d, member %d has a governor of its own", i, j)
			}
		}
		if gs.Len() != i+1 {
			t.Errorf("%d governors after group %d, want %d: credentials were mixed up", gs.Len(), i, i+1)
		}
	}
}

func TestGovernorsHoldNoToken(t *testing.T) {
	gs, err := NewGovernors(GovernorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gs.ForToken("", NewToken("ghp_verysecret")); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v %#v", gs.known, gs.known); strings.Contains(text, "verysecret") {
		t.Errorf("the registry holds the token: %s", text)
	}
}

func TestGovernorsRefuseNonsense(t *testing.T) {
	if _, err := NewGovernors(GovernorOptions{MaxInFlight: 1000}); err == nil {
		t.Error("bad options accepted")
	}
	gs, err := NewGovernors(GovernorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gs.ForToken("ftp://x", NewToken("ghp_a")); err == nil {
		t.Error("bad address accepted")
	}
}

func TestGovernorsAreMadeOnceUnderConcurrency(t *testing.T) {
	gs, err := NewGovernors(GovernorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[*Governor]bool{}
	together(t, 32, func(int) error {
		g, err := gs.ForToken("", NewToken("ghp_a"))
		mu.Lock()
		defer mu.Unlock()
		seen[g] = true
		return err
	})
	if len(seen) != 1 {
		t.Errorf("%d governors of one token", len(seen))
	}
}

func TestMeterTellsOwnersOfOneGovernorApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := func(n int, _ *http.Request) answer {
			if n == 0 {
				return answer{status: 503}
			}
			return answer{}
		}
		g := testGovernor(t, GovernorOptions{Jitter: noJitter})
		one, two := NewMeter(&model{answer: down}, time.Now), NewMeter(&model{answer: once()}, time.Now)
		for _, c := range []struct {
			meter  *Meter
			method string
		}{{one, "GET"}, {one, "DELETE"}, {two, "GET"}} {
			if err := fetch(t.Context(), g.Wrap(c.meter), c.method, "/x"); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string][2]int{}
		for name, m := range map[string]*Meter{"one": one, "two": two} {
			reads, writes := m.Counts()
			got[name] = [2]int{reads, writes}
		}
		if diff := cmp.Diff(map[string][2]int{"one": {2, 1}, "two": {1, 0}}, got); diff != "" {
			t.Errorf("reads and writes (-want +got):\n%s", diff)
		}
		if st := g.Stats(); st.Reads != 3 || st.Writes != 1 {
			t.Errorf("%d reads and %d writes in all, want 3 and 1", st.Reads, st.Writes)
		}
	})
}
