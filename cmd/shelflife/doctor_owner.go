package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/doctor"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// patient is one owner that is being looked at.
type patient struct {
	*diagnosis
	s         *session
	config    config.Owner
	enforcing bool
}

func (p *patient) check(what string) string { return p.config.Login + ": " + what }

// found notes a condition of this owner.
func (p *patient) found(what string, code doctor.Code, detail string) {
	p.Found(p.check(what), code, p.enforcing, detail)
}

// owner checks what the owner's credential can do, from the outside in; what
// needs an earlier step that failed is left out.
func (d *diagnosis) owner(ctx context.Context, s *session, o config.Owner) {
	p := &patient{diagnosis: d, s: s, config: o, enforcing: s.cfg.ModeFor(o.Login) == retention.Enforce}
	acc, err := s.dial(o)
	if err != nil {
		d.failed(p.check("credential"), p.ofDialling(), err)
		return
	}
	if !p.credential(ctx, acc) {
		return
	}
	if acc, err = s.connect(ctx, o); err != nil {
		d.failure(p.check("owner"), err)
		return
	}
	d.OK(p.check("owner"), "%s %s, id %s", acc.owner.Kind, acc.owner.Login, acc.owner.ID)
	listing, err := acc.reader.List(ctx, acc.owner, o.Types)
	if err != nil {
		d.failure(p.check("list packages"), err)
		return
	}
	p.Unread(p.check("list packages"), doctor.PackagesForbidden, details(listing.Problems)...)
	if len(listing.Packages) == 0 {
		if len(listing.Problems) > 0 {
			return // they say why there is none
		}
		p.found("list packages", doctor.PackagesInvisible, "")
		return
	}
	d.OK(p.check("list packages"), "%s visible", plural(len(listing.Packages), "package"))
	p.readOne(ctx, acc, listing.Packages)
}

// ofDialling tells a key that can't be read from a credential that isn't there:
// nothing was asked of GitHub yet.
func (p *patient) ofDialling() doctor.Code {
	if c := p.config.Credentials; c != nil && c.Kind == config.KindApp {
		if auth, err := p.s.cfg.Auth(p.config, p.getenv); err == nil && auth.PrivateKeyFile != "" {
			return doctor.AppKeyUnusable
		}
	}
	return doctor.CredentialMissing
}

// readOne reads one package of the listing, a container if there is one, since
// that takes the registry too.
func (p *patient) readOne(ctx context.Context, acc *access, list []retention.Package) {
	pkg := list[0]
	if i := slices.IndexFunc(list, func(p retention.Package) bool { return p.Type == retention.Container }); i >= 0 {
		pkg = list[i]
	}
	before := acc.ManifestReads()
	inv, err := acc.reader.Read(ctx, acc.owner, pkg, inventory.Options{Fresh: true})
	what := "read " + string(pkg.Type) + "/" + pkg.Name
	if err == nil && inv.Complete && pkg.Type == retention.Container && acc.ManifestReads() == before {
		err = p.askRegistry(ctx, acc, inv)
	}
	switch {
	case isA[*registryError](err):
		p.unread(ctx, p.check(what), []string{err.Error()})
	case err != nil:
		p.failure(p.check(what), err)
	case !inv.Complete:
		p.unread(ctx, p.check(what), details(inv.Problems))
	case pkg.Type == retention.Container:
		p.OK(p.check(what), "%s, %s", plural(len(inv.Versions), "version"), plural(inv.Graph.Len(), "manifest"))
	default:
		p.OK(p.check(what), "%s; no container package, so the registry was not tried", plural(len(inv.Versions), "version"))
	}
}

func details(problems []retention.Problem) []string {
	out := make([]string, len(problems))
	for i, problem := range problems {
		out[i] = problem.Detail
	}
	return out
}

// registryError is what the registry said to a question past the cache.
type registryError struct{ error }

// askRegistry reads one manifest from the registry after a reading that the
// digest cache answered: it says nothing of the registry. One, since every
// manifest that is read counts as a download.
func (p *patient) askRegistry(ctx context.Context, acc *access, inv retention.Inventory) error {
	i := slices.IndexFunc(inv.Versions, retention.Version.IsActive)
	if i < 0 {
		return nil
	}
	err := acc.CheckRegistry(ctx, inv.Package.Name, inv.Versions[i].Name)
	if err == nil || doctor.Classify(err) == doctor.RateLimited {
		return err
	}
	return &registryError{err}
}

// unread notes what was not read of a package; what is the registry's doing is
// put down to it.
func (p *patient) unread(ctx context.Context, check string, problems []string) {
	var manifests, others []string
	for _, problem := range problems {
		if strings.Contains(problem, "manifest") {
			manifests = append(manifests, problem)
		} else {
			others = append(others, problem)
		}
	}
	p.Unread(check, doctor.PackageUnreadable, others...)
	if len(manifests) > 0 {
		p.Unread(check, p.ofManifests(ctx, strings.Join(manifests, "\n")), manifests...)
	}
}

