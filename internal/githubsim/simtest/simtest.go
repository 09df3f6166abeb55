// Package simtest starts simulators in tests, and checks both sides of the
// conversation against GitHub's OpenAPI description. It is for tests only.
package simtest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

// Running is a simulator that listens.
type Running struct {
	URL    string // of the API, the registry and /_sim alike
	Server *githubsim.Server
}

// Start runs a simulator until the test ends.
func Start(t testing.TB, seed githubsim.Seed, opts ...githubsim.Option) *Running {
	t.Helper()
	return StartWith(t, seed, nil, opts...)
}

// StartWith is Start with a middleware around the simulator, such as
//
//	func(next http.Handler) http.Handler { return simtest.ValidateOpenAPI(t, next) }
func StartWith(t testing.TB, seed githubsim.Seed, wrap func(http.Handler) http.Handler, opts ...githubsim.Option) *Running {
	t.Helper()
	server, err := githubsim.New(seed, opts...)
	if err != nil {
		t.Fatalf("start simulator: %v", err)
	}
	handler := server.Handler()
	if wrap != nil {
		handler = wrap(handler)
	}
	listener := httptest.NewServer(handler)
	t.Cleanup(listener.Close)
	return &Running{URL: listener.URL, Server: server}
}
