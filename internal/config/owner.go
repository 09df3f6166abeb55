package config

import (
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Owner finds a configured owner by login, without regard to case.
func (c Config) Owner(login string) (Owner, bool) {
	for _, o := range c.Owners {
		if retention.SameLogin(o.Login, login) {
			return o, true
		}
	}
	return Owner{}, false
}

// Configured reports whether an event of an owner is ours. One of an App must come
// from the installation that the owner's credentials name, if they do;
// installation is 0 for a webhook that belongs to no App.
func (c Config) Configured(login string, installation int64) bool {
	o, ok := c.Owner(login)
	if !ok {
		return false
	}
	cred := o.Credentials
	return installation == 0 || cred == nil || cred.Kind != KindApp || cred.InstallationID == installation
}

// ModeFor returns the owner's own mode, or the file's where it has none. An
// owner that is not configured observes.
func (c Config) ModeFor(login string) retention.Mode {
	o, ok := c.Owner(login)
	switch {
	case !ok:
		return retention.Observe
	case o.Mode != nil:
		return *o.Mode
	}
	return c.Mode
}

// LimitsFor returns the limits that hold for an owner.
func (c Config) LimitsFor(login string) retention.Limits {
	o, _ := c.Owner(login)
	return o.Limits.Over(c.Limits)
}

// Account returns the owner in the vocabulary's form. Its ID is not known here.
func (o Owner) Account() retention.Owner { return retention.Owner{Login: o.Login, Kind: o.Kind} }

// Matches reports whether a package, named in full, is looked after. Excludes
// beat includes and do not regard case: they protect, so they err on that side.
func (o Owner) Matches(name string) bool {
	for _, glob := range o.Packages.Exclude {
		if ok, err := doublestar.Match(strings.ToLower(glob), strings.ToLower(name)); ok || err != nil {
			return false
		}
	}
	return slices.ContainsFunc(o.Packages.Include, func(glob string) bool { return matches(glob, name) })
}

// Covers reports whether a package type is looked after.
func (o Owner) Covers(t retention.PackageType) bool { return slices.Contains(o.Types, t) }

// Next returns the first time after t that the owner's schedule names, in the
// owner's time zone, or the zero time when the owner has no schedule.
func (o Owner) Next(t time.Time) time.Time {
	loc, err := time.LoadLocation(o.Timezone) // "" is UTC; Load has checked it
	if err != nil {
		return time.Time{}
	}
	return o.Schedule.Next(t.In(loc))
}

// matches treats a broken glob, which Load refuses, as one that matches nothing.
func matches(glob, name string) bool {
	ok, err := doublestar.Match(glob, name)
	return ok && err == nil
}

// complete fills in what an owner leaves out.
func (o *Owner) complete() {
	if o.Kind == "" {
		o.Kind = retention.Organization
	}
	if len(o.Types) == 0 {
		o.Types = retention.PackageTypes()
	}
	if len(o.Packages.Include) == 0 {
		o.Packages.Include = []string{"**"}
	}
}
