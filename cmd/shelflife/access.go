package main

import (
	"context"

	"github.com/bmatcuk/doublestar/v4"

	clients "github.com/shelflife-dev/shelflife/internal/access"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// access is one owner with the clients that its own credential gives.
type access struct {
	*clients.Access
	owner    retention.Owner
	source   ghapp.Source
	planning *packages.Client
	reader   *inventory.Reader
}

// connect makes an owner's clients and asks GitHub who the owner is.
func (s *session) connect(ctx context.Context, o config.Owner) (*access, error) {
	if a := s.accesses[o.Login]; a != nil {
		return a, nil
	}
	kind := o.Kind
	if s.cfg.File == "" {
		kind = "" // nobody said: find out
	}
	credential, err := s.credential(o)
	if err != nil {
		return nil, err
	}
	found, err := s.dialer().Connect(ctx, o, credential, kind)
	if isA[*clients.SetupError](err) {
		return nil, usage(err)
	}
	if err != nil {
		return nil, err
	}
	a := wrap(found)
	s.accesses[o.Login], s.accesses[a.owner.Login] = a, a
	return a, nil
}

// dial makes an owner's clients without a call.
func (s *session) dial(o config.Owner) (*access, error) {
	credential, err := s.credential(o)
	if err != nil {
		return nil, err
	}
	a, err := s.dialer().Dial(o, credential)
	if err != nil {
		return nil, usage(err)
	}
	return wrap(a), nil
}

func wrap(a *clients.Access) *access {
	return &access{Access: a, owner: a.Owner, source: a.Source, planning: a.Planning, reader: a.Reader}
}

func (s *session) dialer() clients.Dialer {
	return clients.Dialer{
		API: s.cfg.API, MaxStaleness: s.cfg.MaxStaleness, UserAgent: ghapp.UserAgent(version), Governors: s.rests,
		Ledger: s.ledger, Snapshots: s.db, Manifests: s.db, Now: s.now,
	}
}

// clockAhead refuses to delete by a clock that makes everything look older than
// it is. A clock that is behind only keeps versions longer.
func (s *session) clockAhead() error {
	for _, a := range s.accesses {
		if err := a.CheckClock(); err != nil {
			return &codeError{code: exitHeld, err: err}
		}
	}
	return nil
}

// bound is the owner that a credential is made for.
func bound(o config.Owner) retention.Owner { return clients.Bound(o) }

// credential is the one that the configuration names for an owner.
func (s *session) credential(o config.Owner) (clients.Credential, error) {
	auth, err := s.cfg.Auth(o, s.getenv)
	if err != nil {
		return clients.Credential{}, usage(err)
	}
	c := clients.Credential{Auth: auth, From: "GITHUB_TOKEN or GH_TOKEN"}
	if auth.Kind == config.KindToken {
		if o.Credentials != nil {
			c.From = o.Credentials.Secret
		}
		return c, nil
	}
	if auth.PrivateKeyFile == "" {
		return c, usagef("sign in for %s: the App's private key is missing; set private_key_file or SHELFLIFE_PRIVATE_KEY_FILE", o.Login)
	}
	c.Key, err = ghapp.ReadPrivateKey(auth.PrivateKeyFile)
	return c, usage(err)
}

// targets connects the named owners, or all configured ones.
func (s *session) targets(ctx context.Context, named []string) ([]enforce.Target, error) {
	owners, err := s.owners(named)
	if err != nil {
		return nil, err
	}
	var out []enforce.Target
	for _, o := range owners {
		a, err := s.connect(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, a.Target(o, s.cfg.ModeFor(o.Login), s.cfg.LimitsFor(o.Login)))
	}
	return out, nil
}

// matchGlob makes a filter from --packages; "" matches everything.
func matchGlob(glob string) (func(string) bool, error) {
	if glob == "" {
		return nil, nil
	}
	if !doublestar.ValidatePattern(glob) {
		return nil, usagef("--packages %q is not a glob; write one like team/** or *-cache", glob)
	}
	o := config.Owner{Packages: config.Packages{Include: []string{glob}}}
	return o.Matches, nil
}
