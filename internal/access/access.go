package access

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/inventory/listings"
	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// registryInFlight is how many manifests are read at once: at 50 ms each, 400 of
// them then take well under a second.
const registryInFlight = 64

// Dialer makes owners' clients. All fields are required but MaxStaleness.
type Dialer struct {
	API          config.API
	MaxStaleness time.Duration // 0: inventory's default
	UserAgent    string
	Governors    *ghapp.Governors // one governor for each credential, whoever's owner uses it
	Ledger       inventory.Ledger
	Snapshots    inventory.Snapshots
	Manifests    oci.Cache
	Now          func() time.Time
}

// Credential is how to sign in for one owner, with the secrets that it takes.
type Credential struct {
	Auth   config.Auth
	From   string           // kind token: where the token comes from, for error messages
	Key    ghapp.PrivateKey // kind app: the App's key, or else
	Signer crypto.Signer    // one that stays elsewhere
}

// Access is one owner with the clients that its own credential gives.
type Access struct {
	Owner    retention.Owner // as configured; Identify asks GitHub
	Source   ghapp.Source
	Planning *packages.Client
	Acting   *packages.Client
	Reader   *inventory.Reader
	REST     *ghapp.Meter // what this owner asked of the API, where a governor is shared

	rest, registry *ghapp.Governor
	manifests      *oci.Reader
}

// SetupError says that the configuration or the credential can't be right: no
// call was made.
type SetupError struct{ Err error }

// Error is the text of what is wrong.
func (e *SetupError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *SetupError) Unwrap() error { return e.Err }

// Dial makes an owner's clients without a call. Its errors are *SetupError.
func (d Dialer) Dial(o config.Owner, c Credential) (*Access, error) {
	a, err := d.dial(o, c)
	if err != nil {
		return nil, &SetupError{err}
	}
	return a, nil
}

func (d Dialer) dial(o config.Owner, c Credential) (*Access, error) {
	base := ghapp.BaseTransport()
	rest, err := d.governor(o, c.Auth)
	if err != nil {
		return nil, err
	}
	opts := ghapp.RegistryGovernorOptions()
	opts.MaxInFlight = registryInFlight
	registry, err := ghapp.NewGovernor(opts)
	if err != nil {
		return nil, err
	}
	account := Bound(o)
	a := &Access{Owner: account, REST: ghapp.NewMeter(base, d.Now), rest: rest, registry: registry}
	conn := ghapp.Connection{BaseURL: d.API.GitHubURL, Transport: a.REST, Governor: rest, UserAgent: d.UserAgent}
	if a.Source, err = source(o, c, conn); err != nil {
		return nil, err
	}
	clients := map[ghapp.Phase]**packages.Client{ghapp.Planning: &a.Planning, ghapp.Acting: &a.Acting}
	for phase, client := range clients {
		hc, err := ghapp.NewHTTPClient(a.Source, phase, account)
		if err != nil {
			return nil, err
		}
		if *client, err = packages.New(hc, d.API.GitHubURL, packages.WithParallelPages(10), packages.WithClock(d.Now)); err != nil {
			return nil, err
		}
	}
	a.manifests, err = oci.New(oci.Options{
		Client:   &http.Client{Transport: ghapp.NewRegistryTransport(base, registry, d.UserAgent)},
		Registry: d.API.RegistryURL,
		Credential: func(ctx context.Context, _ string) (string, error) {
			_, secret, err := a.Source.RegistryAuth(ctx, account)
			return secret.Reveal(), err
		},
		Cache: d.Manifests, Now: d.Now, IsPause: IsPause,
	})
	if err != nil {
		return nil, err
	}
	a.Reader, err = inventory.New(inventory.Config{
		GitHub: listings.Of(a.Planning), Graphs: a.manifests, Ledger: d.Ledger, Snapshots: d.Snapshots,
		Now: d.Now, MaxStaleness: d.MaxStaleness, IsPause: IsPause,
	})
	return a, err
}

// governor is that of the owner's credential, shared with every other owner that
// uses the same one.
func (d Dialer) governor(o config.Owner, auth config.Auth) (*ghapp.Governor, error) {
	if auth.Kind == config.KindToken {
		return d.Governors.ForToken(d.API.GitHubURL, ghapp.NewToken(auth.Token.Reveal()))
	}
	return d.Governors.ForApp(d.API.GitHubURL, auth.AppID, auth.InstallationID, Bound(o))
}

