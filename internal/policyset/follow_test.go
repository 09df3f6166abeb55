package policyset_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/policies"
)

// source publishes a bundle, and a follower keeps up with it.
type source struct {
	t      *testing.T
	body   []byte
	status int
	asked  int
	now    time.Time
	kept   map[string]bundles.Kept
	log    bytes.Buffer
	*policyset.Follower
}

func (s *source) Bundle(_ context.Context, name string) (bundles.Kept, bool, error) {
	k, ok := s.kept[name]
	return k, ok, nil
}

func (s *source) KeepBundle(_ context.Context, k bundles.Kept) error {
	s.kept[k.Source] = k
	return nil
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked++
	w.WriteHeader(s.status)
	_, _ = w.Write(s.body)
}

func (s *source) publish(revision string) {
	s.t.Helper()
	var err error
	s.body, _, err = policy.BuildBundle(s.t.Context(), policies.FS, policy.BuildOptions{Options: policy.Options{Builtin: true}, Revision: revision})
	if err != nil {
		s.t.Fatal(err)
	}
}

func newSource(t *testing.T) *source {
	t.Helper()
	s := &source{t: t, status: http.StatusOK, now: time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC), kept: map[string]bundles.Kept{}}
	s.publish("v1")
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	now := func() time.Time { return s.now }
	c := config.Config{Policies: config.Policies{Bundle: server.URL + "/b.tar.gz", BundleMaxAge: 48 * time.Hour}}
	load := func(ctx context.Context) (*policy.Engine, bundles.Status, error) {
		return policyset.Load(ctx, c, policybundle.Sources{Store: s, Now: now, HTTP: server.Client().Transport})
	}
	engine, status, err := load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Follower = policyset.Follow(policyset.Following{
		Engine: engine, Status: status, Load: load, MaxAge: c.Policies.BundleMaxAge, Now: now, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	return s
}

// after lets time pass and asks whether it is time to ask.
func (s *source) after(d time.Duration) {
	s.now = s.now.Add(d)
	s.Refresh(s.t.Context())
}

// expect compares the revision in force; "" is none.
func (s *source) expect(want string) {
	s.t.Helper()
	got := ""
	engine, err := s.Policies()
	if err == nil {
		got = engine.Bundle().Revision
	}
	if got != want {
		s.t.Errorf("at %s: revision %q in force (%v), want %q\n%s", s.now, got, err, want, &s.log)
	}
}

func TestAPublishedBundleIsFollowed(t *testing.T) {
	s := newSource(t)
	s.publish("v2")
	s.after(policyset.RefreshEvery - time.Second)
	s.expect("v1")
	if s.asked != 1 {
		t.Errorf("asked %d times before it is time", s.asked)
	}
	s.after(time.Second)
	s.expect("v2")
	if !strings.Contains(s.log.String(), "msg=policies revision=v2") {
		t.Errorf("the log: %s", &s.log)
	}
}

func TestABundleThatNobodyConfirmsIsInForceForItsMaxAge(t *testing.T) {
	s := newSource(t)
	s.status = http.StatusServiceUnavailable
	s.after(time.Hour)
	s.expect("v1")
	if !strings.Contains(s.log.String(), "stands in") {
		t.Errorf("nobody is told: %s", &s.log)
	}
	s.after(47 * time.Hour)
	s.expect("v1")
	s.now = s.now.Add(time.Second) // also when nobody asks the source
	s.expect("")
	s.after(0)
	s.after(policyset.RefreshEvery)
	s.expect("")
	if _, err := s.Policies(); !errors.Is(err, bundles.ErrStale) || !strings.Contains(s.log.String(), "nothing is deleted until") {
		t.Errorf("%v\n%s", err, &s.log)
	}
	s.status = http.StatusOK
	s.publish("v2")
	s.after(time.Second) // each call asks while it fails
	s.expect("v2")
}

func TestWhatCannotBeLoadedLeavesTheOneBeforeInForce(t *testing.T) {
	s := newSource(t)
	load := s.Load
	s.Load = func(context.Context) (*policy.Engine, bundles.Status, error) {
		return nil, bundles.Status{}, errors.New("the state file is busy")
	}
	s.after(policyset.RefreshEvery)
	s.expect("v1")
	s.after(48 * time.Hour)
	s.expect("")
	s.Load = load
	s.after(0)
	s.expect("v1")
	s.Load = func(context.Context) (*policy.Engine, bundles.Status, error) {
		return nil, bundles.Status{}, policy.ErrUnverified
	}
	s.after(policyset.RefreshEvery)
	s.expect("") // at once
}

func TestTheEndOfTheProcessIsNoFailure(t *testing.T) {
	s := newSource(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.now = s.now.Add(policyset.RefreshEvery)
	s.Refresh(ctx)
	s.expect("v1")
	if s.log.Len() != 0 {
		t.Errorf("the log: %s", &s.log)
	}
}

// One address's bundle must not stand in for another's.
func TestABundleStandsInForItsOwnAddressOnly(t *testing.T) {
	s := newSource(t)
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	load := func(query string) (bundles.Status, error) {
		c := config.Config{Policies: config.Policies{Bundle: server.URL + "/b.tar.gz" + query}}
		_, status, err := policyset.Load(t.Context(), c, policybundle.Sources{
			Store: s, Now: func() time.Time { return s.now }, HTTP: server.Client().Transport,
		})
		return status, err
	}
	if _, err := load("?channel=staging&X-Amz-Signature=1"); err != nil {
		t.Fatal(err)
	}
	s.status = http.StatusServiceUnavailable
	if _, err := load("?channel=prod"); !errors.Is(err, bundles.ErrUnavailable) || strings.Contains(err.Error(), "channel") {
		t.Errorf("another channel: %v", err)
	}
	status, err := load("?channel=staging&X-Amz-Signature=2")
	if err != nil || status.StandsIn == nil || status.Source != server.URL+"/b.tar.gz" {
		t.Errorf("its own: %+v, %v", status, err)
	}
}
