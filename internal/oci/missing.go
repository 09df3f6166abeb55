package oci

import (
	"context"
	"fmt"
)

// maxUnlisted bounds how many children that the listing lacks are asked for in
// one reading of one package.
const maxUnlisted = 20_000

// checkMissing asks the registry for the children that are no active versions.
// What it does not have is missing; what it has although GitHub does not list
// it makes the package incomplete: the listing is not the whole.
//
// A 404 may also mean that the credential does not see the package. It counts
// only after the registry has shown, in this reading, that it serves another
// manifest of it.
func (s *session) checkMissing(ctx context.Context) {
	if s.isHalted() || ctx.Err() != nil {
		return
	}
	unlisted := s.unlistedChildren()
	if len(unlisted) > maxUnlisted {
		s.fail("", fmt.Sprintf("its indexes list %d children that are no versions; more than %d are not looked for", len(unlisted), maxUnlisted))
		return
	}
	each(s, unlisted, func(digest string) { s.checkChild(ctx, digest) })
	if s.isHalted() || ctx.Err() != nil || len(s.missing)+len(s.broken) == 0 || s.served || s.probe(ctx) {
		return
	}
	for d := range s.broken {
		s.fail(d, "the registry shows no manifest of this package, so its 404 proves nothing; "+
			"check that the credential can read the package (shelflife doctor)")
	}
	if len(s.missing) > 0 {
		s.fail("", fmt.Sprintf("%d children seem to be missing, but the registry shows no manifest of this package, so its 404s prove nothing; "+
			"check that the credential can read the package (shelflife doctor)", len(s.missing)))
	}
	clear(s.broken)
	clear(s.missing)
}

// unlistedChildren returns the children that are no active versions, each once,
// in the order of their indexes.
func (s *session) unlistedChildren() []string {
	var out []string
	seen := map[string]bool{}
	for _, v := range s.active {
		for _, c := range s.known[v.Name].Children {
			if _, listed := s.index[c.Digest]; listed || seen[c.Digest] || !c.maybeManifest() {
				continue
			}
			seen[c.Digest] = true
			out = append(out, c.Digest)
		}
	}
	return out
}

func (s *session) checkChild(ctx context.Context, digest string) {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	if ctx.Err() != nil {
		return
	}
	if s.isHalted() {
		s.fail(digest, "whether this child of an index is still there was not asked")
		return
	}
	there, err := s.repo.exists(ctx, digest)
	switch {
	case err != nil:
		s.requestFailed(ctx, digest, err)
	case there:
		s.fail(digest, "an index lists it and the registry has it, but GitHub does not list it as a version; the listing may be stale, run it again later")
		s.sawManifest()
	default:
		s.mu.Lock()
		s.missing[digest] = true
		s.mu.Unlock()
	}
}

// probe asks for a manifest that has been there before: one of those known
// from the cache.
func (s *session) probe(ctx context.Context) bool {
	for _, v := range s.active {
		if _, ok := s.known[v.Name]; !ok {
			continue
		}
		there, err := s.repo.exists(ctx, v.Name)
		if err != nil {
			s.requestFailed(ctx, v.Name, err)
		}
		return err == nil && there
	}
	return false
}
