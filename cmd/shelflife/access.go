package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// access is one owner with the clients that its own credential gives.
type access struct {
	owner    retention.Owner
	source   ghapp.Source
	planning *packages.Client
	acting   *packages.Client
	reader   *inventory.Reader
	rest     *ghapp.Meter // what this owner asked of the API, where a governor is shared
	registry *ghapp.Governor
}

// connect makes an owner's clients and asks GitHub who the owner is.
func (s *session) connect(ctx context.Context, o config.Owner) (*access, error) {
	if a := s.accesses[o.Login]; a != nil {
		return a, nil
	}
	a, err := s.dial(o)
	if err != nil {
		return nil, err
	}
	kind := o.Kind
	if s.cfg.File == "" {
		kind = "" // nobody said: find out
	}
	if o.Login == config.Self {
		// Who that is, then like any other user: everything kept goes by the login.
		me, err := a.planning.Owner(ctx, "", retention.User)
		if err != nil {
			return nil, fmt.Errorf("who the credential belongs to: %w", err)
		}
		o.Login, o.Kind, kind = me.Login, retention.User, retention.User
		if a, err = s.dial(o); err != nil {
			return nil, err
		}
		s.accesses[config.Self] = a
	}
	if a.owner, err = a.planning.Owner(ctx, o.Login, kind); err != nil {
		return nil, err // it names the owner
	}
	s.accesses[o.Login] = a
	return a, nil
}

// registryInFlight is how many manifests are read at once: at 50 ms each, 400 of
// them then take well under a second.
const registryInFlight = 64

// dial makes an owner's clients without a call.
func (s *session) dial(o config.Owner) (*access, error) {
	base := ghapp.BaseTransport()
	rest, err := s.governor(o)
	if err != nil {
		return nil, err
	}
	opts := ghapp.RegistryGovernorOptions()
	opts.MaxInFlight = registryInFlight
	registry, err := ghapp.NewGovernor(opts)
	if err != nil {
		return nil, err
	}
	a := &access{rest: ghapp.NewMeter(base, s.now), registry: registry}
	conn := ghapp.Connection{BaseURL: s.cfg.API.GitHubURL, Transport: a.rest, Governor: rest, UserAgent: ghapp.UserAgent(version)}
	if a.source, err = s.source(o, conn); err != nil {
		return nil, err
	}
	account := bound(o)
	clients := map[ghapp.Phase]**packages.Client{ghapp.Planning: &a.planning, ghapp.Acting: &a.acting}
	for phase, client := range clients {
		hc, err := ghapp.NewHTTPClient(a.source, phase, account)
		if err != nil {
			return nil, err
		}
		if *client, err = packages.New(hc, s.cfg.API.GitHubURL, packages.WithParallelPages(10)); err != nil {
			return nil, usage(err)
		}
	}
	manifests, err := oci.New(oci.Options{
		Client:   &http.Client{Transport: ghapp.NewRegistryTransport(base, registry, ghapp.UserAgent(version))},
		Registry: s.cfg.API.RegistryURL,
		Credential: func(ctx context.Context, owner string) (string, error) {
			_, secret, err := a.source.RegistryAuth(ctx, account)
			return secret.Reveal(), err
		},
		Cache: s.db, Now: s.now, IsPause: isPause,
	})
	if err != nil {
		return nil, usage(err)
	}
	a.reader, err = inventory.New(inventory.Config{
		GitHub: listings{a.planning}, Graphs: manifests, Ledger: s.ledger, Snapshots: s.db,
		Now: s.now, MaxStaleness: s.cfg.MaxStaleness, IsPause: isPause,
	})
	return a, err
}

// listings is the REST client in the form that the inventory asks for.
type listings struct{ client *packages.Client }

// Packages lists an owner's packages of one type.
func (l listings) Packages(ctx context.Context, o retention.Owner, t retention.PackageType) (inventory.List[retention.Package], error) {
	list, err := l.client.ListPackages(ctx, o, packages.Query{Type: t})
	return inventory.List[retention.Package](list), err
}

