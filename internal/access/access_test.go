package access_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/access"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
)

// stores keep nothing.
type stores struct{}

func (stores) DeletedBy(context.Context, retention.PackageRef) (map[retention.ID]retention.DeletedBy, error) {
	return nil, nil
}
func (stores) SaveSnapshot(context.Context, retention.Inventory) error { return nil }
func (stores) Snapshot(context.Context, retention.PackageRef) (retention.Inventory, bool, error) {
	return retention.Inventory{}, false, nil
}
func (stores) Known(context.Context, string) iter.Seq2[retention.KnownPackage, error] {
	return func(func(retention.KnownPackage, error) bool) {}
}
func (stores) Manifests(context.Context, []string) (map[string][]byte, error) { return nil, nil }
func (stores) PutManifests(context.Context, map[string][]byte) error          { return nil }

func dialer(t *testing.T, url string, now func() time.Time) access.Dialer {
	t.Helper()
	governors, err := ghapp.NewGovernors(ghapp.GovernorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return access.Dialer{
		API: config.API{GitHubURL: url, RegistryURL: url}, UserAgent: ghapp.UserAgent("test"), Governors: governors,
		Ledger: stores{}, Snapshots: stores{}, Manifests: stores{}, Now: now,
	}
}

func token(value string) access.Credential {
	return access.Credential{Auth: config.Auth{Kind: config.KindToken, Token: secret.New(value)}, From: "TOKEN"}
}

func TestConnectAsksWhoTheOwnerIs(t *testing.T) {
	sim := simtest.Start(t, githubsim.Seed{
		Owners: []githubsim.Owner{{Login: "Acme", ID: 5}, {Login: "jane", Kind: retention.User, ID: 6}},
		Tokens: []githubsim.Token{{Token: "ghp_jane", Login: "jane", Scopes: []string{"read:packages"}}},
	})
	for name, tc := range map[string]struct {
		login string
		kind  retention.OwnerKind
		want  retention.Owner
		err   string
	}{
		"an organization":             {"acme", retention.Organization, retention.Owner{Login: "Acme", Kind: retention.Organization, ID: 5}, ""},
		"of a kind that nobody named": {"jane", "", retention.Owner{Login: "jane", Kind: retention.User, ID: 6}, ""},
		"of another kind than it is":  {"jane", retention.Organization, retention.Owner{}, "jane"},
		"the token's own user":        {config.Self, retention.User, retention.Owner{Login: "jane", Kind: retention.User, ID: 6}, ""},
		"somebody who is not there":   {"nobody", retention.Organization, retention.Owner{}, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Server.ResetCalls()
			d := dialer(t, sim.URL, time.Now)
			o := config.Owner{Login: tc.login, Kind: retention.Organization, Types: []retention.PackageType{retention.NPM}, Packages: config.Packages{Include: []string{"**"}}}
			if _, err := d.Dial(o, token("ghp_jane")); err != nil || len(sim.Server.Calls()) != 0 {
				t.Fatalf("dialling made %d calls, %v", len(sim.Server.Calls()), err)
			}
			a, err := d.Connect(t.Context(), o, token("ghp_jane"), tc.kind)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			target := a.Target(o, retention.Observe, retention.DefaultLimits())
			if diff := cmp.Diff(tc.want, target.Owner); diff != "" {
				t.Errorf("owner (-want +got)\n%s", diff)
			}
			if got := target.Calls(); got.REST == 0 || got.Registry != 0 {
				t.Errorf("calls %+v, want those that it took to ask", got)
			}
			if !slices.Equal(target.Types, o.Types) || !target.Match("x") {
				t.Error("the target is not what the owner's configuration says")
			}
		})
	}
}

func TestWhatCantBeRightIsASetupError(t *testing.T) {
	d := dialer(t, "https://api.github.com", time.Now)
	app := config.Auth{Kind: config.KindApp, AppID: 7, InstallationID: 1}
	for name, tc := range map[string]struct {
		api        string
		credential access.Credential
	}{
		"a key that is none":           {"https://api.github.com", access.Credential{Auth: app, Key: ghapp.NewPrivateKey("x", "the test")}},
		"no key at all":                {"https://api.github.com", access.Credential{Auth: app}},
		"an empty token":               {"https://api.github.com", token("")},
		"credentials sent in the open": {"http://api.github.com", token("ghp_x")},
	} {
		d.API.GitHubURL = tc.api
		_, err := d.Connect(t.Context(), config.Owner{Login: "acme", Kind: retention.Organization}, tc.credential, retention.Organization)
		if _, ok := errors.AsType[*access.SetupError](err); !ok {
			t.Errorf("%s: %v, want a setup error", name, err)
		}
	}
}

func TestAClockThatIsAheadDeletesNothing(t *testing.T) {
	github := time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", github.Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"login":"acme","id":1,"type":"Organization"}`))
	}))
	defer server.Close()
	for ahead, refused := range map[time.Duration]bool{0: false, 9 * time.Minute: false, 11 * time.Minute: true, -time.Hour: false} {
		a, err := dialer(t, server.URL, func() time.Time { return github.Add(ahead) }).Connect(t.Context(), config.Owner{Login: "acme", Kind: retention.Organization}, token("ghp_x"), retention.Organization)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.CheckClock(); errors.Is(err, access.ErrClock) != refused {
			t.Errorf("%s ahead: %v, want refused: %v", ahead, err, refused)
		}
	}
}

func TestAPauseIsToldFromAFailure(t *testing.T) {
	if !access.IsPause(&ghapp.PausedError{Until: time.Now()}) || access.IsPause(errors.New("x")) {
		t.Error("a rate limit is a pause, and nothing else is")
	}
}
