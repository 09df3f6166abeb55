package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

func TestFromEnv(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want Settings
	}{
		"nothing": {nil, Settings{}},
		"everything": {map[string]string{
			"GITHUB_TOKEN": " one\n", "GH_TOKEN": "two", "GITHUB_API_URL": "https://ghe.example.com/api/v3/",
			"SHELFLIFE_REGISTRY_URL": "http://127.0.0.1:5000", "SHELFLIFE_STATE": "/s.db", "SHELFLIFE_APP_ID": "7", "SHELFLIFE_PRIVATE_KEY_FILE": "k.pem",
		}, Settings{Token: secret.New("one"), GitHubURL: "https://ghe.example.com/api/v3", RegistryURL: "http://127.0.0.1:5000", StatePath: "/s.db", AppID: 7, PrivateKeyFile: "k.pem"}},
		"the other token":     {map[string]string{"GH_TOKEN": "two"}, Settings{Token: secret.New("two")}},
		"state below XDG":     {map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, Settings{StatePath: "/x/shelflife/shelflife.db"}},
		"relative XDG":        {map[string]string{"XDG_STATE_HOME": "x", "HOME": "/h"}, Settings{StatePath: "/h/.local/state/shelflife/shelflife.db"}},
		"state below home":    {map[string]string{"HOME": "/h"}, Settings{StatePath: "/h/.local/state/shelflife/shelflife.db"}},
		"only a relative XDG": {map[string]string{"XDG_STATE_HOME": "x"}, Settings{}},
	} {
		got, err := FromEnv(envOf(tc.env))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFromEnvRefuses(t *testing.T) {
	_, err := FromEnv(envOf(map[string]string{
		"GITHUB_API_URL": "http://ghe.example.com", "SHELFLIFE_REGISTRY_URL": "ghcr.io", "SHELFLIFE_APP_ID": "x", "SHELFLIFE_PRIVATE_KEY_FILE": "-----BEGIN KEY-----"}))
	want := `environment variable GITHUB_API_URL must start with https:// (http:// only for this machine): credentials are sent there
environment variable SHELFLIFE_REGISTRY_URL is not an address; write such as https://github.example.com/api/v3
environment variable SHELFLIFE_APP_ID is "x", but must be a positive number
environment variable SHELFLIFE_PRIVATE_KEY_FILE holds the key itself; write the name of its file`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, address := range []string{"https://u:p@example.com", "https://example.com?x=1", "https://example.com#x", "mailto:x"} {
		if urlProblem(address) == "" {
			t.Errorf("%s is accepted", address)
		}
	}
}

func TestTheEnvironmentBeatsTheFile(t *testing.T) {
	text := []byte("version: 1\napi: {github_url: 'https://file.example.com', registry_url: 'https://file.example.com'}")
	c, err := Parse("f.yaml", text, envOf(map[string]string{"GITHUB_API_URL": "https://env.example.com"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.API.GitHubURL != "https://env.example.com" || c.API.RegistryURL != "https://file.example.com" {
		t.Errorf("addresses are %s and %s", c.API.GitHubURL, c.API.RegistryURL)
	}
}

func TestAuth(t *testing.T) {
	env := envOf(map[string]string{"ACME_TOKEN": " own \n"})
	both := Settings{Token: secret.New("shared"), AppID: 5, PrivateKeyFile: "env.pem"}
	for name, tc := range map[string]struct {
		cred     *Credentials
		settings Settings
		want     Auth
		wantErr  string
	}{
		"nothing in the file":    {nil, both, Auth{Kind: KindToken, Token: secret.New("shared")}, ""},
		"nothing anywhere":       {nil, Settings{}, Auth{}, "sign in for acme: no credential: set GITHUB_TOKEN, or credentials in shelflife.yaml"},
		"its own token":          {&Credentials{Kind: KindToken, Secret: "ACME_TOKEN"}, both, Auth{Kind: KindToken, Token: secret.New("own")}, ""},
		"its token is missing":   {&Credentials{Kind: KindToken, Secret: "OTHER"}, both, Auth{}, "sign in for acme: environment variable OTHER is empty; put the token there"},
		"App from the file":      {&Credentials{Kind: KindApp, AppID: 1, InstallationID: 2, PrivateKeyFile: "f.pem"}, both, Auth{Kind: KindApp, AppID: 1, InstallationID: 2, PrivateKeyFile: "f.pem"}, ""},
		"App filled in from env": {&Credentials{Kind: KindApp, InstallationID: 2}, both, Auth{Kind: KindApp, AppID: 5, InstallationID: 2, PrivateKeyFile: "env.pem"}, ""},
		"App without an id":      {&Credentials{Kind: KindApp, InstallationID: 2}, Settings{}, Auth{}, "sign in for acme: the App's id is missing; set app_id or SHELFLIFE_APP_ID"},
	} {
		got, err := Config{Env: tc.settings}.Auth(Owner{Login: "acme", Credentials: tc.cred}, env)
		if (err == nil) != (tc.wantErr == "") || err != nil && err.Error() != tc.wantErr {
			t.Errorf("%s: error %v, want %q", name, err, tc.wantErr)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := (Config{}).Auth(Owner{}, env); !errors.Is(err, ErrNoCredential) {
		t.Errorf("error %v is not ErrNoCredential", err)
	}
}

func TestSecretsNeverShow(t *testing.T) {
	const token = "ghp_verysecret"
	c := Config{Env: Settings{Token: secret.New(token)}}
	hidden := struct{ auth Auth }{Auth{Token: secret.New(token)}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", c.Env.Token, "settings", c.Env)
	body, err := json.Marshal(c.Env)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %q %v %+v %#v", c.Env, c.Env, c.Env, c.Env.Token, c.Env.Token, hidden, hidden, c) + log.String() + string(body)
	if strings.Contains(shown, token) {
		t.Errorf("the token shows: %s", shown)
	}
	if !strings.Contains(shown, secret.Placeholder) {
		t.Errorf("no placeholder in %s", shown)
	}
	if c.Env.Token.Reveal() != token || !(secret.Secret{}).IsZero() {
		t.Error("Reveal does not give the token, or the zero Secret is not empty")
	}
}

func TestParseDuration(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "24h": day, "7d": 7 * day, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "0d": 0, "1.5h": 90 * time.Minute,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "7", "-1h", "1.5d", "-1d", "7d 3h", "1h7d", "99999999d", "36500d2562047h", "1w", "NaN", "+7d", "1d-1h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
}

func TestCronNext(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	from := time.Date(2026, 11, 22, 10, 30, 20, 0, time.UTC) // a Sunday
	for expr, want := range map[string]string{
		"0 3 * * *":        "2026-11-23T03:00:00Z",
		"31 10 * * *":      "2026-11-22T10:31:00Z",
		"30 10 * * *":      "2026-11-23T10:30:00Z",
		"*/20 * * * *":     "2026-11-22T10:40:00Z",
		"5-59/20 * * * *":  "2026-11-22T10:45:00Z",
		"0 0 1 * *":        "2026-12-01T00:00:00Z",
		"0 0 29 2 *":       "2028-02-29T00:00:00Z",
		"0 12 * * mon":     "2026-11-23T12:00:00Z",
		"0 12 * * 7":       "2026-11-22T12:00:00Z",
		"0 12 * * SAT,sun": "2026-11-22T12:00:00Z",
		"0 9 25 * FRI":     "2026-11-25T09:00:00Z", // either day is enough
		"0 9 */2 * MON":    "2026-11-23T09:00:00Z", // a step from * restricts together
	} {
		c, err := ParseCron(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got := c.Next(from).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
	three, err := ParseCron("0 3 * * *")
	if err != nil {
		t.Fatal(err)
	}
	o := Owner{Schedule: three, Timezone: "Europe/Oslo"}
	if got, want := o.Next(from), time.Date(2026, 11, 23, 3, 0, 0, 0, oslo); !got.Equal(want) {
		t.Errorf("in Oslo: %v, want %v", got, want)
	}
	if got := (Owner{}).Next(from); !got.IsZero() {
		t.Errorf("without a schedule: %v", got)
	}
}

func TestParseCronRefuses(t *testing.T) {
	for _, expr := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "* * 31 feb *",
		"5-1 * * * *", "*/0 * * * *", "*/99 * * * *", "1/5 * * * *", "0 9 1 jun-dec/20 *", "a * * * *", "1,,2 * * * *", "-1 * * * *", "+1 * * * *", "* * * mon *", "@daily"} {
		if _, err := ParseCron(expr); err == nil {
			t.Errorf("%q is accepted", expr)
		}
	}
}

func TestCronNextIsAlwaysLaterAndNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minute, hour := rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 23).Draw(t, "hour")
		c, err := ParseCron(fmt.Sprintf("%d %d * * *", minute, hour))
		if err != nil {
			t.Fatal(err)
		}
		from := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "from"), 0).UTC()
		next := c.Next(from)
		if !next.After(from) || next.Sub(from) > 24*time.Hour || next.Minute() != minute || next.Hour() != hour {
			t.Fatalf("%v after %v", next, from)
		}
	})
}
