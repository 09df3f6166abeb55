package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// newestFirst is the order of ranks: by created_at, ties by the higher id. A
// version whose age is unknown counts as the newest, so that a rule which keeps
// the newest keeps it.
func newestFirst(a, b retention.Version) int {
	if a.CreatedAt.IsZero() != b.CreatedAt.IsZero() {
		if a.CreatedAt.IsZero() {
			return -1
		}
		return 1
	}
	if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
		return c
	}
	return cmp.Compare(b.ID, a.ID)
}

// counter hands out ranks whose pointers stay valid while it is used up.
type counter struct {
	slots []int
}

func newCounter(size int) *counter { return &counter{slots: make([]int, 0, size)} }

func (c *counter) next() *int {
	c.slots = append(c.slots, len(c.slots))
	return &c.slots[len(c.slots)-1]
}

// rankByAge fills the ranks by age; versions and facts run in parallel, newest first.
func rankByAge(versions []retention.Version, facts []InputVersion) {
	n := len(versions)
	all, tagged, untagged, roots := newCounter(n), newCounter(n), newCounter(n), newCounter(n)
	for i := range facts {
		f := &facts[i]
		if !versions[i].IsActive() {
			continue
		}
		f.Rank = all.next()
		if f.Tagged {
			f.RankTagged = tagged.next()
		}
		if f.Root {
			f.RankRoot = roots.next()
			if !f.Tagged {
				f.RankUntagged = untagged.next()
			}
		}
	}
}

// rankBySemver fills the ranks of active releases and of active prereleases by
// precedence; equal precedence leaves the newer version first.
func rankBySemver(versions []retention.Version, facts []InputVersion) {
	type ranked struct {
		at int
		v  *semver.Version
	}
	var releases, prereleases []ranked
	for i := range facts {
		s := facts[i].Semver
		if s == nil || !versions[i].IsActive() {
			continue
		}
		r := ranked{i, semver.New(s.Major, s.Minor, s.Patch, s.Prerelease, "")}
		if s.Prerelease == "" {
			releases = append(releases, r)
		} else {
			prereleases = append(prereleases, r)
		}
	}
	highestFirst := func(a, b ranked) int { return b.v.Compare(a.v) }
	slices.SortStableFunc(releases, highestFirst)
	slices.SortStableFunc(prereleases, highestFirst)
	order := newCounter(len(releases))
	for _, r := range releases {
		facts[r.at].RankSemver = order.next()
	}
	order = newCounter(len(prereleases))
	for _, r := range prereleases {
		facts[r.at].RankPrerelease = order.next()
	}
}

// semverOf is the version's name as a semantic version, or the highest among
// its tags; nil when there is none. Only full x.y.z versions count: "1.2" says
// which line a tag follows, not which version it is.
func semverOf(v retention.Version) *InputSemver {
	if s := parseSemver(v.Name); s != nil {
		return s.facts()
	}
	var best *parsedSemver
	for _, t := range v.Tags {
		s := parseSemver(t)
		if s != nil && (best == nil || s.higher(best)) {
			best = s
		}
	}
	if best == nil {
		return nil
	}
	return best.facts()
}

type parsedSemver struct {
	v    *semver.Version
	text string
}

// parseSemver allows one leading v.
func parseSemver(s string) *parsedSemver {
	s = strings.TrimPrefix(s, "v")
	if s == "" || s[0] < '0' || s[0] > '9' {
		return nil
	}
	v, err := semver.StrictNewVersion(s)
	if err != nil {
		return nil
	}
	return &parsedSemver{v, s}
}

// higher breaks ties of precedence (build metadata) by the text, so that the
// order of the tags never matters.
func (s *parsedSemver) higher(than *parsedSemver) bool {
	if c := s.v.Compare(than.v); c != 0 {
		return c > 0
	}
	return s.text < than.text
}

func (s *parsedSemver) facts() *InputSemver {
	return &InputSemver{
		Version: s.text, Major: s.v.Major(), Minor: s.v.Minor(), Patch: s.v.Patch(),
		Prerelease: s.v.Prerelease(), Build: s.v.Metadata(),
	}
}
