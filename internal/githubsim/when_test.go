package githubsim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

func TestWhenReadsAndWritesAges(t *testing.T) {
	for text, want := range map[string]string{
		"-40d": "-960h0m0s", "-36h": "-36h0m0s", "-1d12h": "-36h0m0s", "+5m": "+5m0s", "-0d": "-0s", "": "",
		"2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z",
	} {
		var w githubsim.When
		if err := w.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, err := w.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%q is written %q, want %q (%v)", text, got, want, err)
		}
	}
	for _, text := range []string{"40d", "-4x", "-d", "--4h", "-1d-4h", "-99999999d", "yesterday", "2026-01-02"} {
		var w githubsim.When
		if err := w.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if got, err := githubsim.Ago(time.Hour).MarshalText(); err != nil || string(got) != "-1h0m0s" {
		t.Errorf("an hour ago is %q (%v)", got, err)
	}
}

func TestDurationsAreNotNegative(t *testing.T) {
	for text, bad := range map[string]bool{"20ms": false, "-1s": true, "soon": true} {
		var d githubsim.Duration
		if err := d.UnmarshalText([]byte(text)); (err != nil) != bad {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTokensOfOwnersReachThoseOwners(t *testing.T) {
	const token = `[{"token":"bot","login":"bot","scopes":["read:packages"]}]`
	const packages = `[{"name":"w","package_type":"npm","versions":[{"name":"1"}]}]`
	sim, _ := startText(t, `{"owners":[
		{"login":"a","tokens":`+token+`,"packages":`+packages+`},{"login":"b","tokens":`+token+`,"packages":`+packages+`},{"login":"c","packages":`+packages+`}]}`)
	for owner, want := range map[string]int{"a": 200, "b": 200, "c": 404} {
		if got := ask(t, "GET", sim.URL+"/orgs/"+owner+"/packages/npm/w", "bot").Status; got != want {
			t.Errorf("%s: %d, want %d", owner, got, want)
		}
	}
}

func TestBaseURLAndVersionCountAreAsTheSeedHasThem(t *testing.T) {
	server, err := githubsim.New(seedOf(t, `{"owners":[{"login":"acme","packages":[{"name":"a b","package_type":"npm","version_count":99,"versions":[{"name":"1"}]}]}]}`),
		githubsim.WithBaseURL("https://github.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	body := serveOnce(t, server.Handler(), "/api/v3/orgs/acme/packages/npm/a%20b")
	for _, want := range []string{`"version_count":99`, `"url":"https://github.example.com/api/v3/orgs/acme/packages/npm/a%20b"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
}
