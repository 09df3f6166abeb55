package oci

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// holding is what the indexes of the package say of one child.
type holding struct {
	descriptor
	subject string // of the first fallback index that lists it
	index   bool   // listed at all
}

// nodes makes the nodes of the active versions, newest first. A child that an
// index describes is told by that description even where its own manifest is
// known, so that the same package gives the same nodes whatever the cache
// held; only an index that is passed off as an image, and a subject field, are
// taken from the manifest, since they protect other versions.
func (s *session) nodes() []retention.Node {
	held := s.holdings()
	out := make([]retention.Node, 0, len(s.active))
	for _, v := range s.active {
		n := retention.Node{Digest: v.Name, Kind: retention.KindUnknown}
		rec, known := s.known[v.Name]
		h := held[v.Name]
		switch {
		case h.index && h.describes() && rec.Kind != retention.KindIndex:
			n.Kind, n.MediaType, n.ArtifactType, n.SizeBytes = h.kind(), h.MediaType, h.ArtifactType, h.Size
			if n.Kind == retention.KindImage && h.subject != "" && h.Platform == "" {
				n.Kind = retention.KindUnknown // a referrer whose index does not say what it is
			}
		case known:
			n.Kind, n.MediaType, n.ArtifactType, n.SizeBytes = rec.Kind, rec.MediaType, rec.ArtifactType, rec.Size
			n.Children, n.Missing = s.children(rec)
		}
		if n.Kind == retention.KindImage && h.Platform != platformUnstated {
			n.Platform = h.Platform
		}
		for _, tag := range v.Referrers {
			if _, suffix, ok := retention.ReferrerTag(tag); ok {
				n.Kind = suffixKind(suffix, n.Kind)
			}
		}
		n.Subject, n.MoreSubjects = s.subjects(v, rec, h)
		out = append(out, n)
	}
	return out
}

// holdings collects, for each listed child, what its newest index says of it.
func (s *session) holdings() map[string]holding {
	held := map[string]holding{}
	for _, v := range s.active {
		subject := fallbackSubject(v)
		for _, c := range s.known[v.Name].Children {
			if _, listed := s.index[c.Digest]; !listed {
				continue
			}
			h := held[c.Digest]
			if !h.index {
				h = holding{descriptor: c, index: true}
			}
			if h.subject == "" {
				h.subject = subject
			}
			held[c.Digest] = h
		}
	}
	return held
}

// children returns the digests of a record's children and those of them that
// are missing. Entries that are neither versions nor typed as manifests are
// blobs that a cache index lists, and no children.
func (s *session) children(rec record) (children, missing []string) {
	seen := map[string]bool{}
	for _, c := range rec.Children {
		_, listed := s.index[c.Digest]
		if seen[c.Digest] || !listed && !c.maybeManifest() {
			continue
		}
		seen[c.Digest] = true
		children = append(children, c.Digest)
		if s.missing[c.Digest] {
			missing = append(missing, c.Digest)
		}
	}
	return children, missing
}

// subjects are the digests that a version refers to: by its manifest's subject
// field, by its referrer tags, or as an entry of a fallback index. Those that are
// there come first.
func (s *session) subjects(v retention.Version, rec record, h holding) (first string, more []string) {
	var all []string
	if rec.Subject != "" {
		all = append(all, rec.Subject)
	}
	for _, tag := range v.Referrers {
		if d, _, ok := retention.ReferrerTag(tag); ok && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	if len(all) == 0 {
		return h.subject, nil
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(s.rank(a, v), s.rank(b, v)) })
	if len(all) > 1 {
		more = all[1:]
	}
	return all[0], more
}

// rank puts subjects that are there before those that are not, and before itself.
func (s *session) rank(digest string, v retention.Version) int {
	if _, there := s.index[digest]; there && digest != v.Name {
		return 0
	}
	return 1
}

// fallbackSubject is the manifest whose referrers an index with a fallback tag
// (OCI distribution specification, "Referrers Tag Schema") lists.
func fallbackSubject(v retention.Version) string {
	for _, tag := range v.Referrers {
		if d, suffix, ok := retention.ReferrerTag(tag); ok && suffix == "" {
			return d
		}
	}
	return ""
}

// checkDepth reports indexes that are nested deeper than the limit.
func (s *session) checkDepth() {
	nested := map[string][]string{} // index → indexes it lists
	for d, rec := range s.known {
		for _, c := range rec.Children {
			if child, ok := s.known[c.Digest]; ok && child.Kind == retention.KindIndex {
				nested[d] = append(nested[d], c.Digest)
			}
		}
	}
	height := map[string]int{}
	for range s.r.limits.Depth + 1 {
		grown := map[string]int{}
		for d, children := range nested {
			for _, c := range children {
				grown[d] = max(grown[d], height[c]+1)
			}
		}
		height = grown
	}
	for d, h := range height {
		if h > s.r.limits.Depth {
			s.fail(d, fmt.Sprintf("indexes are nested more than %d deep below it, the limit", s.r.limits.Depth))
		}
	}
}
