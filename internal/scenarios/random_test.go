package scenarios

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// doomPolicy deletes what the seed marks, whatever it is.
const doomPolicy = `# METADATA
# title: Doom
# description: Deletes the marked versions, without any regard for images.
# scope: package
# custom:
#   mode: enforce
package retention.doom

decisions contains {"action": "delete", "version": v.id, "reason": "marked"} if {
	some v in input.versions
	v.state == "active"
	v.description == "doomed"
}
`

// TestRandomPackages plays packages with random graphs and policies that delete
// random versions of them. The number of a failing case plays it again.
func TestRandomPackages(t *testing.T) {
	cases := 40
	if testing.Short() {
		cases = 20
	}
	engine := loadPolicies(t, policySetup{Only: []string{"doom", "expire_untagged", "expire_broken"}, Extra: map[string]string{"doom": doomPolicy}})
	for n := range cases {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			playRandom(t, rand.New(rand.NewPCG(uint64(n), 1)), engine)
		})
	}
}

func playRandom(t *testing.T, r *rand.Rand, engine *policy.Engine) {
	s := scenario{Seed: seedOf(randomPackage(r))}
	w := newWorld(t, s, engine)
	pushed := pushedVersions(s)
	before, pulled := stateOf(w), w.pullAll()
	w.watch.begin(pushed, nil)
	var runs []string
	// What GitHub refuses in the middle of a unit leaves the rest to the next run.
	for round := 0; ; round++ {
		plan := w.plan()
		if plan.Summary().Delete == 0 {
			break
		}
		if round == 5 {
			t.Fatalf("after %d runs there is still something to do: %v", round, plan.Items())
		}
		w.apply(plan, false)
		runs = append(runs, plan.ID())
	}
	after := stateOf(w)
	for name, v := range pushed {
		for _, key := range subjects(v) {
			if subject := sibling(name, key); has(before, name) && has(after, subject) && !has(after, name) {
				t.Errorf("referrer %s is gone although its subject %s stays", name, subject)
			}
		}
	}
	comparePulls(t, "after the runs", after, pulled, w.pullAll())
	w.undoAll(runs)
	if now := stateOf(w); !maps.Equal(before, now) {
		t.Errorf("after the undo: %v, before: %v", now, before)
	}
	comparePulls(t, "after the undo", before, pulled, w.pullAll())
	if _, err := w.ledger.Verify(t.Context(), owner); err != nil {
		t.Error(err)
	}
}

// randomPackage is a package of up to twenty versions, each of which may refer to
// those before it in every way that a manifest can.
func randomPackage(r *rand.Rand) githubsim.Package {
	p := githubsim.Package{Name: "app", Type: retention.Container}
	if r.IntN(4) == 0 {
		p.Visibility = "public"
	}
	attached := map[string]bool{} // referrer tags in use: a tag is on one version
	count := 2 + r.IntN(18)
	for i := range count {
		v := githubsim.Version{Key: fmt.Sprintf("v%02d", i), CreatedAt: githubsim.Ago(time.Duration(60*24-i*r.IntN(70)) * time.Hour)}
		if i > 0 {
			randomShape(r, &v, p.Versions, attached)
		}
		if r.IntN(3) == 0 {
			v.Tags = []string{v.Key}
		}
		if r.IntN(3) > 0 {
			v.Description = "doomed"
		}
		if p.Visibility == "public" && r.IntN(5) == 0 {
			v.Downloads = 6000
		}
		p.Versions = append(p.Versions, v)
	}
	for i := range p.Versions {
		v := &p.Versions[i]
		v.Missing = i < count-1 && r.IntN(12) == 0 // the last one stays: there is no package without versions
	}
	return p
}

// randomShape makes v refer to earlier versions. An index of referrers lists no
// referrer of something else: no client makes one that lies.
func randomShape(r *rand.Rand, v *githubsim.Version, earlier []githubsim.Version, attached map[string]bool) {
	one := func() string { return earlier[r.IntN(len(earlier))].Key }
	some := func(subject string) []string {
		out := []string{}
		for range 1 + r.IntN(3) {
			w := earlier[r.IntN(len(earlier))]
			if subject == "" || w.ArtifactType == "" || w.Subject == subject {
				out = append(out, w.Key)
			}
		}
		return out
	}
	free := func(suffix string) string {
		subject := one()
		if attached[subject+suffix] {
			return ""
		}
		attached[subject+suffix] = true
		return subject
	}
	switch r.IntN(10) {
	case 0, 1, 2:
		v.Index = some("")
	case 3:
		v.Index, v.Subject = some(""), one()
	case 4:
		v.FallbackReferrersOf = free("")
		v.Index = some(v.FallbackReferrersOf)
	case 5:
		v.Subject, v.ArtifactType = one(), "application/spdx+json"
	case 6:
		v.CosignSignatureOf = free(".sig")
	case 7:
		v.CosignSBOMOf = free(".sbom")
	}
}