// ofManifests asks the registry itself whether it is there, before it puts what
// was not read down to rights.
func (p *patient) ofManifests(ctx context.Context, details string) doctor.Code {
	if !p.registryAnswers(ctx) {
		return doctor.RegistryUnreachable
	}
	for _, refusal := range []string{"answered 401", "answered 403", "denied"} {
		if strings.Contains(details, refusal) {
			return doctor.RegistryDenied
		}
	}
	return doctor.PackageUnreadable
}

func (p *patient) registryAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(p.s.cfg.API.RegistryURL, "/")+"/v2/", nil)
	if err != nil {
		return false
	}
	resp, err := (&http.Client{Transport: ghapp.BaseTransport()}).Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode < http.StatusInternalServerError
}

// credential says what GitHub thinks of the credential; false means that it is of
// no use, so that nothing else has to be tried with it.
func (p *patient) credential(ctx context.Context, acc *access) bool {
	switch src := acc.source.(type) {
	case *ghapp.TokenSource:
		info, err := src.Scopes(ctx)
		if err != nil {
			p.failure(p.check("credential"), err)
			return false
		}
		p.scopes(info)
		p.skew(info.ClockSkew)
	case *ghapp.AppSource:
		inst, err := src.Installation(ctx)
		if err != nil {
			p.failure(p.check("credential"), err)
			return false
		}
		if !p.installation(inst) {
			return false
		}
		p.skew(inst.ClockSkew)
		p.deliveries(ctx, src)
	}
	return true
}

// skew compares the clocks where nothing has failed for them yet.
func (p *patient) skew(skew time.Duration) {
	switch {
	case skew < -doctor.MaxSkew:
		p.found("clock", doctor.ClockAhead, fmt.Sprintf("by %s: versions look older than they are, App tokens are refused, and beyond ten minutes nothing is deleted", -skew.Round(time.Second)))
	case skew > doctor.MaxSkew:
		p.found("clock", doctor.ClockBehind, fmt.Sprintf("by %s: versions look younger than they are, and App tokens are refused", skew.Round(time.Second)))
	}
}

// soon is how long before a token's end it is spoken of.
const soon = 14 * 24 * time.Hour

func (p *patient) scopes(info ghapp.TokenInfo) {
	if left := info.ExpiresAt.Sub(p.s.now()); !info.ExpiresAt.IsZero() && left < soon {
		p.found("credential", doctor.TokenExpires, "at "+info.ExpiresAt.UTC().Format(time.RFC3339))
	}
	if len(info.Scopes) == 0 {
		p.found("credential", doctor.TokenUnscoped, "a token of "+info.Login)
		return
	}
	p.OK(p.check("credential"), "a classic token of %s with %s", info.Login, strings.Join(info.Scopes, ", "))
	has := func(scope string) bool { return slices.Contains(info.Scopes, scope) }
	if !has("read:packages") && !has("write:packages") {
		p.found("credential", doctor.TokenNoRead, "")
	}
	if !has("delete:packages") {
		p.found("credential", doctor.TokenNoDelete, "")
	}
	if !has("write:packages") {
		p.found("credential", doctor.TokenNoWrite, "")
	}
}

// installation says what the App may do there; false when it may do nothing.
func (p *patient) installation(inst ghapp.Installation) bool {
	if !inst.SuspendedAt.IsZero() {
		p.found("credential", doctor.InstallationPaused, "since "+inst.SuspendedAt.UTC().Format(time.RFC3339))
		return false
	}
	level := inst.Permissions["packages"]
	if level == "" {
		p.found("credential", doctor.PermissionMissing, "")
		return false
	}
	p.OK(p.check("credential"), "installation %d of the App on %s, packages: %s", inst.ID, inst.Account.Login, level)
	if level != "write" && level != "admin" {
		p.found("credential", doctor.PermissionReadOnly, "")
	}
	if !slices.Contains(inst.Events, "package") && !slices.Contains(inst.Events, "registry_package") {
		p.found("credential", doctor.EventMissing, "")
	}
	p.Remark(p.check("credential"), "GitHub's description of the Packages API says that it takes no App tokens; field reports differ. What works is shown below; see docs/github-setup.md")
	return true
}

// deliveries looks at what became of the webhook's newest deliveries.
func (p *patient) deliveries(ctx context.Context, src *ghapp.AppSource) {
	list, configured, err := src.Deliveries(ctx)
	if err != nil {
		p.failure(p.check("webhook"), err)
		return
	}
	if !configured || len(list) == 0 {
		return
	}
	failed := 0
	for _, d := range list {
		if d.Delivered() {
			break
		}
		failed++
	}
	if failed == 0 {
		p.OK(p.check("webhook"), "the newest delivery arrived at %s", list[0].At.UTC().Format(time.RFC3339))
		return
	}
	p.found("webhook", doctor.WebhookFailing, fmt.Sprintf("the newest %d in a row, last at %s: %s", failed, list[0].At.UTC().Format(time.RFC3339), list[0].Status))
}

// errNothingDone is what a probe says when no item says more.
var errNothingDone = errors.New("nothing was done")
