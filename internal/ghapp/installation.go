package ghapp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// AppInfo is what GitHub says of the App itself.
type AppInfo struct {
	ID          int64
	Slug        string
	Name        string
	Permissions map[string]string // of the App; an installation may still have fewer
	Events      []string
	ClockSkew   time.Duration // GitHub's clock minus ours, to the second
}

// Installation is what GitHub says of the App's installation on the owner.
type Installation struct {
	ID                  int64
	Account             retention.Owner
	Permissions         map[string]string
	Events              []string
	RepositorySelection string    // all or selected
	SuspendedAt         time.Time // zero unless suspended
	ClockSkew           time.Duration
}

// AppInfo asks for the App itself (GET /app). Its errors are *AuthError,
// *PausedError or the context's.
func (a *AppSource) AppInfo(ctx context.Context) (AppInfo, error) {
	app, resp, err := a.client().Apps.Get(ctx, "")
	if err != nil {
		return AppInfo{}, a.failed(ctx, "read the App", err)
	}
	return AppInfo{
		ID: app.GetID(), Slug: app.GetSlug(), Name: app.GetName(),
		Permissions: permissionMap(app.Permissions), Events: app.Events,
		ClockSkew: skewOf(resp.Header, a.now()),
	}, nil
}

// Installation asks for the installation: by its id, or by the owner when none
// was configured. Its errors are those of AppInfo, and *ForeignOwnerError when
// the installation belongs to somebody else.
func (a *AppSource) Installation(ctx context.Context) (Installation, error) {
	owner := a.opts.Owner
	var inst *github.Installation
	var resp *github.Response
	var err error
	switch {
	case a.opts.InstallationID != 0:
		inst, resp, err = a.client().Apps.GetInstallation(ctx, a.opts.InstallationID)
	case owner.Kind == retention.User:
		inst, resp, err = a.client().Apps.FindUserInstallation(ctx, url.PathEscape(owner.Login))
	default:
		inst, resp, err = a.client().Apps.FindOrganizationInstallation(ctx, url.PathEscape(owner.Login))
	}
	if err != nil {
		return Installation{}, a.failed(ctx, "find the installation", err)
	}
	found := Installation{
		ID:                  inst.GetID(),
		Account:             accountOf(inst.GetAccount()),
		Permissions:         permissionMap(inst.Permissions),
		Events:              inst.Events,
		RepositorySelection: inst.GetRepositorySelection(),
		SuspendedAt:         inst.GetSuspendedAt().Time,
		ClockSkew:           skewOf(resp.Header, a.now()),
	}
	if found.ID <= 0 {
		return Installation{}, a.failed(ctx, "find the installation", errors.New("the answer holds no id"))
	}
	return found, checkOwner(owner, found.Account)
}

// confirmed returns the installation's id once GitHub has said whose it is.
func (a *AppSource) confirmed(ctx context.Context) (int64, error) {
	a.mu.Lock()
	id := a.installation
	a.mu.Unlock()
	if id != 0 {
		return id, nil
	}
	inst, err := a.Installation(ctx)
	if err != nil {
		return 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.installation = inst.ID
	return inst.ID, nil
}

func (a *AppSource) client() *github.Client {
	return newGitHubClient(a.jwt(), a.origin)
}

// newGitHubClient is for the few requests about credentials themselves.
func newGitHubClient(t http.RoundTripper, o origin) *github.Client {
	c := github.NewClient(&http.Client{Transport: bounded.Transport{Next: t}, CheckRedirect: checkRedirect})
	c.BaseURL = &url.URL{Scheme: o.scheme, Host: o.host, Path: o.path + "/"}
	return c
}

func (a *AppSource) now() time.Time { return a.opts.Connection.Governor.clock.Now() }

// failed wraps an error of a request as the App. Pauses, foreign owners and the
// context's end pass as they are: they are no fault of the credential.
func (a *AppSource) failed(ctx context.Context, op string, err error) error {
	a.mu.Lock()
	id := cmp.Or(a.installation, a.opts.InstallationID)
	a.mu.Unlock()
	out := &AuthError{Op: op, Owner: a.opts.Owner.Login, AppID: a.opts.AppID, InstallationID: id}
	var skew time.Duration
	var paused *PausedError
	var status *statusError
	var answer *github.ErrorResponse
	switch {
	case errors.As(err, &paused):
		return paused
	case ctx.Err() != nil:
		return &unsentError{context.Cause(ctx)}
	case errors.As(err, &status):
		out.Status, out.Message, skew = status.status, status.message, status.skew
	case errors.As(err, &answer) && answer.Response != nil:
		out.Status, out.Message = answer.Response.StatusCode, Redact(answer.Message)
		skew = skewOf(answer.Response.Header, a.now())
	default:
		out.Err = NewRedactor(a.opts.Key).Error(rootCause(err))
	}
	out.Skew, out.Next = skew, a.nextStep(out.Status, skew)
	return out
}

// rootCause strips the layers that only repeat what AuthError says itself.
func rootCause(err error) error {
	var m *ghinstallation.HTTPError
	if errors.As(err, &m) && m.RootCause != nil {
		err = m.RootCause
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// nextStep is what a person can do about a status.
func (a *AppSource) nextStep(status int, skew time.Duration) string {
	switch status {
	case 0:
		return "check the network and the API address " + a.origin.String()
	case http.StatusUnauthorized:
		next := fmt.Sprintf("check that the private key belongs to App id %d, and this machine's clock", a.opts.AppID)
		if skew.Abs() > 20*time.Second {
			next += fmt.Sprintf(" (GitHub's differs by %s)", skew)
		}
		return next
	case http.StatusForbidden:
		return "the installation may be suspended: look at the owner's installed GitHub Apps"
	case http.StatusNotFound:
		return fmt.Sprintf("the App is not installed on %s, the installation was removed, or the installation id is wrong", a.opts.Owner.Login)
	case http.StatusUnprocessableEntity:
		return "the installation was not granted the packages permission: grant it in the App's settings and have the owner accept it"
	}
	return "try again later; see https://www.githubstatus.com"
}

func accountOf(u *github.User) retention.Owner {
	owner := retention.Owner{Login: u.GetLogin(), Kind: retention.Organization, ID: retention.ID(u.GetID())}
	if u.GetType() == "User" {
		owner.Kind = retention.User
	}
	return owner
}

// permissionMap gives permissions the names they have on the wire.
func permissionMap(p *github.InstallationPermissions) map[string]string {
	out := map[string]string{}
	if p == nil {
		return out
	}
	raw, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic("permissions are a flat object of strings: " + err.Error())
	}
	return out
}
