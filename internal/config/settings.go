package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// The addresses of github.com.
const (
	DefaultGitHubURL   = "https://api.github.com"
	DefaultRegistryURL = "https://ghcr.io"
)

// Settings are what the environment says. Empty fields were not set.
type Settings struct {
	Token          secret.Secret // GITHUB_TOKEN, or else GH_TOKEN
	GitHubURL      string        // GITHUB_API_URL
	RegistryURL    string        // SHELFLIFE_REGISTRY_URL
	AppID          int64         // SHELFLIFE_APP_ID
	PrivateKeyFile string        // SHELFLIFE_PRIVATE_KEY_FILE
	// StatePath is the SQLite file: SHELFLIFE_STATE, or shelflife/shelflife.db
	// below XDG_STATE_HOME or ~/.local/state. It is "" without a home.
	StatePath string
}

// FromEnv reads the environment through env, which returns "" for what is not set.
func FromEnv(env func(string) string) (Settings, error) {
	s := Settings{
		GitHubURL:      strings.TrimRight(env("GITHUB_API_URL"), "/"),
		RegistryURL:    strings.TrimRight(env("SHELFLIFE_REGISTRY_URL"), "/"),
		PrivateKeyFile: env("SHELFLIFE_PRIVATE_KEY_FILE"),
		StatePath:      statePath(env),
	}
	for _, name := range []string{"GITHUB_TOKEN", "GH_TOKEN"} {
		if token := strings.TrimSpace(env(name)); token != "" {
			s.Token = secret.New(token)
			break
		}
	}
	var errs []error
	for _, u := range []struct{ name, value string }{{"GITHUB_API_URL", s.GitHubURL}, {"SHELFLIFE_REGISTRY_URL", s.RegistryURL}} {
		if problem := urlProblem(u.value); u.value != "" && problem != "" {
			errs = append(errs, fmt.Errorf("environment variable %s %s", u.name, problem))
		}
	}
	if id := env("SHELFLIFE_APP_ID"); id != "" {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			errs = append(errs, fmt.Errorf("environment variable SHELFLIFE_APP_ID is %s, but must be a positive number", quote(id)))
		}
		s.AppID = n
	}
	if strings.Contains(s.PrivateKeyFile, "-----BEGIN") {
		errs = append(errs, errors.New("environment variable SHELFLIFE_PRIVATE_KEY_FILE holds the key itself; write the name of its file"))
	}
	if len(errs) > 0 {
		return Settings{}, errors.Join(errs...)
	}
	return s, nil
}

// statePath follows the XDG base directory specification: a relative
// XDG_STATE_HOME is ignored.
func statePath(env func(string) string) string {
	if p := env("SHELFLIFE_STATE"); p != "" {
		return p
	}
	base := env("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home := env("HOME")
		if home == "" {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "shelflife", "shelflife.db")
}
