package main

import (
	"context"
	"crypto"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/access"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/kmskeys"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secretstore"
)

// credentialTTL is how long a secret is used before it is read again, so that one
// that was rotated does not fail for longer.
const credentialTTL = 5 * time.Minute

// owners connects owners, and keeps their clients while their secrets stay what
// they are.
type owners struct {
	*parts
	env     func(string) string
	secrets *secretstore.Store
	dialer  access.Dialer

	mu     sync.Mutex
	known  map[string]*connection // by configured login
	signer crypto.Signer          // the App's key in KMS
}

// connection is one owner's clients, with what they were made of.
type connection struct {
	mu         sync.Mutex // held while connecting
	access     *access.Access
	credential access.Credential
	readAt     time.Time
	before     guard.Calls // of the clients that these took the place of
}

func newOwners(p *parts, env func(string) string, secrets *secretstore.Store, d access.Dialer) *owners {
	return &owners{parts: p, env: env, secrets: secrets, dialer: d, known: map[string]*connection{}}
}

// mode is the owner's, but no more than this deployment may do.
func (o *owners) mode(login string) retention.Mode {
	return min(o.settings.Config.ModeFor(login), o.settings.Mode)
}

// target connects one owner.
func (o *owners) target(ctx context.Context, owner config.Owner) (enforce.Target, error) {
	a, err := o.connect(ctx, owner)
	if err != nil {
		return enforce.Target{}, err
	}
	mode := o.mode(owner.Login)
	if mode == retention.Enforce {
		if err := a.CheckClock(); err != nil {
			return enforce.Target{}, err
		}
	}
	return a.Target(owner, mode, o.settings.Config.LimitsFor(owner.Login)), nil
}

func (o *owners) connection(login string) *connection {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known[login] == nil {
		o.known[login] = &connection{}
	}
	return o.known[login]
}

func (o *owners) connect(ctx context.Context, owner config.Owner) (*access.Access, error) {
	c := o.connection(owner.Login)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.access != nil && o.now().Sub(c.readAt) < credentialTTL {
		return c.access, nil
	}
	credential, err := o.credential(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("sign in for %s: %w", owner.Login, err)
	}
	if c.access == nil || !same(c.credential, credential) {
		a, err := o.dialer.Connect(ctx, owner, credential, owner.Kind)
		if err != nil {
			return nil, err
		}
		if c.access != nil {
			old := c.access.Calls()
			c.before.REST, c.before.Registry, c.before.Saved = c.before.REST+old.REST, c.before.Registry+old.Registry, c.before.Saved+old.Saved
		}
		c.access, c.credential = a, credential
	}
	c.readAt = o.now()
	return c.access, nil
}

// dial makes an owner's clients without asking GitHub who the owner is.
func (o *owners) dial(ctx context.Context, owner config.Owner) (*access.Access, error) {
	credential, err := o.credential(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("sign in for %s: %w", owner.Login, err)
	}
	return o.dialer.Dial(owner, credential)
}

func same(a, b access.Credential) bool {
	return a.Auth.Token.Equal(b.Auth.Token) && a.Key.Equal(b.Key.Secret) && a.Signer == b.Signer
}

// credential reads the secrets that an owner's credential takes.
func (o *owners) credential(ctx context.Context, owner config.Owner) (access.Credential, error) {
	cred := owner.Credentials
	if cred == nil || cred.Kind == config.KindToken {
		return o.token(ctx, owner)
	}
	auth, err := o.settings.Config.Auth(owner, o.env)
	if err != nil {
		return access.Credential{}, err
	}
	c := access.Credential{Auth: auth}
	if o.settings.AppKeySecret != "" {
		pem, err := o.secrets.Get(ctx, o.settings.AppKeySecret)
		if err != nil {
			return c, err
		}
		c.Key = ghapp.NewPrivateKey(pem.Reveal(), "secret "+o.settings.AppKeySecret)
		return c, nil
	}
	c.Signer, err = o.appSigner(ctx)
	return c, err
}

// token reads a personal access token from its secret. Without credentials of
// its own an owner uses GITHUB_TOKEN, if somebody put one into the environment.
func (o *owners) token(ctx context.Context, owner config.Owner) (access.Credential, error) {
	c := access.Credential{From: "GITHUB_TOKEN or GH_TOKEN"}
	value := ""
	if owner.Credentials != nil {
		c.From = "secret " + owner.Credentials.Secret
		s, err := o.secrets.Get(ctx, owner.Credentials.Secret)
		if err != nil {
			return c, err
		}
		value = s.Reveal()
	}
	var err error
	c.Auth, err = o.settings.Config.Auth(owner, func(string) string { return strings.TrimSpace(value) })
	return c, err
}

// appSigner asks KMS for the key's public half once.
func (o *owners) appSigner(ctx context.Context) (crypto.Signer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.signer == nil {
		s, err := kmskeys.NewSigner(ctx, o.keys, o.settings.AppKeyID)
		if err != nil {
			return nil, err
		}
		o.signer = s
	}
	return o.signer, nil
}
