package githubsim_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// oneWidget serves a package of versions 1 to 3 and keeps what happens to it.
func oneWidget(t *testing.T) (server *githubsim.Server, url string, effects func() []githubsim.Effect) {
	t.Helper()
	seed := githubsim.Seed{Owners: []githubsim.Owner{{Login: "acme", Packages: []githubsim.Package{{
		Name: "w", Type: retention.NPM, Versions: []githubsim.Version{{Name: "a", ID: 1}, {Name: "b", ID: 2}, {Name: "c", ID: 3}},
	}}}}}
	var got []githubsim.Effect
	server, err := githubsim.New(seed, githubsim.WithEffects(func(e githubsim.Effect) { got = append(got, e) }))
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server.Handler())
	t.Cleanup(listener.Close)
	return server, listener.URL, func() []githubsim.Effect {
		server.State() // takes the lock under which effects are told
		return slices.Clone(got)
	}
}

func TestHeldCallStandsWhereItIsHeld(t *testing.T) {
	for _, tc := range []struct {
		name        string
		after, drop bool
		during      int // effects while it stands
		afterwards  int
		status      int // 0: the connection was cut
	}{
		{"before its effect, released", false, false, 0, 1, 204},
		{"before its effect, dropped", false, true, 0, 0, 0},
		{"after its effect, released", true, false, 1, 1, 204},
		{"after its effect, dropped", true, true, 1, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, url, effects := oneWidget(t)
			held, err := server.Hold(githubsim.Hold{Match: "DELETE /**", Skip: 1, AfterEffect: tc.after})
			if err != nil {
				t.Fatal(err)
			}
			ask(t, "DELETE", url+"/orgs/acme/packages/npm/w/versions/1", "any")
			status := make(chan int, 1)
			go func() {
				r, err := try(t, "DELETE", url+"/orgs/acme/packages/npm/w/versions/2", "any", "")
				if err != nil {
					r.Status = 0
				}
				status <- r.Status
			}()
			<-held.Reached()
			if n := len(effects()) - 1; n != tc.during {
				t.Errorf("%d effects while it stands, want %d", n, tc.during)
			}
			if tc.drop {
				held.Drop()
			} else {
				held.Release()
			}
			if got := <-status; got != tc.status {
				t.Errorf("status %d, want %d", got, tc.status)
			}
			if n := len(effects()) - 1; n != tc.afterwards {
				t.Errorf("%d effects in the end, want %d", n, tc.afterwards)
			}
		})
	}
}

func TestAHoldThatEndsBeforeItsCallLeavesTheCallAlone(t *testing.T) {
	for name, end := range map[string]func(*githubsim.Held){"released": (*githubsim.Held).Release, "dropped": (*githubsim.Held).Drop} {
		t.Run(name, func(t *testing.T) {
			server, url, effects := oneWidget(t)
			held, err := server.Hold(githubsim.Hold{Match: "DELETE /**", Skip: 1})
			if err != nil {
				t.Fatal(err)
			}
			end(held)
			for _, id := range []string{"1", "2"} {
				r, err := try(t, "DELETE", url+"/orgs/acme/packages/npm/w/versions/"+id, "any", "")
				if err != nil || r.Status != 204 {
					t.Errorf("version %s: status %d, %v", id, r.Status, err)
				}
			}
			if n := len(effects()); n != 2 {
				t.Errorf("%d effects, want 2", n)
			}
		})
	}
}

func TestHoldRefusesWhatMatchesNothing(t *testing.T) {
	server, _, _ := oneWidget(t)
	if _, err := server.Hold(githubsim.Hold{Match: "DELETE"}); err == nil {
		t.Error("no error for a match without a path")
	}
}

func TestEffectsTellWhatHappenedAndNothingElse(t *testing.T) {
	server, url, effects := oneWidget(t)
	if err := server.SetFaults([]githubsim.Fault{
		{Match: "DELETE /**/versions/1", Status: 500, AfterEffect: true}, {Match: "DELETE /**/versions/2", Status: 500},
	}); err != nil {
		t.Fatal(err)
	}
	versions := url + "/orgs/acme/packages/npm/w/versions/"
	for _, call := range [][2]string{
		{"DELETE", versions + "1"}, {"DELETE", versions + "2"}, {"DELETE", versions + "3"}, {"DELETE", versions + "3"},
		{"POST", versions + "3/restore"}, {"DELETE", url + "/orgs/acme/packages/npm/w"}, {"POST", url + "/orgs/acme/packages/npm/w/restore"},
	} {
		ask(t, call[0], call[1], "any")
	}
	got := effects()
	for i := range got {
		if got[i].At.IsZero() {
			t.Error("an effect without a time")
		}
		got[i].At = got[0].At
	}
	at := got[0].At
	of := func(call int, a retention.Action, id int64, key string) githubsim.Effect {
		return githubsim.Effect{At: at, Call: call, Action: a, Owner: "acme", Type: retention.NPM, Package: "w", VersionID: id, Key: key}
	}
	want := []githubsim.Effect{
		of(1, retention.Delete, 1, "a"), of(3, retention.Delete, 3, "c"), of(5, retention.Restore, 3, "c"),
		of(6, retention.Delete, 0, ""), of(7, retention.Restore, 0, ""),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