// source opens the credential.
func source(o config.Owner, c Credential, conn ghapp.Connection) (ghapp.Source, error) {
	if c.Auth.Kind == config.KindToken {
		return ghapp.NewTokenSource(ghapp.TokenOptions{Owner: Bound(o), Token: ghapp.NewToken(c.Auth.Token.Reveal()), From: c.From, Connection: conn})
	}
	return ghapp.NewApp(ghapp.AppOptions{
		Owner: Bound(o), AppID: c.Auth.AppID, InstallationID: c.Auth.InstallationID, Key: c.Key, Signer: c.Signer, Connection: conn,
	})
}

// Bound is the owner that a credential is made for.
func Bound(o config.Owner) retention.Owner {
	if o.Login == config.Self {
		return retention.Owner{Kind: retention.User}
	}
	return o.Account()
}

// Connect dials and asks GitHub who the owner is; kind "" finds that out as well.
// config.Self becomes the credential's own user, like any other user from then
// on, since everything that is kept goes by the login.
func (d Dialer) Connect(ctx context.Context, o config.Owner, c Credential, kind retention.OwnerKind) (*Access, error) {
	a, err := d.Dial(o, c)
	if err != nil {
		return nil, err
	}
	if o.Login == config.Self {
		me, err := a.Planning.Owner(ctx, "", retention.User)
		if err != nil {
			return nil, fmt.Errorf("who the credential belongs to: %w", err)
		}
		o.Login, o.Kind, kind = me.Login, retention.User, retention.User
		if a, err = d.Dial(o, c); err != nil {
			return nil, err
		}
	}
	if a.Owner, err = a.Planning.Owner(ctx, o.Login, kind); err != nil {
		return nil, err // it names the owner
	}
	return a, nil
}

// Target is the owner as enforce works on it.
func (a *Access) Target(o config.Owner, mode retention.Mode, limits retention.Limits) enforce.Target {
	return enforce.Target{
		Owner: a.Owner, Mode: mode, Limits: limits, Types: o.Types, Match: o.Matches,
		Reader: a.Reader, Looker: a.Planning, Writer: a.Acting, Calls: a.Calls,
	}
}

// Calls counts the requests made for the owner so far.
func (a *Access) Calls() guard.Calls {
	reads, writes := a.REST.Counts()
	return guard.Calls{REST: reads + writes, Registry: a.registry.Stats().Reads, Saved: a.Reader.Saved()}
}

// ManifestReads counts the manifests that the registry was asked for so far.
func (a *Access) ManifestReads() int { return a.manifests.Calls().Manifest }

// CheckRegistry reads one manifest from the registry itself, whatever is cached.
func (a *Access) CheckRegistry(ctx context.Context, pkg, digest string) error {
	return a.manifests.Check(ctx, a.Owner.Login, pkg, digest)
}

// Stats are the figures of the credential's governor.
func (a *Access) Stats() ghapp.Stats { return a.rest.Stats() }

// maxAhead is how far this machine's clock may be ahead of GitHub's when
// something is deleted: every age is measured by it.
const maxAhead = 10 * time.Minute

// ErrClock refuses to delete by a clock that makes everything look older than it is.
var ErrClock = errors.New("this machine's clock is ahead of GitHub's")

// CheckClock returns an error that is ErrClock when this machine's clock was far
// ahead of GitHub's at the last answer. A clock that is behind only keeps
// versions longer.
func (a *Access) CheckClock() error {
	skew := a.REST.Skew()
	if skew <= maxAhead {
		return nil
	}
	return &clockError{skew.Round(time.Second)}
}

type clockError struct{ skew time.Duration }

func (e *clockError) Error() string {
	return fmt.Sprintf("this machine's clock is %s ahead of GitHub's, so versions look older than they are: nothing is deleted; set the clock and plan again", e.skew)
}

func (e *clockError) Is(target error) bool { return target == ErrClock }

// IsPause tells a rate limit, where stopping and going on later is right, from a
// request that failed.
func IsPause(err error) bool {
	if _, ok := packages.RateLimitedUntil(err); ok {
		return true
	}
	_, ok := errors.AsType[*ghapp.PausedError](err)
	return ok
}

// Reserve is the governor's option for a configured percentage, where 0 is none.
func Reserve(percent float64) int {
	if percent == 0 {
		return ghapp.Off
	}
	return int(percent + 0.5)
}
