package oci

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// pushSpan is how long pushing one multi-platform image may take, from its
// first child to its index: jobs that build one platform each and merge them
// at the end need minutes.
const pushSpan = 10 * time.Minute

// platformTag matches tags that name a platform (1.2.3-amd64, arm64v8-latest):
// their manifests are mostly children of an index that is tagged without it.
var platformTag = regexp.MustCompile(`(?i)(?:^|[-_.])(?:amd64|x86[-_]?64|arm64(?:v?8)?|aarch64|arm|armhf|armel|arm32v[5-8]|armv[5-8]l?|i?386|i[56]86|ppc64(?:le|el)?|s390x|riscv64|mips(?:64)?(?:le|el)?|loong(?:arch)?64)(?:$|[-_.])`)

// fetchAll reads every active version that is not known and that no known
// index describes, with as few calls as can be.
//
// A child needs no call once its index is read, but nothing says beforehand
// which version is an index. So: tagged versions first, all at once, since
// what is tagged is mostly a root; those tagged for one platform after them;
// then the untagged ones newest first, because an index is pushed after its
// children. Among the untagged, versions pushed more than pushSpan apart are
// taken not to belong together and are read at once; within such a group one
// after the other, two, four and so on at once as long as none turns out to be
// an index.
//
// The number of calls is one per manifest not described by a fetched index,
// exactly, unless a child is tagged without a platform's name, is pushed more
// than pushSpan before its index with both untagged, or follows several single
// images within pushSpan. Then the child may be read as well: a call too many,
// never a wrong graph.
func (s *session) fetchAll(ctx context.Context) {
	var roots, platforms, untagged []retention.Version
	for _, v := range s.active {
		switch {
		case !s.pending(v.Name):
		case len(v.Referrers) > 0, v.Tagged() && !namesPlatform(v.Tags):
			roots = append(roots, v)
		case v.Tagged():
			platforms = append(platforms, v)
		default:
			untagged = append(untagged, v)
		}
	}
	read := func(v retention.Version) { s.fetch(ctx, v) }
	each(s, roots, read)
	each(s, platforms, read)
	untagged = s.stillPending(untagged)
	each(s, groups(untagged), func(g []retention.Version) { s.fetchGroup(ctx, g) })
}

func namesPlatform(tags []string) bool {
	return !slices.ContainsFunc(tags, func(t string) bool { return !platformTag.MatchString(t) })
}

func (s *session) stillPending(vs []retention.Version) []retention.Version {
	return slices.DeleteFunc(vs, func(v retention.Version) bool { return !s.pending(v.Name) })
}

// groups splits versions, newest first, wherever two neighbours were pushed
// more than pushSpan apart.
func groups(vs []retention.Version) [][]retention.Version {
	var out [][]retention.Version
	start := 0
	for i := 1; i <= len(vs); i++ {
		if i == len(vs) || vs[i-1].CreatedAt.Sub(vs[i].CreatedAt) > pushSpan {
			out = append(out, vs[start:i])
			start = i
		}
	}
	return out
}

// fetchGroup reads versions that may be children of one another, newest first.
func (s *session) fetchGroup(ctx context.Context, group []retention.Version) {
	width := 1
	for {
		group = s.stillPending(group)
		if len(group) == 0 || ctx.Err() != nil || s.isHalted() {
			return
		}
		batch := group[:min(width, len(group))]
		indexes := make([]bool, len(batch))
		positions := make([]int, len(batch))
		for i := range positions {
			positions[i] = i
		}
		each(s, positions, func(i int) { indexes[i] = s.fetch(ctx, batch[i]) })
		if slices.Contains(indexes, true) {
			width = 1
		} else {
			width = min(2*width, s.r.parallel)
		}
	}
}
