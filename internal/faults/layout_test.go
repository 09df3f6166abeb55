package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const owner = "acme"

// doomPolicy asks for what the layout marks: tags pr-…, prereleases rc.
const doomPolicy = `# METADATA
# title: Doom
# description: Deletes the versions that the layout marks, without any regard for images.
# scope: package
# custom:
#   mode: enforce
package retention.doom

decisions contains {"action": "delete", "version": v.id, "reason": "marked by a tag"} if {
	some v in input.versions
	v.state == "active"
	some tag in v.tags
	startswith(tag, "pr-")
}

decisions contains {"action": "delete", "version": v.id, "reason": "marked by its name"} if {
	some v in input.versions
	v.state == "active"
	input.package.package_type == "npm"
	contains(v.name, "-rc.")
}
`

// layout is a small owner together with what retention must make of it, worked
// out here from how it was drawn and by no code of the program.
type layout struct {
	packages []githubsim.Package
	doomed   []string            // "package key", sorted: all that goes in the end, and nothing else
	children map[string][]string // index "package key" → keys of its children
}

// draw makes an owner in which three to six versions go.
func draw(variant uint64) layout {
	r := rand.New(rand.NewPCG(variant, 7))
	for {
		l := layout{packages: []githubsim.Package{withBygone(drawImages(r)), withBygone(drawPlain(r)), withBygone(drawLibrary(r))}}
		l.work()
		if n := len(l.doomed); n >= 3 && n <= 6 && slices.ContainsFunc(l.doomed, func(s string) bool { return strings.HasPrefix(s, "team/api ") }) {
			return l
		}
	}
}

func days(n int) githubsim.When { return githubsim.Ago(time.Duration(n) * 24 * time.Hour) }

// drawImages is a package of images for one or two platforms, some of which
// share one, with signatures and attestations, and what an old interruption left.
func drawImages(r *rand.Rand) githubsim.Package {
	p := githubsim.Package{Name: "team/api", Type: retention.Container}
	add := func(v githubsim.Version) { p.Versions = append(p.Versions, v) }
	last := ""
	for i := range 2 + r.IntN(2) {
		key := fmt.Sprintf("i%d", i)
		age := 90 - 10*i
		var parts []string
		for k := range r.IntN(3) {
			part := fmt.Sprintf("%s-p%d", key, k)
			if k == 1 && last != "" {
				parts = append(parts, last)
				continue
			}
			add(githubsim.Version{Key: part, CreatedAt: days(age + 1), Platform: "linux/amd64"})
			parts, last = append(parts, part), part
		}
		tag := "v" + key
		if r.IntN(2) == 0 {
			tag = "pr-" + key
		}
		add(githubsim.Version{Key: key, Tags: []string{tag}, CreatedAt: days(age), Index: parts})
		switch r.IntN(4) {
		case 0:
			add(githubsim.Version{Key: key + "-sig", CreatedAt: days(age), CosignSignatureOf: key})
		case 1:
			add(githubsim.Version{Key: key + "-att", CreatedAt: days(age), Subject: key, ArtifactType: "application/spdx+json"})
		}
	}
	if r.IntN(3) == 0 {
		add(githubsim.Version{Key: "orphan", CreatedAt: days(60)})
	}
	add(githubsim.Version{Key: "stable", Tags: []string{"stable"}, CreatedAt: days(40)})
	return p
}

func drawPlain(r *rand.Rand) githubsim.Package {
	p := githubsim.Package{Name: "web", Type: retention.Container}
	for i := range 4 {
		key := fmt.Sprintf("w%d", i)
		tag := key
		if i < 3 && r.IntN(3) == 0 {
			tag = "pr-" + key
		}
		p.Versions = append(p.Versions, githubsim.Version{Key: key, Tags: []string{tag}, CreatedAt: days(50 - i)})
	}
	return p
}

func drawLibrary(r *rand.Rand) githubsim.Package {
	p := githubsim.Package{Name: "lib", Type: retention.NPM}
	for i := range 3 {
		name := fmt.Sprintf("1.%d.0", i)
		if i < 2 && r.IntN(3) == 0 {
			name += "-rc.1"
		}
		p.Versions = append(p.Versions, githubsim.Version{Name: name, CreatedAt: days(40 - i)})
	}
	return p
}

// withBygone adds what somebody else deleted three days ago: it can be restored,
// looks like what retention deletes, and must stay deleted whatever is undone.
func withBygone(p githubsim.Package) githubsim.Package {
	v := githubsim.Version{Key: "bygone", Tags: []string{"pr-bygone"}, CreatedAt: days(70), DeletedAt: days(3)}
	if p.Type == retention.NPM {
		v.Key, v.Tags, v.Name = "", nil, "0.9.0-rc.1"
	}
	p.Versions = append(p.Versions, v)
	return p
}

func keyOf(v githubsim.Version) string {
	if v.Key != "" {
		return v.Key
	}
	return v.Name
}

func marked(v githubsim.Version) bool {
	return strings.Contains(v.Name, "-rc.") || slices.ContainsFunc(v.Tags, func(t string) bool { return strings.HasPrefix(t, "pr-") })
}

// work finds what goes: all but what is tagged and not marked, what such an image
// is made of, and what belongs to it.
func (l *layout) work() {
	l.children = map[string][]string{}
	for _, p := range l.packages {
		by := map[string]githubsim.Version{}
		for _, v := range p.Versions {
			by[keyOf(v)] = v
			if len(v.Index) > 0 {
				l.children[p.Name+" "+keyOf(v)] = v.Index
			}
		}
		stays := map[string]bool{}
		var keep func(string)
		keep = func(key string) {
			if stays[key] {
				return
			}
			stays[key] = true
			for _, part := range by[key].Index {
				keep(part)
			}
			for k, v := range by {
				if v.Subject == key || v.CosignSignatureOf == key {
					keep(k)
				}
			}
		}
		for key, v := range by {
			if (len(v.Tags) > 0 || v.Name != "") && !marked(v) {
				keep(key)
			}
		}
		for key := range by {
			if !stays[key] && by[key].DeletedAt.IsZero() {
				l.doomed = append(l.doomed, p.Name+" "+key)
			}
		}
	}
	slices.Sort(l.doomed)
}

func (l layout) seed() githubsim.Seed {
	return githubsim.Seed{Owners: []githubsim.Owner{{Login: owner, Packages: l.packages}}}
}
