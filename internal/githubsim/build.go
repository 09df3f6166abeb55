package githubsim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	firstPackageID = 10_001
	firstVersionID = 100_001
)

// build fills the server from a checked seed.
func (s *Server) build(seed Seed) error {
	now := s.now()
	for _, spec := range seed.Owners {
		o := &owner{id: spec.ID, login: spec.Login, kind: cmp.Or(spec.Kind, retention.Organization)}
		if o.id == 0 {
			o.id = stableID(strings.ToLower(o.login))
		}
		s.owners[strings.ToLower(o.login)] = o
		s.ownerOrder = append(s.ownerOrder, o)
		for _, p := range spec.Packages {
			built, err := newPackage(o, p, now)
			if err != nil {
				return fmt.Errorf("%s/%s/%s: %w", o.login, p.Type, p.Name, err)
			}
			o.packages = append(o.packages, built)
		}
	}
	return s.assignIDs()
}

// assignIDs gives ids to what has none. Versions get theirs in the order of
// their creation over all owners, so that a higher id is a newer version.
func (s *Server) assignIDs() error {
	s.nextPackage, s.nextVersion = firstPackageID, firstVersionID
	var fresh []*version
	seen := map[int64]bool{}
	for _, o := range s.ownerOrder {
		for _, p := range o.packages {
			if p.id == 0 {
				p.id = s.nextPackage
			}
			s.nextPackage = max(s.nextPackage, p.id) + 1
			for _, v := range p.versions {
				if v.id == 0 {
					fresh = append(fresh, v)
					continue
				}
				if seen[v.id] {
					return fmt.Errorf("%s/%s: version id %d is there twice", o.login, p.name, v.id)
				}
				seen[v.id] = true
			}
		}
	}
	slices.SortStableFunc(fresh, func(a, b *version) int { return a.created.Compare(b.created) })
	for _, v := range fresh {
		for seen[s.nextVersion] {
			s.nextVersion++
		}
		v.id = s.nextVersion
		s.nextVersion++
	}
	for id := range seen {
		s.nextVersion = max(s.nextVersion, id+1)
	}
	for _, o := range s.ownerOrder {
		for _, p := range o.packages {
			p.sortVersions()
		}
	}
	return nil
}

func newPackage(o *owner, spec Package, now time.Time) (*pkg, error) {
	p := &pkg{
		owner: o, id: spec.ID, name: spec.Name, typ: spec.Type,
		visibility: cmp.Or(spec.Visibility, "private"), repository: spec.Repository,
		deleted: spec.DeletedAt.resolve(now, time.Time{}), claimed: spec.VersionCount,
		built: map[string]content{}, blobs: map[string][]byte{},
	}
	made, err := p.makeVersions(spec.Versions, now)
	if err != nil {
		return nil, err
	}
	p.versions = made
	for _, v := range made {
		if p.created.IsZero() || v.created.Before(p.created) {
			p.created = v.created
		}
		if v.updated.After(p.updated) {
			p.updated = v.updated
		}
	}
	if p.created.IsZero() {
		p.created, p.updated = now.UTC().Truncate(time.Second), now.UTC().Truncate(time.Second)
	}
	p.created = spec.CreatedAt.resolve(now, p.created)
	p.updated = spec.UpdatedAt.resolve(now, p.updated)
	p.recount()
	return p, nil
}

// makeVersions turns checked specs into versions with their manifests. It does
// not add the versions to the package; their manifests and blobs are added when
// all could be made.
func (p *pkg) makeVersions(specs []Version, now time.Time) ([]*version, error) {
	b := contentBuilder{path: p.owner.login + "/" + p.name, specs: map[string]Version{}, built: maps.Clone(p.built), blobs: maps.Clone(p.blobs)}
	for _, spec := range specs {
		b.specs[spec.key()] = spec
	}
	digests, tagged := map[string]string{}, map[string]string{}
	var made []*version
	for _, spec := range specs {
		created := spec.CreatedAt.resolve(now, now.UTC().Truncate(time.Second))
		v := &version{
			id: spec.ID, key: spec.key(), name: spec.Name, tags: slices.Clone(spec.Tags),
			created: created, updated: spec.UpdatedAt.resolve(now, created), deleted: spec.DeletedAt.resolve(now, time.Time{}),
			license: spec.License, description: spec.Description, downloads: spec.Downloads,
		}
		if p.typ == retention.Container {
			c, err := b.build(v.key)
			if err != nil {
				return nil, err
			}
			if other, taken := digests[c.digest()]; taken {
				return nil, fmt.Errorf("versions %q and %q have the same content and so the same digest; give them different children or platforms", other, v.key)
			}
			digests[c.digest()] = v.key
			v.name, v.manifest = c.digest(), &c
			if v.tags, err = b.referrerTags(c.spec, v.tags); err != nil {
				return nil, err
			}
		}
		for _, tag := range v.tags {
			if other, taken := tagged[tag]; taken && v.active() {
				return nil, fmt.Errorf("version %q: tag %q is also that of %q", v.key, tag, other)
			}
			if v.active() {
				tagged[tag] = v.key
			}
		}
		if !spec.Missing {
			made = append(made, v)
		}
	}
	p.built, p.blobs = b.built, b.blobs
	return made, nil
}

// referrerTags adds the tag by which cosign, or the fallback of the OCI
// distribution specification, attaches spec to what it is about.
func (b *contentBuilder) referrerTags(spec Version, tags []string) ([]string, error) {
	for of, suffix := range map[string]string{
		spec.CosignSignatureOf:   ".sig",
		spec.CosignAttestationOf: ".att",
		spec.CosignSBOMOf:        ".sbom",
		spec.FallbackReferrersOf: "",
	} {
		if of == "" {
			continue
		}
		c, err := b.build(of)
		if err != nil {
			return nil, err
		}
		tags = append(tags, strings.Replace(c.digest(), ":", "-", 1)+suffix)
	}
	return tags, nil
}
