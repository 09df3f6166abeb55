package ghapp

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// AppOptions say which App acts for which owner.
type AppOptions struct {
	Owner          retention.Owner
	AppID          int64
	InstallationID int64         // 0: found at first use
	Key            PrivateKey    // or Signer
	Signer         crypto.Signer // an RSA key that stays elsewhere, such as in KMS; wins over Key
	Connection     Connection
}

// AppSource is a GitHub App's installation on one owner. Each phase has a token
// of its own with no more than the permission it needs. At first use it asks
// GitHub whose the installation is, and refuses to mint when it is not the owner's.
type AppSource struct {
	opts   AppOptions
	origin origin
	signer *jwtSigner
	direct http.RoundTripper // for the App's own requests, outside the installation's quota
	phases map[Phase]*minter

	mu           sync.Mutex
	installation int64 // 0 until GitHub confirmed it
}

var _ Source = (*AppSource)(nil)

// NewApp checks the options and the key, and does not call GitHub.
func NewApp(opts AppOptions) (*AppSource, error) {
	if opts.AppID <= 0 {
		return nil, errors.New("GitHub App: no App id; it is on the App's settings page")
	}
	if opts.Owner.Login == "" {
		return nil, errors.New("GitHub App: no owner; an installation belongs to an organization or a named user")
	}
	o, err := opts.Connection.checked()
	if err != nil {
		return nil, err
	}
	key := opts.Signer
	if key == nil {
		if key, err = opts.Key.signer(); err != nil {
			return nil, fmt.Errorf("GitHub App %d: %w", opts.AppID, err)
		}
	}
	signer, err := newJWTSigner(key)
	if err != nil {
		return nil, fmt.Errorf("GitHub App %d: %w", opts.AppID, err)
	}
	// The App's own requests are few and have a quota of their own. Were they
	// to pass the installation's governor, a mint could wait for a place in
	// flight held by a request that waits for the mint.
	direct, err := NewGovernor(GovernorOptions{
		MaxInFlight: 4, WriteSpacing: Off, ReservePercent: Off,
		MaxWait: opts.Connection.Governor.opts.MaxWait,
		Clock:   opts.Connection.Governor.clock,
		Jitter:  opts.Connection.Governor.opts.Jitter,
		Observe: opts.Connection.Governor.opts.Observe,
	})
	if err != nil {
		return nil, err
	}
	a := &AppSource{opts: opts, origin: o, signer: signer, direct: direct.Wrap(opts.Connection.bottom())}
	a.phases = map[Phase]*minter{Planning: newMinter(a, Planning), Acting: newMinter(a, Acting)}
	return a, nil
}

// HTTP returns the governed transport with the token of the phase.
func (a *AppSource) HTTP(phase Phase, owner retention.Owner) (http.RoundTripper, error) {
	if err := checkOwner(a.opts.Owner, owner); err != nil {
		return nil, err
	}
	m, ok := a.phases[phase]
	if !ok {
		return nil, fmt.Errorf("credential for %s: phase %s", owner.Login, phase)
	}
	return a.opts.Connection.Governor.Wrap(&authTransport{
		origin: a.origin, owner: a.opts.Owner, phase: phase,
		token: m.token, renew: m.renew, next: a.opts.Connection.bottom(),
	}), nil
}

// RegistryAuth returns the planning token: the registry is only ever read.
func (a *AppSource) RegistryAuth(ctx context.Context, owner retention.Owner) (string, Secret, error) {
	if err := checkOwner(a.opts.Owner, owner); err != nil {
		return "", Secret{}, err
	}
	token, err := a.phases[Planning].token(ctx)
	if err != nil {
		return "", Secret{}, err
	}
	return "x-access-token", token.Secret, nil
}

// jwt returns a transport that authorizes as the App itself, towards the API only.
func (a *AppSource) jwt() http.RoundTripper {
	return &jwtTransport{origin: a.origin, app: a.newAppsTransport(a.direct), next: a.direct}
}

// newAppsTransport makes one per user: an installation's transport writes into
// the one it is made from, which must therefore not be shared.
func (a *AppSource) newAppsTransport(next http.RoundTripper) *ghinstallation.AppsTransport {
	t, err := ghinstallation.NewAppsTransportWithOptions(next, a.opts.AppID, ghinstallation.WithSigner(a.signer))
	if err != nil {
		panic("a signer was given: " + err.Error())
	}
	t.BaseURL = a.origin.String()
	return t
}

type jwtTransport struct {
	origin    origin
	app, next http.RoundTripper
}

func (t *jwtTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context()) // the App's transport writes into the header
	if !t.origin.holds(req.URL) {
		return t.next.RoundTrip(out)
	}
	return t.app.RoundTrip(out)
}
