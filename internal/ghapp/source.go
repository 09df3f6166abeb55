package ghapp

import (
	"context"
	"fmt"
	"net/http"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Phase says what a credential may be used for. The zero Phase plans: it reads.
type Phase int

// The phases.
const (
	Planning Phase = iota // packages: read; writes are refused before they leave
	Acting                // packages: write
)

// String returns the phase's name.
func (p Phase) String() string {
	switch p {
	case Planning:
		return "planning"
	case Acting:
		return "acting"
	}
	return fmt.Sprintf("invalid(%d)", int(p))
}

// Source is where the credentials of one owner come from.
type Source interface {
	// HTTP returns the transport for the owner's packages in a phase: governed,
	// and authorized towards the configured API only. It does not call GitHub.
	// It returns a *ForeignOwnerError for any owner but the source's own.
	HTTP(phase Phase, owner retention.Owner) (http.RoundTripper, error)
	// RegistryAuth returns the user name and password with which the container
	// registry gives out tokens to read the owner's images.
	RegistryAuth(ctx context.Context, owner retention.Owner) (user string, secret Secret, err error)
}

// Connection is what sources of both kinds need to reach GitHub.
type Connection struct {
	BaseURL   string            // "" is https://api.github.com; https://HOST/api/v3 for GitHub Enterprise Server
	Transport http.RoundTripper // what sends in the end, usually BaseTransport
	Governor  *Governor         // of this credential
	UserAgent string            // UserAgent(version)
}

func (c Connection) checked() (origin, error) {
	if c.Transport == nil || c.Governor == nil || c.UserAgent == "" {
		return origin{}, fmt.Errorf("connection to GitHub: transport, governor and user agent are needed")
	}
	return parseOrigin(c.BaseURL)
}

// bottom is the lowest part of every chain: it names the program and lets no
// error out that holds a secret.
func (c Connection) bottom() http.RoundTripper {
	return &plainTransport{userAgent: c.UserAgent, next: c.Transport}
}
