package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/shelflife-dev/shelflife/internal/near"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// login is what GitHub takes as a login: up to 39 letters, digits and hyphens;
// an underscore where an enterprise adds its short code.
var login = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$`)

const maxGlob = 256

// validate checks what the types alone cannot. Values that failed to decode
// are not reported twice.
func (d *decoder) validate(c *Config) {
	if _, ok := d.at["version"]; !ok {
		d.failAt("version", "", "version is missing; write version: 1 at the top")
	} else if c.Version != 1 {
		d.failAt("version", "", "version %d is not known; this release reads version: 1", c.Version)
	}
	d.owners(c)
	d.checkPolicies(c)
	d.limits("limits", c.Limits)
	d.url("api.github_url", c.API.GitHubURL)
	d.url("api.registry_url", c.API.RegistryURL)
	if p := c.API.ReservePercent; p < 0 || p > 99 || p != p {
		d.failAt("api.reserve_percent", "", "reserve_percent must be from 0 to 99")
	}
	if n := c.API.MaxInFlight; n < 1 || n > 100 {
		d.failAt("api.max_in_flight", "", "max_in_flight must be from 1 to 100, the most that GitHub takes")
	}
	d.serve(&c.Serve)
	if c.PlanExpiry <= 0 {
		d.failAt("plan_expiry", "", "plan_expiry must be longer than nothing; write such as 24h")
	}
}

func (d *decoder) owners(c *Config) {
	firstAt := map[string]int{}
	for i, o := range c.Owners {
		path := index("owners", i)
		switch key := strings.ToLower(o.Login); {
		case o.Login == "":
			d.failAt(field(path, "login"), "", "the owner has no login; write login: NAME")
		case !login.MatchString(o.Login):
			d.failAt(field(path, "login"), "", "%s is not a GitHub login: up to 39 letters, digits and hyphens", quote(o.Login))
		case firstAt[key] > 0:
			d.failAt(field(path, "login"), "", "owner %s is already on line %d; keep one of them (GitHub does not regard case)", quote(o.Login), firstAt[key])
		default:
			firstAt[key] = d.at.value(d.file, field(path, "login")).Line
		}
		d.types(path, o.Types)
		d.globs(field(path, "packages.include"), o.Packages.Include)
		d.globs(field(path, "packages.exclude"), o.Packages.Exclude)
		if _, ok := d.at[field(path, "packages.include")]; ok && len(o.Packages.Include) == 0 {
			d.failAt(field(path, "packages.include"), "", "include is empty; leave it out to mean all packages")
		}
		for j, p := range o.PackageParams {
			at := index(field(path, "package_params"), j)
			if p.Packages == "" {
				d.failAt(field(at, "packages"), "", "these params name no packages; write packages: GLOB")
			} else {
				d.glob(field(at, "packages"), p.Packages)
			}
		}
		d.timezone(c, path, o)
		d.credentials(field(path, "credentials"), o.Credentials)
		if o.Limits != nil {
			d.limits(field(path, "limits"), o.Limits.Over(c.Limits))
		}
	}
	if len(c.Owners) == 0 {
		d.warn(c, "owners", "no owner is named: only those on the command line are looked after")
	}
}

func (d *decoder) types(path string, types []retention.PackageType) {
	path = field(path, "types")
	if _, ok := d.at[path]; ok && len(types) == 0 {
		d.failAt(path, "", "types is empty; leave it out to mean all six")
	}
	for i, t := range types {
		if t != "" && slices.Contains(types[:i], t) {
			d.failAt(index(path, i), "", "type %s is named twice; keep one", t)
		}
	}
}

func (d *decoder) globs(path string, globs []string) {
	for i, g := range globs {
		d.glob(index(path, i), g)
	}
}

func (d *decoder) glob(path, glob string) {
	if glob == "" || len(glob) > maxGlob || !doublestar.ValidatePattern(glob) {
		d.failAt(path, "", `%s is not a glob; write such as "team/**" or "*-preview", at most %d characters`, quote(glob), maxGlob)
	}
}

func (d *decoder) timezone(c *Config, path string, o Owner) {
	path = field(path, "timezone")
	if _, ok := d.at[path]; !ok {
		return
	}
	if _, err := time.LoadLocation(o.Timezone); err != nil || o.Timezone == "" || o.Timezone == "Local" {
		d.failAt(path, "", "%s is not an IANA time zone; write such as Europe/Oslo or UTC", quote(o.Timezone))
	} else if o.Schedule.IsZero() {
		d.warn(c, path, "timezone says nothing without a schedule")
	}
}

func (d *decoder) limits(path string, l retention.Limits) {
	for _, n := range []struct {
		key   string
		value int
	}{{"deletes_per_run", l.DeletesPerRun}, {"deletes_per_day", l.DeletesPerDay}} {
		if _, ok := d.at[field(path, n.key)]; ok && n.value < 0 {
			d.failAt(field(path, n.key), "", "%s cannot be negative; 0 deletes nothing", n.key)
		}
	}
	for _, p := range []struct {
		key   string
		value float64
	}{{"percent_of_package", l.PercentOfPackage}, {"percent_of_owner", l.PercentOfOwner}} {
		if _, ok := d.at[field(path, p.key)]; ok && !(p.value >= 0 && p.value <= 100) { // not a number fails too
			d.failAt(field(path, p.key), "", "%s must be a percentage from 0 to 100", p.key)
		}
	}
}

func (d *decoder) checkPolicies(c *Config) {
	p := &c.Policies
	_, builtinSaid := d.at["policies.builtin"]
	switch {
	case p.Bundle != "" && (p.Path != "" || p.Builtin):
		d.failAt("policies.bundle", "", "a bundle is all there is: take out path and builtin, or take out bundle")
	case p.Bundle == "" && p.VerificationKey != "":
		d.failAt("policies.verification_key", "", "verification_key is for a bundle, and there is none; take it out")
	case p.VerificationKey == "" && p.VerificationKeyID+p.VerificationScope != "":
		d.failAt("policies."+d.firstOf("policies", "verification_key_id", "verification_scope"), "", "verification_key_id and verification_scope are for a verification_key, and there is none; name one, or take them out")
	case p.Bundle == "" && p.BundleMaxAge != 0:
		d.failAt("policies.bundle_max_age", "", "bundle_max_age is for a bundle, and there is none; take it out")
	case p.Bundle == "" && p.Path == "" && builtinSaid && !p.Builtin:
		d.failAt("policies.builtin", "", "no policies are left; name a path or a bundle")
	case p.Bundle != "" && p.VerificationKey == "":
		d.warn(c, "policies.bundle", "the bundle is not verified: anybody who can write it decides what is deleted; set verification_key")
	}
	if p.Bundle == "" && p.Path == "" {
		p.Builtin = true
	}
	if scheme, _, ok := strings.Cut(p.Bundle, "://"); ok && scheme != "s3" && scheme != "https" {
		d.failAt("policies.bundle", near.First(scheme, []string{"s3", "https"}), "a bundle comes from s3://, https:// or a file, not from %s://", scheme)
	}
	if problem := bundleProblem(p.Bundle); problem != "" {
		d.failAt("policies.bundle", "", "bundle %s", problem)
	}
	if _, ok := d.at["policies.bundle_max_age"]; ok && p.BundleMaxAge == 0 && p.Bundle != "" {
		d.failAt("policies.bundle_max_age", "", "bundle_max_age 0 would refuse every kept bundle, and the first failure to fetch one would stop all; write such as 24h")
	}
	if _, ok := d.at["policies.only"]; ok && len(p.Only) == 0 {
		d.failAt("policies.only", "", "only is empty, so that no policy is left; leave it out to use all")
	}
}

// firstOf is the first of the keys that is written.
func (d *decoder) firstOf(path string, keys ...string) string {
	for _, key := range keys {
		if _, ok := d.at[field(path, key)]; ok {
			return key
		}
	}
	return keys[0]
}

// bundleProblem says what is wrong with a bundle's address beyond its scheme.
func bundleProblem(address string) string {
	if !strings.Contains(address, "://") {
		return ""
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "":
		return "is not an address of a file; write such as https://example.com/policies/bundle.tar.gz or s3://bucket/bundle.tar.gz"
	case u.User != nil:
		return "holds a user or password; take it out, since addresses are shown in output"
	}
	return ""
}

func (d *decoder) url(path, address string) {
	if problem := urlProblem(address); problem != "" {
		d.failAt(path, "", "%s %s", last(path), problem)
	}
}

// urlProblem says what is wrong with the address of a server that is sent
// credentials, "" if nothing is.
func urlProblem(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return "is not an address; write such as https://github.example.com/api/v3"
	case u.User != nil:
		return "holds a user or password; take it out, and replace it if this was shared"
	case u.RawQuery != "" || u.Fragment != "":
		return "has a query or a fragment; take it out"
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	case u.Scheme != "https":
		return "must start with https:// (http:// only for this machine): credentials are sent there"
	}
	return ""
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

func (d *decoder) warn(c *Config, path, message string) {
	c.Warnings = append(c.Warnings, Problem{Position: d.at.value(d.file, path), Message: message})
	sortProblems(c.Warnings)
}