// Versions lists a package's versions in one state.
func (l listings) Versions(ctx context.Context, o retention.Owner, t retention.PackageType, name string, st retention.State) (inventory.List[retention.Version], error) {
	list, err := l.client.ListVersions(ctx, o, t, name, st)
	return inventory.List[retention.Version](list), err
}

// maxAhead is how far this machine's clock may be ahead of GitHub's when
// something is deleted: every age is measured by it.
const maxAhead = 10 * time.Minute

// clockAhead refuses to delete by a clock that makes everything look older than
// it is. A clock that is behind only keeps versions longer.
func (s *session) clockAhead() error {
	for _, a := range s.accesses {
		if skew := a.rest.Skew(); skew > maxAhead {
			return &codeError{code: exitHeld, err: fmt.Errorf(
				"this machine's clock is %s ahead of GitHub's, so versions look older than they are: nothing is deleted; set the clock and plan again", skew.Round(time.Second))}
		}
	}
	return nil
}

// governor is that of the owner's credential, shared with every other owner that
// uses the same one.
func (s *session) governor(o config.Owner) (*ghapp.Governor, error) {
	auth, err := s.cfg.Auth(o, s.getenv)
	if err != nil {
		return nil, usage(err)
	}
	var g *ghapp.Governor
	if auth.Kind == config.KindToken {
		g, err = s.rests.ForToken(s.cfg.API.GitHubURL, ghapp.NewToken(auth.Token.Reveal()))
	} else {
		g, err = s.rests.ForApp(s.cfg.API.GitHubURL, auth.AppID, auth.InstallationID, bound(o))
	}
	return g, usage(err)
}

// bound is the owner that a credential is made for.
func bound(o config.Owner) retention.Owner {
	if o.Login == config.Self {
		return retention.Owner{Kind: retention.User}
	}
	return o.Account()
}

func reserve(percent float64) int {
	if percent == 0 {
		return ghapp.Off
	}
	return int(percent + 0.5)
}

// isPause tells a rate limit, where stopping and going on later is right, from a
// request that failed.
func isPause(err error) bool {
	if _, ok := packages.RateLimitedUntil(err); ok {
		return true
	}
	return isA[*ghapp.PausedError](err)
}

// source opens the credential that the configuration names for an owner.
func (s *session) source(o config.Owner, conn ghapp.Connection) (ghapp.Source, error) {
	auth, err := s.cfg.Auth(o, s.getenv)
	if err != nil {
		return nil, usage(err)
	}
	if auth.Kind == config.KindToken {
		from := "GITHUB_TOKEN or GH_TOKEN"
		if o.Credentials != nil {
			from = o.Credentials.Secret
		}
		src, err := ghapp.NewTokenSource(ghapp.TokenOptions{Owner: bound(o), Token: ghapp.NewToken(auth.Token.Reveal()), From: from, Connection: conn})
		return src, usage(err)
	}
	if auth.PrivateKeyFile == "" {
		return nil, usagef("sign in for %s: the App's private key is missing; set private_key_file or SHELFLIFE_PRIVATE_KEY_FILE", o.Login)
	}
	key, err := ghapp.ReadPrivateKey(auth.PrivateKeyFile)
	if err != nil {
		return nil, usage(err)
	}
	src, err := ghapp.NewApp(ghapp.AppOptions{Owner: bound(o), AppID: auth.AppID, InstallationID: auth.InstallationID, Key: key, Connection: conn})
	return src, usage(err)
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
		out = append(out, enforce.Target{
			Owner: a.owner, Mode: s.cfg.ModeFor(o.Login), Limits: s.cfg.LimitsFor(o.Login), Types: o.Types, Match: o.Matches,
			Reader: a.reader, Looker: a.planning, Writer: a.acting, Calls: a.calls,
		})
	}
	return out, nil
}

// calls counts the requests made for the owner so far.
func (a *access) calls() guard.Calls {
	reads, writes := a.rest.Counts()
	return guard.Calls{REST: reads + writes, Registry: a.registry.Stats().Reads, Saved: a.reader.Saved()}
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
