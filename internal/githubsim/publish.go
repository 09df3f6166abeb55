package githubsim

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Publication is a push: the versions that arrive together in one package. The
// package is made when it is not there. A version that names only a key that
// the package has (and tags) puts the tags on that digest; a tag that another
// version holds moves, which leaves the other untagged.
type Publication struct {
	Owner      string                `json:"owner"`
	Type       retention.PackageType `json:"package_type"`
	Package    string                `json:"package"`
	Visibility string                `json:"visibility,omitempty"` // of a new package; private when absent
	Repository string                `json:"repository,omitempty"` // of a new package
	Sender     string                `json:"sender,omitempty"`     // login; the owner's when absent
	Versions   []Version             `json:"versions"`             // created now, unless they say otherwise
}

// Published is one version that a publish made or retagged.
type Published struct {
	ID     int64    `json:"id"`
	Key    string   `json:"key"`
	Name   string   `json:"name"`
	Tags   []string `json:"tags"`
	Action string   `json:"action"` // published or updated, as the webhook says
}

// Publish carries out a push and announces each version over the webhook, one
// event per manifest, before it returns. What the receiver answers is in
// Deliveries and is no error here, as on GitHub.
func (s *Server) Publish(ctx context.Context, pub Publication) ([]Published, error) {
	out, events, err := s.publish(pub)
	if err != nil {
		return nil, fmt.Errorf("publish to %s/%s/%s: %w", pub.Owner, pub.Type, pub.Package, err)
	}
	for _, d := range events {
		s.deliver(ctx, d)
	}
	return out, nil
}

func (s *Server) publish(pub Publication) ([]Published, []*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	o := s.owner(pub.Owner)
	if o == nil {
		return nil, nil, errors.New("no such owner in the simulator")
	}
	if len(pub.Versions) == 0 {
		return nil, nil, errors.New("it has no versions")
	}
	p, isNew, err := s.target(o, pub, now)
	if err != nil {
		return nil, nil, err
	}
	fresh, retagged, err := p.sortOut(pub.Versions, now)
	if err != nil {
		return nil, nil, err
	}
	if isNew {
		s.nextPackage++
		o.packages = append(o.packages, p)
	}
	out := make([]Published, 0, len(pub.Versions))
	var events []*delivery
	for i, spec := range pub.Versions {
		v, action := fresh[i], "published"
		if v == nil {
			v, action = retagged[i], "updated"
			v.tags = append(v.tags, p.freeTags(v, spec.Tags, now)...)
			v.updated = stamp(now)
		} else {
			p.freeTags(v, v.tags, now)
			v.id = s.nextVersion
			s.nextVersion++
			p.versions = append(p.versions, v)
		}
		out = append(out, Published{ID: v.id, Key: v.key, Name: v.name, Tags: slices.Clone(v.tags), Action: action})
		events = append(events, s.announce(p, v, action, pub.Sender)...)
	}
	p.updated = stamp(now)
	p.sortVersions()
	p.recount()
	return out, events, nil
}

// target is the package that a push goes to, made where there is none.
func (s *Server) target(o *owner, pub Publication, now time.Time) (*pkg, bool, error) {
	if p := o.packageNamed(pub.Type, pub.Package); p != nil {
		return p, false, nil
	}
	spec := Package{Name: pub.Package, Type: pub.Type, Visibility: pub.Visibility, Repository: pub.Repository, ID: s.nextPackage}
	if !spec.Type.Valid() || spec.Name == "" {
		return nil, false, errors.New("package and package_type must be given")
	}
	if err := spec.check(); err != nil {
		return nil, false, err
	}
	p, err := newPackage(o, spec, now)
	return p, true, err
}

// sortOut tells new versions from retagged ones, by their place in specs, and
// makes the new ones. It changes nothing of the package that can be seen.
func (p *pkg) sortOut(specs []Version, now time.Time) (fresh, retagged map[int]*version, err error) {
	existing := map[string]bool{}
	for key := range p.built {
		existing[key] = true
	}
	if err := checkVersions(p.typ, specs, existing); err != nil {
		return nil, nil, err
	}
	fresh, retagged = map[int]*version{}, map[int]*version{}
	var made []Version
	var places []int
	for i, spec := range specs {
		there := p.find(func(v *version) bool { return v.key == spec.key() && v.active() })
		known := p.typ == retention.Container && existing[spec.key()]
		if (there != nil || known) && !spec.bare() {
			return nil, nil, fmt.Errorf("version %q is there already; give only its key and tags to move tags", spec.key())
		}
		if spec.Missing {
			return nil, nil, fmt.Errorf("version %q: a missing version cannot be published", spec.key())
		}
		if there != nil {
			retagged[i] = there
			continue
		}
		made, places = append(made, spec), append(places, i)
	}
	versions, err := p.makeVersions(made, now)
	if err != nil {
		return nil, nil, err
	}
	for n, v := range versions {
		if p.activeNamed(v.name) != nil {
			return nil, nil, fmt.Errorf("version %q: %s is there already", v.key, v.name)
		}
		fresh[places[n]] = v
	}
	return fresh, retagged, nil
}

// bare reports whether the version says nothing but key and tags.
func (v Version) bare() bool {
	v.Key, v.Tags = "", nil
	return reflect.DeepEqual(v, Version{})
}

// freeTags takes the tags from whoever holds them and returns those that v does
// not have yet.
func (p *pkg) freeTags(v *version, tags []string, now time.Time) []string {
	var missing []string
	for _, tag := range tags {
		if holder := p.activeTagged(tag); holder != nil && holder != v {
			holder.tags = slices.DeleteFunc(holder.tags, func(t string) bool { return t == tag })
			holder.updated = stamp(now)
		}
		if !slices.Contains(v.tags, tag) {
			missing = append(missing, tag)
		}
	}
	return missing
}
