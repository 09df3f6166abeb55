package main

import (
	"context"
	"crypto"
	"errors"
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
	"github.com/shelflife-dev/shelflife/internal/redeliver"
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
	known  map[string]*connection // by what they are for
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

func (o *owners) connection(key string) *connection {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known[key] == nil {
		o.known[key] = &connection{}
	}
	return o.known[key]
}

// connect makes an owner's clients and asks GitHub who the owner is.
func (o *owners) connect(ctx context.Context, owner config.Owner) (*access.Access, error) {
	return o.fresh(ctx, owner.Login, owner, func(c access.Credential) (*access.Access, error) {
		return o.dialer.Connect(ctx, owner, c, owner.Kind)
	})
}

// dial makes an owner's clients for what concerns its App only.
func (o *owners) dial(ctx context.Context, owner config.Owner) (*access.Access, error) {
	return o.fresh(ctx, "the App of "+owner.Login, owner, func(c access.Credential) (*access.Access, error) {
		return o.dialer.Dial(owner, c)
	})
}

// fresh returns the clients kept under a key, or others when the owner's secrets
// have changed.
func (o *owners) fresh(ctx context.Context, key string, owner config.Owner, make func(access.Credential) (*access.Access, error)) (*access.Access, error) {
	c := o.connection(key)
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
		a, err := make(credential)
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

// redeliver goes through the failed deliveries of every App that owners are
// reached as.
func (o *owners) redeliver(ctx context.Context) (asked int, err error) {
	done := map[int64]bool{}
	var errs []error
	for _, owner := range o.settings.Config.Owners {
		if owner.Credentials == nil || owner.Credentials.Kind != config.KindApp {
			continue
		}
		a, err := o.dial(ctx, owner)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		app, ok := a.Source.(*ghapp.AppSource)
		if !ok || done[app.AppID()] {
			continue
		}
		done[app.AppID()] = true
		r := redeliver.Redeliverer{
			App: app.AppID(), Hook: app, Store: o.table, Window: redeliver.WindowOf(o.settings.Config.API.GitHubURL), Now: o.now, Log: o.log,
		}
		n, err := r.Run(ctx)
		asked, errs = asked+n, append(errs, err)
	}
	return asked, errors.Join(errs...)
}
